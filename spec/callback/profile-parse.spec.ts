// callbackProfile.parse: from the text that the console holds to the profile.

import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { callbackProfile, type CallbackProfile, type CallbackProfileOptions } from "express-kaleyra-sms";

import { recorder } from "../support/recorder";

const URL = "https://example.com/sms";
const PAGE_FIELDS = callbackProfile({ method: "POST", url: URL }).fields;
/** As the provider's page prints it. */
const PAGE_ENDPOINT =
  "https://webhook-test.com/a2a?to=<recipient>&id=<id>&status=<status>&message_id=<message_id>&sender=<sender>" +
  "&type=<type>&ref=<ref>&ref1=<ref1>&ref2=<ref2>&ref_custom=<ref_custom>&msgid=<msgid>&flash=<flash>&total=<total>" +
  "&source=<source>&price=<price>&iso_code=<iso_code>&delivered=<delivered>&submittime=<submittime>" +
  "&sent_time=<sent_time>&country_name=<country_name>&campaign_name=<campaign_name>&length=<length>&units=<units>" +
  "&type=<type>&description=<description>&recipient=<recipient>&status_trace=<status_trace>";

/** Everything that a profile is. */
const whole = (profile: CallbackProfile): object => ({
  ...profile,
  rendered: profile.render({ [profile.fields.find((name) => name !== "to") ?? "parts[1]"]: "x" }),
});

const options = fc.record({
  fields: fc
    .shuffledSubarray([...PAGE_FIELDS, "parts[n]", "to", "message_id", "type"], { minLength: 0 })
    .map((fields) => ["id", ...fields.filter((name) => name !== "id")]),
  parts: fc.nat(12),
  statics: fc.dictionary(
    fc.string({ unit: "grapheme", minLength: 1 }).map((name) => `x${name.replaceAll(/["\\<\p{Cc}\p{Cs}]/gu, "")}`),
    fc.string({
      unit: fc.constantFrom("a", "é", "😀", '"', "\\", "\n", "\u007f", "\u2028", "&", "=", "%", "+", " ", "<", "{"),
    }),
    { maxKeys: 4 },
  ),
  headers: fc.constantFrom({}, { "X-Callback-Token": "secret" }),
});

const spaces = fc.array(fc.constantFrom(" ", "\t", "\r\n"), { maxLength: 3 }).map((some) => some.join(""));

/** The body of a profile, beginning with another member, with white space around its marks. */
function turned({ body = "" }: CallbackProfile, space: string, turn: number): string {
  const members = Object.entries(JSON.parse(body) as object).map(
    ([name, value]) => `${JSON.stringify(name)}${space}:${space}${JSON.stringify(value)}`,
  );
  const at = turn % members.length;
  const shifted = [...members.slice(at), ...members.slice(0, at)].join(`${space},${space}`);
  return `${space}{${space}${shifted}${space}}${space}`;
}

describe("callbackProfile.parse", () => {
  it("reads back the body of each profile", () => {
    fc.assert(
      fc.property(options, fc.constantFrom("", "?tenant=acme"), ({ headers, ...others }, query) => {
        const url = `${URL}${query}`;
        const profile = callbackProfile({ method: "POST", url, headers, ...others });
        expect(whole(callbackProfile.parse(profile.body, { url, headers }))).toEqual(whole(profile));
      }),
    );
  });

  it("reads back the endpoint of each profile", () => {
    fc.assert(
      fc.property(options, fc.constantFrom("", "?tenant=acme", "?", "?a=b&"), ({ headers, ...others }, query) => {
        const profile = callbackProfile({ method: "GET", url: `${URL}${query}`, headers, ...others });
        expect(whole(callbackProfile.parse(profile.endpoint, { headers }))).toEqual(whole(profile));
      }),
    );
  });

  it("takes members in any order, with any white space", () => {
    fc.assert(
      fc.property(options, spaces, fc.nat(), (one, space, turn) => {
        const profile = callbackProfile({ method: "POST", url: URL, ...one });
        const { fields, template } = callbackProfile.parse(`\uFEFF${turned(profile, space, turn)}`);
        expect([...fields].sort()).toEqual([...profile.fields].sort());
        expect(template.members).toHaveLength(profile.template.members.length);
        expect(template.members).toEqual(expect.arrayContaining([...profile.template.members]));
      }),
    );
  });

  it("takes an endpoint that it does not know from the text of a body", () => {
    const text = '{"id":"<id>"}';
    expect(callbackProfile.parse(text)).toMatchObject({ method: "POST", endpoint: "https://your.domain/sms" });
    expect(callbackProfile.parse(text, { url: URL }).endpoint).toBe(URL);
  });

  it("reads the endpoint on the provider's page, in which one variable stands twice", () => {
    const profile = callbackProfile.parse(PAGE_ENDPOINT);
    expect(profile.fields).toHaveLength(26);
    expect(profile.endpoint).toBe(PAGE_ENDPOINT.replace("&type=<type>&description", "&description"));
    expect(profile.render({ recipient: "5050" }).url).toMatch(/\?to=5050&.*&recipient=5050&/);
  });

  it("takes quotes around the values of an endpoint, as in the provider's sample", () => {
    const { endpoint } = callbackProfile.parse(`${URL}?id="<id>"&source="<source>"&parts%5B1%5D="<parts[1]>"&t="a"`);
    expect(endpoint).toBe(`${URL}?id=<id>&source=<source>&parts[1]=<parts[1]>&t=a`);
  });

  it("gives a profile by which the router reads what the provider makes of this very text", async () => {
    const property = fc.asyncProperty(options, spaces, fc.nat(), async (one, space, turn) => {
      const fields = [...new Set([...one.fields, "source", "message"])];
      const text = turned(callbackProfile({ method: "POST", url: URL, ...one, fields, parts: 0 }), space, turn);
      const values = { source: "919876500001", recipient: "5050", status: "SENT", message: 'say "hi",\n{"a":"b"}' };
      const valueOf = (name: string): string => (values as Record<string, string>)[name] ?? `of-${name}`;
      const body = text.replaceAll(/"<([^">]+)>"/g, (_, variable: string) => `"${valueOf(variable)}"`);
      const { sms } = recorder({ profile: callbackProfile.parse(text), escaping: "none" });
      const { message, problem } = await sms.receive({ method: "POST", body });
      const statics = Object.entries(one.statics).filter(([, value]) => value !== "");
      expect(problem).toBeUndefined();
      expect(message?.fields).toEqual(
        Object.fromEntries([...fields.map((name) => [name, valueOf(name === "to" ? "recipient" : name)]), ...statics]),
      );
    });
    await fc.assert(property);
  });

  it("returns a profile or throws what is coded, whatever the text is", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(
        fc.constantFrom(
          "{",
          "}",
          '"',
          ":",
          ",",
          "<id>",
          "id",
          "\\",
          "?",
          "&",
          "=",
          "https://a.b/",
          "%",
          "parts[1]",
          "\n",
        ),
      ),
    );
    fc.assert(
      fc.property(text, fc.constantFrom("", "{", '{"', "https://a.b/?"), (some, head) => {
        try {
          expect(
            callbackProfile.parse(head + (typeof some === "string" ? some : some.join(""))).fields.length,
          ).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toMatchObject({ name: "TypeError", code: "KALEYRA_SMS_INVALID_ARGUMENT" });
        }
      }),
    );
  });

  it.each<[what: string, text: string, ...words: string[]]>([
    ["a variable under another name", '{"from":"<source>"}', '"from" has <source>', 'write "source": "<source>"'],
    ["the same in an endpoint", `${URL}?from=<source>`, '"from" has <source>', "write source=<source>"],
    ["two variables in one value", '{"source":"<source><id>"}', '"source" has several variables'],
    ["text beside a variable", '{"source":"+<source>"}', '"source" has text beside the variable <source>'],
    ["quotes that are the text's own", `${URL}?id=<id>&parts[1]="<parts[1]>"`, '"parts[1]" has text beside'],
    ["an unknown variable", '{"id":"<uuid>"}', '"id" has <uuid>, which is not a variable'],
    ["a variable that is only a name", '{"to":"<to>"}', '"to" has <to>, which is not a variable'],
    ["a fixed value for a field", '{"id":"c4n4ry"}', '"id" is a field with a fixed value', 'write "id": "<id>"'],
    ["a variable without quotes", '{"id":<id>}', "Line 1", '"id" has a value without double quotes'],
    ["a number", '{\n"id":"<id>",\n"v":1}', "Line 3", '"v" has a value without double quotes'],
    ["an object", '{"id":"<id>","x":{"c4n4ry":"<kid>"}}', '"x" is an object or a list'],
    ["a list", '{"id":"<id>","x":["c4n4ry"]}', '"x" is an object or a list'],
    ["a value that does not end", '{"id":"<id>","x":"c4n4ry\n"}', '"x" has a value that is not a JSON string'],
    ["a value with a wrong escape", '{"id":"<id>","x":"c4n4ry\\x"}', '"x" has a value that is not a JSON string'],
    ["a needless escape", '{"id":"<id>","x":"c4n4\\u0072y"}', '"x" has a value with needless escapes'],
    ["an escape in a name", '{"a\\u0062":"c4n4ry"}', "has a name with an escape"],
    ["a name with a quote", `${URL}?id=<id>&a%22=c4n4ry`, "has a name with a quote"],
    ["a name twice", '{"id":"<id>","id":"<id>"}', '"id" is there more than once'],
    ["a name twice in an endpoint", `${URL}?id=<id>&t=c4n4ry&t=2`, '"t" is there more than once'],
    ["a part without those before it", '{"parts[1]":"<parts[1]>","parts[3]":"<parts[3]>"}', "parts[3] needs all parts"],
    ["a part too far", '{"parts[101]":"<parts[101]>"}', '"parts[101]" is a part with a number above 100'],
    ["a comma too many", '{"id":"<id>",}', "a member begins with its name"],
    ["a comma too few", '{"id":"<id>" "kid":"<kid>"}', 'after "id", a comma or a closing brace is missing'],
    ["text after it", '{"id":"<id>"} c4n4ry', "nothing may follow"],
    ["XML", "<sms><id>c4n4ry</id></sms>", "choose JSON as the type"],
    ["a form", "id=<id>&source=<source>", "neither a JSON object"],
    ["white space that JSON does not know", '\u00a0{"id":"<id>"}', "neither a JSON object"],
    ["the same at the end", '{"id":"<id>"}\u00a0', "nothing may follow"],
    ["nothing", "  ", "neither a JSON object"],
    ["an endpoint of POST", `${URL}?t=c4n4ry`, "requests no field"],
    ["an endpoint with white space", `${URL}?id=<id>&t=c4n4ry 2`, "white space or #"],
    [
      "a variable in the path of an endpoint",
      `${URL}/<source>?id=<id>&t=c4n4ry`,
      "has the variable <source> before its",
    ],
    ["the same, encoded", `${URL}/%3Csource%3E?id=<id>&t=c4n4ry`, "has the variable <source> before its query"],
    ["a variable in a name", '{"id":"<id>","<kid>":"c4n4ry"}', '"<kid>" has a variable in its name'],
    ["no member", "{}", "requests no field"],
    ["statics only", '{"t":"c4n4ry"}', "requests no field"],
    ["a text that is very long", `{"id":"<id>","x":"${"y".repeat(1e7)}"}`, "It has 10000020 characters: at most 65536"],
    ["a name that is very long", `{"${"y".repeat(5e4)}":1}`, `Line 1 of the request body: "${"y".repeat(60)}…" has a`],
    ["a name that steers a terminal", '{"\u009b2J\u202e":1}', String.raw`"\u009b2J\u202e" has a value`],
    ["an endpoint that is no URL", "https://[?id=<id>", "not an absolute http or https URL"],
  ])("throws for what the router could not read by it, with what to do, and no value: %s", (_what, text, ...words) => {
    expect(() => callbackProfile.parse(text)).toThrow(TypeError);
    for (const word of words) expect(() => callbackProfile.parse(text)).toThrow(word);
    expect(() => callbackProfile.parse(text)).toThrow(
      expect.objectContaining({
        code: "KALEYRA_SMS_INVALID_ARGUMENT",
        message: expect.not.stringContaining("c4n4ry"),
      }),
    );
  });

  it("throws a short text, whatever stands in the template", () => {
    const names = Array.from({ length: 3_000 }, (_, n) => `"${n}":"<x${n}>"`);
    const long = "x".repeat(6e4);
    for (const text of [`{${names.join(",")}}`, `{"${long}":"<id>"}`, `{"a":"<${long}>"}`, `${URL}/<${long}>?id=<id>`])
      expect(() => callbackProfile.parse(text)).toThrow(
        expect.objectContaining({ message: expect.stringMatching(/^.{0,2000}$/) }),
      );
    expect(() => callbackProfile.parse(`{${names.join(",")}}`)).toThrow("And 2980 more.");
  });

  it("names all members that it does not understand", () => {
    expect(() => callbackProfile.parse('{"from":"<source>","id":"<uuid>"}')).toThrow(/"from" has.*"id" has/);
  });

  it.each<[given: readonly unknown[], words: string]>([
    [[1], "takes the text of a template"],
    [["{}", { uri: URL }], "{ url?, headers? }"],
    [['{"id":"<id>"}', { url: "/sms" }], "url of callbackProfile takes"],
    [['{"id":"<id>"}', { headers: { "a b": "1" } }], "headers of callbackProfile takes"],
    [[`${URL}?id=<id>`, { url: URL }], "takes no url with an endpoint of GET"],
  ])("throws a TypeError that says what it takes: %j", (given, words) => {
    const parse = callbackProfile.parse as (...all: readonly unknown[]) => CallbackProfile;
    expect(() => parse(...given)).toThrow(TypeError);
    expect(() => parse(...given)).toThrow(words);
  });
});

describe("the fields of a profile", () => {
  it("may be the other variables of the provider's endpoint, and are not statics too", async () => {
    const given: CallbackProfileOptions = { method: "GET", url: URL, fields: ["id", "source", "to", "iso_code"] };
    const profile = callbackProfile(given);
    expect(profile.endpoint).toBe(`${URL}?id=<id>&source=<source>&to=<recipient>&iso_code=<iso_code>`);
    const { url } = profile.render({ id: "1", source: "919876500001", recipient: "5050", iso_code: "IN" });
    const { message } = await recorder({ profile }).sms.receive({ method: "GET", query: url.replace(/^.*\?/, "") });
    expect(message).toMatchObject({ recipient: "5050", fields: { iso_code: "IN" } });
    expect(() => callbackProfile({ ...given, statics: { iso_code: "IN" } })).toThrow("statics of callbackProfile");
  });
});

describe("what callbackProfile fixes", () => {
  it.each<[what: string, given: Partial<CallbackProfileOptions>, words: string]>([
    ["a static", { statics: { from: "<source>" } }, "statics of callbackProfile"],
    ["a static with text beside it", { statics: { from: "a <b> c" } }, "statics of callbackProfile"],
    ["the name of a static", { statics: { "<kid>": "1" } }, "statics of callbackProfile"],
    ["the path of the URL", { url: `${URL}/<source>` }, "url of callbackProfile"],
    ["the query of the URL, encoded", { url: `${URL}?from=%3Csource%3E` }, "url of callbackProfile"],
  ])("has no variable, which the provider would replace: %s", (_what, given, words) => {
    for (const method of ["GET", "POST"] as const) {
      const create = (): CallbackProfile => callbackProfile({ method, url: URL, ...given });
      expect(create).toThrow(TypeError);
      expect(create).toThrow(words);
      expect(create).toThrow("<variables>");
    }
  });
});
