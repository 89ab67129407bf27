// Unescaped bodies: a text arrives exactly as typed, and no typed text can pass for a field.

import { createServer } from "node:http";
import { describe, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import request from "supertest";
import {
  callbackProfile,
  incomingSms,
  type CallbackProfile,
  type CallbackProfileOptions,
  type IncomingSmsOptions,
  type Receipt,
} from "express-kaleyra-sms";

import { recorder, type SomeOptions } from "../support/recorder";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const URL = "https://example.com/sms";
const VALUES = {
  source: "+919876543210",
  recipient: "5050",
  description: "Message has been sent",
  status: "SENT",
  status_trace: "SENT",
  id: "90e74b4c",
  kid: "b6-44",
  keyword: "",
  operator: "JIO",
  circle: "JIO ASSAM",
  timestamp: "2025-04-17 18:35:20",
};

const profileOf = (options: Partial<CallbackProfileOptions> = {}): CallbackProfile =>
  callbackProfile({ method: "POST", url: URL, ...options });

/** The `VALUES` that the profile requests, with the message. */
function valuesFor({ fields }: CallbackProfile, message: string): Record<string, string> {
  return Object.fromEntries(Object.entries({ ...VALUES, message }).filter(([name]) => fields.includes(name)));
}

/** The body that the provider would send without escaping the text. */
function unescapedBody(profile: CallbackProfile, message: string): string {
  return profile.render(valuesFor(profile, message), { escaping: "none" }).body ?? "";
}

const receive = (body: string, options: SomeOptions): Promise<Receipt> =>
  recorder({ ...options, deduplicate: false }).sms.receive({ method: "POST", body });

const AWKWARD = [
  "",
  "hello",
  'say "hi"',
  '"',
  '""',
  "\\",
  '\\"',
  "C:\\temp",
  "line one\nline two\r\n",
  "\0\u0001\u001f\u007f",
  "{}",
  "}",
  '"}',
  '"\n}',
  '{"id":"1"}',
  "</script>",
  "😀",
  "\u202eabc\u200f",
  "\ud800",
  "\u2028",
  'x","keyword":"ADMIN',
  'x","keyword":"ADMIN","operator":"JIO","circle":"JIO ASSAM","timestamp":"2025-04-17 18:35:20"}',
  'x",\n"keyword": "ADMIN",\n"operator": "a",\n"circle": "b",\n"timestamp": "c"\n}',
  '","id":"other","source":"+910000000000',
  '","message":"other',
  "a".repeat(39_015),
  '"'.repeat(39_015),
];

describe("a text", () => {
  const profile = profileOf();

  it.each(AWKWARD)("that is not escaped arrives exactly as typed under escaping: none: %.40j", async (text) => {
    const { message } = await receive(unescapedBody(profile, text), { profile, escaping: "none" });
    expect(message).toMatchObject({ text, repaired: false, source: VALUES.source });
    expect(message?.fields).toEqual({ ...withoutEmpty(VALUES), message: text });
  });

  it.each(AWKWARD)("that is not escaped arrives exactly as typed without a profile: %.40j", async (text) => {
    const { message } = await receive(unescapedBody(profile, text), { escaping: "none" });
    expect(message?.text).toBe(text);
  });

  it.each(AWKWARD)("that is escaped arrives exactly as typed: %.40j", async (text) => {
    const { body = "" } = profile.render(valuesFor(profile, text));
    for (const escaping of ["auto", "json"] as const) {
      expect((await receive(body, { profile, escaping })).message).toMatchObject({ text, repaired: false });
    }
  });

  it("that is not escaped arrives exactly as typed under escaping: auto, unless it looks escaped", async () => {
    const asJson = (text: string): string => {
      try {
        return JSON.parse(`"${text}"`) as string;
      } catch {
        return text;
      }
    };
    for (const text of AWKWARD) {
      const { message } = await receive(unescapedBody(profile, text), { profile });
      expect(message?.text).toBe(asJson(text));
    }
    expect(AWKWARD.filter((text) => asJson(text) !== text)).toEqual(['\\"', "C:\\temp"]);
  });

  it("that is not escaped causes no warning under escaping: none", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockClear();
    await receive(unescapedBody(profile, '"'), { profile, escaping: "none" });
    expect(warn).not.toHaveBeenCalled();
  });

  it("that is not escaped causes one warning under escaping: auto, which names escaping: none", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockClear();
    const { sms } = recorder({ profile });
    for (const text of ['"', '""']) await sms.receive({ method: "POST", body: unescapedBody(profile, text) });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining('escaping: "none"'),
      expect.objectContaining({ code: "KALEYRA_SMS_NOT_ESCAPED" }),
    );
  });
});

function withoutEmpty(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

/** Texts made of the template's literals. */
const imitation = fc
  .array(
    fc.oneof(
      fc.constantFrom('"', "\\", "\n", " ", "{", "}", '"}', '"\n}', '","', '":"', '": "', ",", "x", "STOP"),
      fc
        .constantFrom(...Object.keys(VALUES), "message", "parts[1]", "parts[2]", "parts[n]", "tenant")
        .map((name) => `","${name}":"`),
      fc.constantFrom(...Object.keys(VALUES), "message", "parts[1]", "tenant").map((name) => `",\n"${name}": "a`),
      fc.constant(
        Object.keys(VALUES)
          .map((name) => `","${name}":"v`)
          .join(""),
      ),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

describe("a text that imitates the template", () => {
  const names = ["message", ...Object.keys(VALUES)];
  const options = fc.record({
    fields: fc
      .shuffledSubarray(names, { minLength: 1 })
      .map((some) => [...new Set(["id", "source", "message", ...some])]),
    parts: fc.constantFrom(0, 0, 1, 2, 5),
    statics: fc.constantFrom({}, { tenant: "acme" }, { tenant: 'a","id":"1', tag: "" }),
  });
  /** The body as the provider may send it: with other white space, in another order. */
  const sent = (profile: CallbackProfile, text: string, isMinified: boolean, order: number): string => {
    const body = unescapedBody(profile, text);
    const lines = profile.template.members.map(({ name, content }) => {
      const words = text.split(/[\s\u0085\ufeff]+/u).filter((word) => word !== "");
      const value =
        "literal" in content
          ? JSON.stringify(content.literal).slice(1, -1)
          : (valuesFor(profile, text)[name] ?? words[Number(/\d+/.exec(name)?.[0]) - 1] ?? "");
      return `"${name}"${isMinified ? ":" : " : "}"${value}"`;
    });
    if (!isMinified && order === 0) return body;
    const turned = [...lines.slice(order % lines.length), ...lines.slice(0, order % lines.length)];
    return isMinified ? `{${turned.join(",")}}` : ` {\r\n${turned.join(" ,\t")} } \n`;
  };

  it("changes only the message and the parts, under any profile and in any order", async () => {
    const outcomes = { exact: 0, rejected: 0 };
    await fc.assert(
      fc.asyncProperty(options, imitation, fc.boolean(), fc.nat(20), async (given, text, isMinified, order) => {
        const profile = profileOf(given);
        const { message, problem } = await receive(sent(profile, text, isMinified, order), {
          profile,
          escaping: "none",
        });
        if (problem === undefined) {
          const { fields = {} } = message ?? {};
          const others = Object.entries(fields).filter(([name]) => name !== "message" && !name.startsWith("parts["));
          expect(Object.fromEntries(others)).toEqual(withoutEmpty({ ...valuesFor(profile, ""), ...given.statics }));
          expect(message?.text).toBe(text);
          outcomes.exact++;
        } else {
          expect(problem.code).toBe("ambiguous-body");
          expect(given.parts).toBeGreaterThan(0);
          outcomes.rejected++;
        }
      }),
      { numRuns: 3_000 },
    );
    expect(outcomes.exact).toBeGreaterThan(1_000);
    expect(outcomes.rejected).toBeGreaterThan(0);
  });

  it("changes only the message without a profile, under the printed template", async () => {
    const profile = profileOf();
    await fc.assert(
      fc.asyncProperty(imitation, async (text) => {
        const { message, problem } = await receive(unescapedBody(profile, text), { escaping: "none" });
        if (problem === undefined) expect(message?.fields).toEqual({ ...withoutEmpty(VALUES), message: text });
        else expect(problem.code).toBe("ambiguous-body");
      }),
      { numRuns: 1_000 },
    );
  });

  it("is rejected if the body can be read in two ways", async () => {
    const profile = profileOf({ fields: ["id", "source", "recipient", "message"], parts: 1 });
    // The message ends before the first parts[1] or before the second one.
    const body = `{"id":"1","source":"2","recipient":"3","message":"a","parts[1]":"b","parts[1]":"c"}`;
    expect(await receive(body, { profile, escaping: "none" })).toMatchObject({ problem: { code: "ambiguous-body" } });
  });
});

it("reads or rejects a body up to bodyLimit, whatever its text imitates", async () => {
  const fragments = [
    '"',
    '","',
    '","id":"',
    '","parts[1]":"a',
    Object.keys(VALUES)
      .map((name) => `","${name}":"`)
      .join(""),
  ];
  for (const profile of [profileOf(), profileOf({ parts: 3 })]) {
    for (const fragment of fragments) {
      const text = fragment.repeat(Math.floor(39_015 / fragment.length));
      const { message, problem } = await receive(unescapedBody(profile, text), { profile, escaping: "none" });
      if (problem === undefined) expect(message?.text).toBe(text);
      else expect(problem.code).toBe("ambiguous-body");
    }
  }
});

it("rejects a short body that repeats the name of every part at once, without trying all readings", async () => {
  const profile = profileOf({ fields: ["id", "source", "recipient", "message"], parts: 20 });
  const names = Array.from({ length: 20 }, (_, n) => `","parts[${n + 1}]":"`).join("");
  const body = `{"id":"1","source":"2","recipient":"3","message":"${names}${names}"}`;
  const { sms } = recorder({ profile, escaping: "none" });
  // Through a server, so that a matcher that blocks the event loop runs into the time limit of the spec.
  const response = await request(createServer(sms)).post("/").type("text/plain").send(body).expect(400);
  expect(response.body).toMatchObject({ code: "ambiguous-body" });
});

it("warns once about a body whose keys are not the printed ones, and prints the profile to declare", async () => {
  const warn = jest.spyOn(process, "emitWarning").mockClear();
  const { sms, messages } = recorder();
  const body = {
    id: "1",
    source: "2",
    recipient: "3",
    message: "hello",
    tenant: "acme",
    "parts[1]": "hello",
    "a b": "x",
  };
  await sms.receive({ method: "POST", body: JSON.stringify(body) });
  await sms.receive({ method: "POST", body: JSON.stringify({ ...body, id: "2" }) });
  expect(messages).toHaveLength(2);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(
    expect.stringContaining(
      'callbackProfile({ method: "POST", url: "https://your.domain/sms", fields: ["source","recipient","id","message"], parts: 1, statics: { "tenant": "..." } }) }). ' +
        'Each "..." is the value that stands in the console. This call is not complete',
    ),
    expect.objectContaining({ code: "KALEYRA_SMS_PROFILE_DIFFERS" }),
  );
  expect(String(warn.mock.calls[0]?.[0])).not.toContain("acme");
});

describe("the call that the warning prints", () => {
  const printedFor = async (body: string): Promise<string> => {
    const warn = jest.spyOn(process, "emitWarning").mockClear();
    await recorder().sms.receive({ method: "POST", body });
    return String(warn.mock.calls[0]?.[0]);
  };

  it.each<[addition: string, more: Record<string, string>]>([
    ["another key", { "tenant-id": "acme" }],
    ["numbered parts", { "parts[1]": "hello", "parts[2]": "", tenant: "acme" }],
    ["the printed line of parts", { "parts[n]": "hello", tenant: "acme" }],
  ])("creates the profile of a body with %s", async (_, more) => {
    const body = JSON.stringify({ ...VALUES, message: "hello", ...more });
    const call = /callbackProfile\((.*?\})\) \}\)/.exec(await printedFor(body))?.[1] ?? "";
    const options = JSON.parse(
      call.replace(/(?<=[{ ])(method|url|fields|parts|statics):/g, '"$1":').replaceAll('"..."', '"acme"'),
    ) as CallbackProfileOptions;
    for (const escaping of ["none", "json", "auto"] as const) {
      const { message } = await receive(body, { profile: callbackProfile(options), escaping });
      expect(message?.text).toBe("hello");
    }
  });

  it("leaves out each key that may be a phone number, and says so", async () => {
    const warning = await printedFor(
      JSON.stringify({ ...VALUES, message: "x", "919812345678": "x", "0ab": "", a1234: "" }),
    );
    expect(warning).not.toMatch(/9198|0ab|1234|statics/);
    expect(warning).toContain("not complete");
    expect(await printedFor(JSON.stringify({ ...VALUES, message: "x", "parts[7]": "x", tenant: "acme" }))).toContain(
      "not complete",
    );
  });
});

it("reads the printed line of parts if the profile declares it", async () => {
  const fields = [...Object.keys(VALUES), "message", "parts[n]"];
  const profile = profileOf({ fields });
  expect(profile.body).toContain('"parts[n]": "<parts[n]>"');
  const { message } = await receive(
    profile.render({ ...valuesFor(profile, 'say "hi"'), "parts[n]": "say" }, { escaping: "none" }).body ?? "",
    { profile, escaping: "none" },
  );
  expect(message).toMatchObject({ text: 'say "hi"', fields: { "parts[n]": "say" } });
});

it("reads a text of 100 words exactly if the console requests 100 parts and no profile is given", async () => {
  const text = Array.from({ length: 100 }, (_, n) => (n === 5 ? '"hi"' : `word${n}`)).join(" ");
  const { message } = await receive(unescapedBody(profileOf({ parts: 100 }), text), {});
  expect(message?.text).toBe(text);
});

describe("the result of a body parser", () => {
  const fields = ["id", "source", "recipient", "message"];
  const profile = profileOf({ fields });
  const parsed = JSON.parse(unescapedBody(profile, 'x","keyword":"ADMIN')) as object;

  it.each([
    ["auto", "malformed-body"],
    ["none", "malformed-body"],
    ["json", "unknown-field"],
  ] as const)("is rejected under escaping: %s if it has an undeclared key", async (escaping, code) => {
    const { sms } = recorder({ profile, escaping });
    expect(await sms.receive({ method: "POST", body: parsed })).toMatchObject({ problem: { code } });
    const whole = JSON.parse(unescapedBody(profile, "hello")) as object;
    expect(await sms.receive({ method: "POST", body: whole })).toMatchObject({ message: { text: "hello" } });
  });

  it("causes a warning about undeclared keys if no profile is given", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockClear();
    await recorder().sms.receive({ method: "POST", body: { ...parsed, tenant: "acme" } });
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining('fields: ["source","recipient","id","message","keyword"]'),
      expect.objectContaining({ code: "KALEYRA_SMS_PROFILE_DIFFERS" }),
    );
  });
});

describe("a body that does not match the template", () => {
  const profile = profileOf({ statics: { tenant: "acme" } });
  const body = unescapedBody(profile, "hello");

  it.each([
    ["is empty", ""],
    ["lacks a field", body.replace(/"kid".*\n/, "")],
    ["has an additional field", body.replace("{", '{"x":"y",')],
    ["has another static value", body.replace("acme", "evil")],
    ["has no end", body.slice(0, -1)],
    ["has text after its end", `${body}x`],
    ["has a number", body.replace('"SENT"', "1")],
  ])("is malformed if it %s", async (_, broken) => {
    expect(await receive(broken, { profile, escaping: "none" })).toMatchObject({ problem: { code: "malformed-body" } });
  });

  it("is malformed if it is cut off anywhere", async () => {
    for (let length = 0; length < body.length; length++) {
      const { problem } = await receive(body.slice(0, length), { profile });
      expect(problem?.code).toBe("malformed-body");
    }
  });
});

describe("escaping: json", () => {
  const profile = profileOf();
  const body = unescapedBody(profile, "hello");

  it("reads only valid JSON, without duplicate or undeclared keys", async () => {
    const options: IncomingSmsOptions = { profile, escaping: "json" };
    expect(await receive(body, options)).toMatchObject({ outcome: "handled", message: { repaired: false } });
    expect(await receive(unescapedBody(profile, '"'), options)).toMatchObject({ problem: { code: "malformed-body" } });
    expect(await receive(unescapedBody(profile, 'x","keyword":"A'), options)).toMatchObject({
      problem: { code: "duplicate-field" },
    });
    expect(await receive(unescapedBody(profile, 'x","y":"z'), options)).toMatchObject({
      problem: { code: "unknown-field" },
    });
  });
});

describe("callbackProfile", () => {
  it("returns the body to paste under POST", () => {
    const profile = profileOf({
      fields: ["id", "message"],
      parts: 2,
      statics: { tenant: 'a"b' },
      headers: { "X-A": "b" },
    });
    expect(profile.endpoint).toBe(URL);
    expect(profile.body).toBe(
      `{\n"id": "<id>",\n"message": "<message>",\n"parts[1]": "<parts[1]>",\n"parts[2]": "<parts[2]>",\n"tenant": "a\\"b"\n}`,
    );
    expect(profile.headers).toEqual({ "X-A": "b" });
  });

  it("returns the endpoint to paste under GET, and its callbacks are read", async () => {
    const profile = callbackProfile({
      method: "GET",
      url: `${URL}?k=1`,
      fields: ["id", "source", "recipient", "keyword"],
      parts: 2,
      statics: { tenant: "a b" },
    });
    expect(profile.body).toBeUndefined();
    expect(profile.endpoint).toBe(
      `${URL}?k=1&id=<id>&source=<source>&recipient=<recipient>&keyword=<keyword>&parts[1]=<parts[1]>&parts[2]=<parts[2]>&tenant=a%20b`,
    );
    const { url } = profile.render({
      id: "1",
      source: "+919876543210",
      recipient: "5050",
      keyword: "A&B",
      "parts[2]": "é",
    });
    const { sms, messages } = recorder({ profile });
    await sms.receive({ method: "GET", query: url.slice(url.indexOf("?") + 1) });
    expect(messages).toMatchObject([
      { source: "+919876543210", keyword: "A&B", parts: ["é"], fields: { tenant: "a b" } },
    ]);
  });

  it("requires the fields that it requests and no others; without an id, no callback is a duplicate", async () => {
    const profile = profileOf({ fields: ["source", "message"] });
    const { sms, messages, invalid } = recorder({ profile });
    const { body = "" } = profile.render({ source: "919876543210", message: "hello" });
    await sms.receive({ method: "POST", body });
    await sms.receive({ method: "POST", body });
    expect(messages).toHaveLength(2);
    await sms.receive({ method: "POST", body: profile.render({ message: "hello" }).body ?? "" });
    expect(invalid).toMatchObject([{ code: "schema", issues: [{ field: "source", rule: "required" }] }]);
  });

  it.each([
    [{ method: "PUT" }, 'method of callbackProfile takes "GET" or "POST"'],
    ...[
      "/sms",
      "//example.com/sms",
      "ftp://example.com/sms",
      "xhttps://example.com/sms",
      "https://",
      "https://[",
      "https://example.com/#a",
      "https://example.com/ sms",
      "https://example.com/é",
      ["https://example.com/sms"],
      undefined,
    ].map((url) => [{ url }, "url of callbackProfile takes"] as const),
    [{ fields: ["text"] }, "fields of callbackProfile takes"],
    [{ fields: ["id", "id"] }, "fields of callbackProfile takes"],
    [{ parts: -1 }, "parts of callbackProfile takes"],
    [{ statics: { id: "1" } }, "statics of callbackProfile takes"],
    [{ statics: { 'a"': "1" } }, "statics of callbackProfile takes"],
    [{ headers: { a: 1 } }, "headers of callbackProfile takes"],
    [{ headers: { "a b": "1" } }, "headers of callbackProfile takes"],
    [{ field: [] }, "field is not an option of callbackProfile"],
  ])("throws a TypeError that says what the option takes: %j", (wrong, words) => {
    expect(() => profileOf(wrong as never)).toThrow(TypeError);
    expect(() => profileOf(wrong as never)).toThrow(words);
  });

  it("renders only strings, and only for its own fields", () => {
    expect(() => profileOf({ fields: ["id"] }).render({ kid: "1" })).toThrow('no variable "kid"');
    expect(() => profileOf().render({ id: 1 } as never)).toThrow("must be a string");
  });

  it("causes one warning under GET if it requests neither message, keyword nor parts", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockClear();
    const get = { method: "GET", url: "https://example.com/sms" } as const;
    const { sms } = recorder({ profile: callbackProfile({ ...get, fields: ["id", "source", "recipient"] }) });
    expect(warn).toHaveBeenCalledTimes(1);
    await sms.receive({ method: "GET", query: "id=1&source=919876543210&recipient=5050" });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("parts[1]=<parts[1]>"),
      expect.objectContaining({ code: "KALEYRA_SMS_NO_TEXT" }),
    );
    warn.mockClear();
    recorder({ profile: callbackProfile({ ...get, fields: ["id", "source", "recipient"], parts: 1 }) });
    recorder({ profile: callbackProfile({ ...get, fields: ["id", "source", "recipient", "keyword"] }) });
    recorder({ profile: callbackProfile({ ...get, fields: ["id", "source", "recipient", "message"] }) });
    // A POST body has the whole text, unless someone leaves it out on purpose.
    recorder({ profile: profileOf({ fields: ["id", "source", "recipient"] }) });
    expect(warn).not.toHaveBeenCalled();
  });

  it("sets the method: options.methods next to it is a TypeError", () => {
    expect(() => incomingSms({ profile: profileOf(), methods: ["POST"] as never })).toThrow(TypeError);
  });
});
