// The options of `incomingSms`: valid values, and the errors for invalid ones.

import { describe, expect, it } from "@jest/globals";
import { incomingSms, type IncomingSmsOptions } from "express-kaleyra-sms";

import { post } from "./support/callbacks";
import { closeServers, listen, recorder } from "./support/recorder";

const make = (options: unknown) => () => incomingSms(options as IncomingSmsOptions);

/** Headers that the router or Node.js sets. */
const RESERVED_HEADERS = [
  "Cache-Control",
  "Connection",
  "Content-Length",
  "Keep-Alive",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
];

it("accepts no options, an empty object, and undefined for any option", () => {
  expect(make(undefined)).not.toThrow();
  expect(make({})).not.toThrow();
  expect(make({ path: undefined, deduplicate: undefined, ack: { body: undefined } })).not.toThrow();
});

it.each([
  {},
  { status: 200 },
  { status: 299 },
  { status: 204 },
  { status: 205, body: "" },
  { body: "" },
  { body: "x" },
  { headers: {} },
  { headers: { "X-Ack": "", "Content-Type": "text/plain" } },
])("accepts %j as the acknowledgement", (ack) => {
  expect(make({ ack })).not.toThrow();
});

it.each([
  ["handlerTimeout", { handlerTimeout: 1 }, "Did you mean handlerTimeoutMs?"],
  ["bodylimit", { bodylimit: 1 }, "Did you mean bodyLimit?"],
  ["nothing", { nothing: undefined }, "The options are path, methods"],
  ["constructor", { constructor: 1 }, "The options are"],
])("rejects an unknown option and suggests another: %s", (name, options, advice) => {
  expect(make(options)).toThrow(TypeError);
  expect(make(options)).toThrow(`options.${name} is not an option. ${advice}`);
});

it.each([
  ["path", ["", "sms", "/a?b", "/a#b", "/a b", "/é", 1, null], 'a path that begins with "/"'],
  ["methods", [[], ["PUT"], "POST", null, ["GET", undefined]], '"GET", "POST" or both'],
  ["bodyLimit", [0, -1, 1.5, Infinity, NaN, "100kb", null], "bytes"],
  ["bodyTimeoutMs", [0, -1, 1.5, 2 ** 31, "1s", null], "milliseconds from 1 to 2147483647"],
  ["handlerTimeoutMs", [0, 2 ** 31, Infinity], "milliseconds from 1 to 2147483647"],
  ["maxInFlight", [0, "1", null], "callbacks"],
  [
    "ack",
    [
      null,
      "ok",
      { status: 199 },
      { status: 300 },
      { status: 200.5 },
      { status: "200" },
      { status: 204, body: "x" },
      { status: 205, body: "x" },
      { text: "" },
      { body: 1 },
      { headers: [] },
    ],
    "200 to 299",
  ],
  [
    "ack",
    [
      { headers: { "X Y": "" } },
      { headers: { a: 1 } },
      { headers: { a: "\n" } },
      { headers: { "cache-control": "public" } },
      ...RESERVED_HEADERS.map((name) => ({ headers: { [name]: "1" } })),
    ],
    "headers",
  ],
  ["problems", ["yes", 0, null], "true or false"],
  ["acknowledgeFailures", ["fail", 1, null], "true or false"],
  [
    "deduplicate",
    [true, null, 1, [], { window: 1 }, { windowMs: 0 }, { max: 1.5 }, { max: Infinity }],
    "{ windowMs?: milliseconds",
  ],
  ["inbox", [true, null, {}, { store: () => undefined }, "sqlite"], "sqliteInbox()"],
  ["concurrency", [-1, 1.5, "16", null, Infinity], "messages, at least 0"],
  ["storeTimeoutMs", [0, 2 ** 31, "5s"], "milliseconds from 1 to 2147483647"],
  ["backlogMs", [0, -1, 2 ** 31, "1m", null], "milliseconds from 1 to 2147483647"],
  ["defaultCountry", ["XX", "in", "IND", "91", "", 91, null], "two-letter code of a country"],
  ["timeZone", ["Nowhere/City", "", 1, null], "IANA name"],
  ["schema", [true, "{}", []], "a JSON Schema"],
  ["decrypt", ["aes-256-gcm", {}, null], "a function (value, field) => string"],
  ["logger", [{}, { warn: () => undefined }, console.log, null], "warn and error"],
])("rejects an invalid value of %s and says what the option takes", (name, values, takes) => {
  for (const value of values) {
    expect(make({ [name]: value })).toThrow(TypeError);
    expect(make({ [name]: value })).toThrow(`options.${name} takes `);
    expect(make({ [name]: value })).toThrow(takes);
  }
});

it("checks inherited options, and uses the values that it checked", async () => {
  expect(make(Object.create({ bodyLimit: NaN }) as object)).toThrow("options.bodyLimit takes");
  const methods: Array<"GET" | "POST"> = ["POST"];
  const sms = incomingSms({ methods, authenticate: false });
  methods[0] = "GET";
  const port = await listen(sms);
  expect((await fetch(`http://127.0.0.1:${port}/`, { method: "OPTIONS" })).headers.get("allow")).toBe(
    "HEAD, POST, OPTIONS",
  );
  await closeServers();
});

it("accepts only an object of options", () => {
  for (const wrong of [null, [], "x", 1]) expect(make(wrong)).toThrow(TypeError);
});

describe("options.schema", () => {
  it("applies in addition to the package's own schema", async () => {
    const schema = {
      type: "object",
      properties: { tenant: { enum: ["acme", "umbrella"] }, message: { maxLength: 5 } },
      required: ["tenant"],
    };
    const { sms, invalid } = recorder({ schema });
    expect(await sms.receive(post({ tenant: "acme" }))).toMatchObject({ status: 200 });
    expect(await sms.receive(post({ id: null, message: "too long" }))).toMatchObject({ status: 400 });
    expect(invalid[0]).toMatchObject({ code: "schema" });
    expect(invalid[0]?.issues).toEqual([
      { field: "id", message: "is missing", rule: "required" },
      { field: "tenant", message: "is missing", rule: "required" },
      { field: "message", message: "must NOT have more than 5 characters", rule: "maxLength" },
    ]);
    await sms.receive(post({ tenant: "other" }));
    expect(invalid[1]?.issues).toEqual([
      { field: "tenant", message: "must be equal to one of the allowed values", rule: "enum" },
    ]);
  });

  it("reports a field as (other) if only the sender knows its name", async () => {
    const { sms, invalid } = recorder({ schema: { patternProperties: { "^x": { const: "1" } } } });
    await sms.receive(post({ xSecret: "2" }));
    expect(invalid[0]?.issues).toMatchObject([{ field: "(other)", rule: "const" }]);
  });

  it("throws a TypeError if it is asynchronous", () => {
    expect(make({ schema: { $async: true } })).toThrow(TypeError);
  });

  it("throws a TypeError that names the place if it does not compile", () => {
    expect(make({ schema: { properties: { tenant: { type: "strin" } } } })).toThrow(TypeError);
    expect(make({ schema: { properties: { tenant: { type: "strin" } } } })).toThrow(/options\.schema .*tenant/);
    expect(make({ schema: { propertees: {} } })).toThrow(/options\.schema .*propertees/);
    const broken = [{ pattern: "(" }, { foo: 1 }, { $ref: "#/$defs/x" }, { anyOf: [{}, { format: "uuid" }] }];
    for (const tenant of broken) {
      expect(make({ schema: { properties: { tenant } } })).toThrow(/options\.schema .*\/properties\/tenant/);
    }
  });
});
