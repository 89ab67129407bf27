// Bodies whose keys are not those of the profile: the page's own line of parts may stand in the console or not, and any
// other difference is named.

import { describe, expect, it, jest } from "@jest/globals";
import request from "supertest";
import { callbackProfile, type CallbackProfileOptions, type InvalidCallback } from "express-kaleyra-sms";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { recorder, type SomeOptions } from "../support/recorder";

const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const profileOf = (options: Omit<Partial<CallbackProfileOptions>, "method"> = {}) =>
  callbackProfile({ url: "https://example.com/sms", ...options, method: "POST" });

const FOUR = ["id", "source", "recipient", "message"];
const PAGE = profileOf({ fields: [...profileOf().fields, "parts[n]"] });
const VALUES = { id: "1", source: "919876543210", recipient: "5050", keyword: "SAMPLE" };

/** A body of the page's printed template. */
const printed = (message: string, line: string, escaping: "json" | "none" = "json"): string =>
  PAGE.render({ ...VALUES, message, "parts[n]": line }, { escaping }).body;

const read = async (body: string | object, options: SomeOptions) =>
  recorder({ ...options, deduplicate: false }).sms.receive({ method: "POST", body });

describe("the page's own line of parts", () => {
  const withLine = printed("UNSUBSCRIBE THE OFFER", "UNSUBSCRIBE");
  const without = profileOf().render({ ...VALUES, message: "UNSUBSCRIBE THE OFFER" }).body;

  it.each(EXPRESS)("may stand in the console or not, in %s", async (_, framework) => {
    for (const profile of [profileOf(), PAGE]) {
      for (const body of [withLine, without, printed("", ""), printed("x", "<parts[n]>")]) {
        const { sms } = recorder({ profile, deduplicate: false });
        await request(framework().use("/sms", sms)).post("/sms").type("json").send(body).expect(200);
      }
    }
  });

  it.each(["auto", "none", "json"] as const)("may stand in the console or not under escaping: %s", async (escaping) => {
    for (const profile of [profileOf(), PAGE]) {
      for (const [body, fields] of [
        [withLine, { "parts[n]": "UNSUBSCRIBE" }],
        [without, {}],
      ] as const) {
        const { message } = await read(body, { profile, escaping });
        expect(message).toMatchObject({ text: "UNSUBSCRIBE THE OFFER", repaired: false });
        expect(message?.fields).toEqual({ ...VALUES, message: "UNSUBSCRIBE THE OFFER", ...fields });
        expect(await read(JSON.parse(body) as object, { profile, escaping })).toMatchObject({ outcome: "handled" });
      }
    }
  });

  it.each(["auto", "none"] as const)("leaves a text as it was typed under escaping: %s", async (escaping) => {
    const consoles = [
      { declared: profileOf(), render: (text: string) => printed(text, "say", "none") },
      { declared: PAGE, render: (text: string) => printed(text, "say", "none") },
      {
        declared: profileOf(),
        render: (text: string) => profileOf().render({ ...VALUES, message: text }, { escaping: "none" }).body,
      },
    ];
    for (const { declared: profile, render } of consoles) {
      for (const text of ['say "hi"', 'x","parts[n]":"y', 'x","parts[n]":"x', '","keyword":"ADMIN'])
        expect((await read(render(text), { profile, escaping })).message?.text).toBe(text);
    }
  });

  it("may stand after a text that is the last field of the profile", async () => {
    const profile = profileOf({ fields: FOUR });
    const body = (message: string, line: string, keyword?: string): string =>
      JSON.stringify({ id: "1", source: "2", recipient: "3", keyword, message, "parts[n]": line });
    for (const line of ["STOP", "NOW", "", "<parts[n]>"])
      expect((await read(body("STOP NOW", line), { profile })).message?.text).toBe("STOP NOW");
    // The provider would not put this there: it is a text.
    expect((await read(body("STOP NOW", "x"), { profile })).message?.text).toBe('STOP NOW","parts[n]":"x');
    const withKeyword = profileOf({ fields: [...FOUR.slice(0, 3), "keyword", "message"] });
    expect((await read(body("STOP NOW", "", "SAMPLE"), { profile: withKeyword })).message?.text).toBe("STOP NOW");
    expect((await read(body("STOP NOW", "SAMPLE", "SAMPLE"), { profile: withKeyword })).message?.text).toBe("STOP NOW");
  });

  it("has any value if the profile declares it", async () => {
    const { message } = await read(printed('say "hi"', "x"), { profile: PAGE });
    expect(message).toMatchObject({ text: 'say "hi"', repaired: false, fields: { "parts[n]": "x" } });
  });

  it("is never among the keys that differ", async () => {
    for (const body of [withLine, without]) {
      for (const profile of [profileOf(), PAGE]) {
        const { problem } = await read(body.replace(/"kid".*\n/, ""), { profile });
        expect(problem).toMatchObject({ issues: [{ field: "kid" }] });
        expect(problem?.detail).toMatch(/profile\. Missing: kid\.$/);
      }
    }
  });

  it("may stand anywhere but after a text", async () => {
    const { message = "", ...others } = callback({ message: "hello" });
    const body = JSON.stringify({ "parts[n]": "x", message, ...others });
    expect((await read(body, { profile: profileOf() })).message).toMatchObject({ text: "hello", repaired: false });
  });
});

describe("a body that differs from the profile in its keys", () => {
  const profile = profileOf({ fields: [...FOUR, "keyword", "kid"], statics: { tenant: "acme" } });
  const sent = { id: "1", source: "2", recipient: "3", message: "c4n4ry", keyword: "", kid: "4", tenant: "acme" };
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(sent).filter(([name]) => !names.includes(name)));
  const issues = (...some: Array<[field: string, rule: string]>) =>
    some.map(([field, rule]) => ({ field, rule, message: expect.any(String) }));

  it.each<[string, object, Array<[string, string]>, string]>([
    ["lacks a field", without("kid"), [["kid", "required"]], "Missing: kid."],
    [
      "lacks fields",
      without("kid", "keyword"),
      [
        ["keyword", "required"],
        ["kid", "required"],
      ],
      "Missing: keyword, kid.",
    ],
    [
      "has another field",
      { ...sent, circle: "c4n4ry" },
      [["circle", "additionalProperties"]],
      "Not in the callback profile: circle.",
    ],
    ["has a numbered part", { ...sent, "parts[1]": "x" }, [["parts[1]", "additionalProperties"]], "profile: parts[1]."],
    [
      "has one field in place of another, and other keys",
      { ...without("kid"), circle: "x", c4n4ry: "", "919876543210": "" },
      [
        ["kid", "required"],
        ["circle", "additionalProperties"],
      ],
      "Missing: kid. Not in the callback profile: circle, 2 other keys.",
    ],
    ["lacks a static field", without("tenant"), [], "Missing: 1 other key."],
    ["has a key of its own", { ...sent, c4n4ry: "" }, [], "Not in the callback profile: 1 other key."],
  ])("is refused, and its issues name the keys of the page: it %s", async (_, body, expected, detail) => {
    for (const [form, options] of [
      [JSON.stringify(body), {}],
      [JSON.stringify(body), { escaping: "none" }],
      [JSON.stringify(body).replace("c4n4ry", 'c4n4ry "hi"'), {}],
      [body, {}],
    ] as const) {
      const { problem } = await read(form, { profile, ...options });
      expect(problem).toMatchObject({ code: "malformed-body", status: 400, issues: issues(...expected) });
      expect(problem?.detail).toContain(detail);
      expect(problem?.detail).toMatch(/^The body's keys are not those of the callback profile\./);
      expect(JSON.stringify([problem?.detail, problem?.issues])).not.toMatch(/c4n4ry|98765|tenant|acme/);
    }
  });

  it("is refused under escaping: json if it has a foreign key, which its issues name", async () => {
    const { problem } = await read(JSON.stringify({ ...sent, circle: "x", c4n4ry: "x" }), {
      profile,
      escaping: "json",
    });
    expect(problem).toMatchObject({ code: "unknown-field", issues: issues(["circle", "additionalProperties"]) });
    expect(problem?.detail).toContain("circle, 1 other key.");
  });

  it("names at most ten keys in its detail, and 20 in its issues", async () => {
    const parts = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`parts[${n + 1}]`, "x"]));
    const { problem } = await read(JSON.stringify({ ...sent, ...parts }), { profile });
    expect(problem?.detail).toContain("parts[10], 20 other keys.");
    expect(problem?.issues).toHaveLength(20);
  });

  it("answers with them over HTTP", async () => {
    const { sms } = recorder({ profile });
    const body = JSON.stringify(without("kid"));
    const response = await sms.fetch(new Request("https://example.com/sms", { method: "POST", body }));
    expect((await response.json()) as InvalidCallback).toMatchObject({ issues: issues(["kid", "required"]) });
  });

  it("has no issues if it has nothing of the profile, or the same keys", async () => {
    for (const body of [
      "{",
      '{"a":1}',
      JSON.stringify(sent).replace("{", '{"id":"1",'),
      JSON.stringify(sent).slice(0, -1),
    ])
      expect((await read(body, { profile })).problem).toMatchObject({ code: "malformed-body", issues: [] });
  });
});

describe("a body with some of the page's keys, without a profile,", () => {
  const four = { id: "1", source: "919876543210", recipient: "5050", message: "hello" };

  it.each<[string, object]>([
    ["four fields", four],
    ["no recipient, but to", { id: "1", source: "919876543210", to: "5050", message: "hello" }],
    ["numbered parts and the line of parts", { ...four, "parts[1]": "hello", "parts[n]": "hello" }],
  ])("causes no warning: %s", async (_, body) => {
    warn.mockClear();
    const { sms, messages } = recorder();
    await sms.receive({ method: "POST", body: JSON.stringify(body) });
    await sms.receive({ method: "POST", body: { ...body, id: "2" } });
    expect(messages).toHaveLength(2);
    expect(warn.mock.calls.filter(([, how]) => JSON.stringify(how).includes("PROFILE_DIFFERS"))).toEqual([]);
    await sms.receive({ method: "POST", body: JSON.stringify({ ...body, id: "3", tenant: "acme" }) });
    expect(warn.mock.calls.filter(([, how]) => JSON.stringify(how).includes("PROFILE_DIFFERS"))).toHaveLength(1);
  });
});
