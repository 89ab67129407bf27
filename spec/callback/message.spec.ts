// The properties of a message, for each form in which a callback can send its fields.

import { describe, expect, it } from "@jest/globals";
import type { IncomingSmsOptions, SmsMessage } from "express-kaleyra-sms";
import { Settings } from "luxon";

import { callback, post } from "../support/callbacks";
import { recorder } from "../support/recorder";

async function messageOf(fields: Record<string, unknown>, options?: IncomingSmsOptions): Promise<SmsMessage> {
  const { sms, messages, invalid } = recorder(options);
  await sms.receive(post(fields));
  expect(invalid).toEqual([]);
  if (messages[0] === undefined) throw new Error("no message");
  return messages[0];
}

async function messageOfQuery(query: string): Promise<SmsMessage> {
  const { sms, messages, invalid } = recorder();
  await sms.receive({ method: "GET", query });
  expect(invalid).toEqual([]);
  if (messages[0] === undefined) throw new Error("no message");
  return messages[0];
}

async function issuesOf(body: string): Promise<ReadonlyArray<readonly [field: string, rule: string]>> {
  const { sms, invalid } = recorder();
  await sms.receive({ method: "POST", body });
  return (invalid[0]?.issues ?? []).map(({ field, rule }) => [field, rule]);
}

describe("a phone number", () => {
  it.each([
    ["+919876543210", "+919876543210"],
    ["919876543210", "+919876543210"],
    ["+1234567", "+1234567"],
    ["+123456", "+123456"],
    ["+123456789012345", "+123456789012345"],
    ["+1234567890123456", "+1234567890123456"],
    ["12345678901", "+12345678901"],
    ["123456789012345", "+123456789012345"],
    ["1234567890123456", "1234567890123456"],
    ["9876543210", "9876543210"],
    ["09876543210", "09876543210"],
    ["575757", "575757"],
    ["AX-KALEYRA", "AX-KALEYRA"],
    ["91XXXXXXXXXX", "91XXXXXXXXXX"],
    ["+91 98765 43210", "+919876543210"],
    ["00919876543210", "+919876543210"],
    ["+00919876543210", "+919876543210"],
    ["91-9876543210", "+919876543210"],
    [" 919876543210 ", "+919876543210"],
    ["(0091) 98765.43210", "+919876543210"],
    ["+91 [98765] 43210", "+919876543210"],
    ["\u202a+91\u00a098765\u201143210\u202c", "+919876543210"],
    ["98765 43210", "9876543210"],
    ["098765-43210", "09876543210"],
    ["123 4567", "1234567"],
    ["12345678 901234567", "12345678901234567"],
    ["12345678 9012345678", "12345678 9012345678"],
    ["+12 3456", "+12 3456"],
    ["+0 123 456 789", "+0123456789"],
    ["001234567", "+1234567"],
    ["00123456", "00123456"],
    ["50-50", "50-50"],
    ["575 757", "575 757"],
    ["VM-KALEYRA", "VM-KALEYRA"],
    ["VM 9876543210", "VM 9876543210"],
    ["91+9876543210", "91+9876543210"],
    ["++919876543210", "++919876543210"],
    ["- -", "- -"],
  ])("%s becomes %s", async (sent, expected) => {
    const message = await messageOf({ source: sent, recipient: sent });
    expect([message.source, message.recipient, message.fields.source]).toEqual([expected, expected, sent]);
  });

  it("has the same source and key however it is written", async () => {
    const forms = [
      "919876500001",
      "+919876500001",
      "00919876500001",
      "+91 98765 00001",
      "91-9876500001",
      " 919876500001",
    ];
    const messages = await Promise.all(forms.map((source) => messageOf({ id: "1", source })));
    expect(new Set(messages.map(({ source }) => source))).toEqual(new Set(["+919876500001"]));
    expect(new Set(messages.map(({ key }) => key)).size).toBe(1);
    expect(messages.map(({ fields }) => fields.source)).toEqual(forms);
  });
});

describe("a value of a JSON body", () => {
  it("becomes a string, with exactly the digits that were sent", async () => {
    const { sms, messages } = recorder();
    const body = `{"source":919876543210,"recipient":575757,"id":12345678901234567890,"message":1e3,
      "kid" : -0.10 , "flag":true, "other":false, "operator":null, "n\\"um":1.50, "circle": 7}`;
    await sms.receive({ method: "POST", body });
    expect(messages[0]?.fields).toEqual({
      source: "919876543210",
      recipient: "575757",
      id: "12345678901234567890",
      message: "1e3",
      kid: "-0.10",
      flag: "true",
      other: "false",
      'n"um': "1.50",
      circle: "7",
    });
  });

  it("must be a scalar", async () => {
    expect(await issuesOf('{"id":["1"],"source":{"a":[1,{"b":"}"}]},"recipient":"2","message":{}}')).toEqual([
      ["id", "scalar"],
      ["source", "scalar"],
      ["message", "scalar"],
    ]);
    expect(await issuesOf(JSON.stringify(callback({ tenant: { a: 1 } })))).toEqual([["(other)", "scalar"]]);
  });

  it("counts as absent if it is null, which is an issue for a required field", async () => {
    const message = await messageOf({ keyword: null, kid: null, tenant: null });
    expect(message).not.toHaveProperty("keyword");
    expect(message.fields).not.toHaveProperty("tenant");
    expect(await issuesOf(JSON.stringify(callback({ id: null, source: null })))).toEqual([
      ["source", "required"],
      ["id", "required"],
    ]);
  });

  it("is an empty text if it is null in message", async () => {
    expect(await messageOf({ message: null, keyword: "SAMPLE" })).toMatchObject({ text: "", fields: { message: "" } });
    const { sms, messages } = recorder();
    for (const contentType of ["application/json", "application/x-www-form-urlencoded"])
      await sms.receive({ method: "POST", contentType, body: callback({ message: null }) });
    expect(messages.map(({ text }) => text)).toEqual(["", ""]);
  });
});

describe("an absent field", () => {
  it("is empty, or a placeholder that was not replaced", async () => {
    const message = await messageOf({
      keyword: "",
      kid: "<kid>",
      operator: "<circle>",
      circle: "<ref_custom>",
      tenant: "<parts[2]>",
      timestamp: "<parts[n]>",
      description: "<other>",
    });
    expect(Object.keys(message.fields).sort()).toEqual(["description", "id", "message", "recipient", "source"]);
    expect(message.description).toBe("<other>");
    expect(await issuesOf(JSON.stringify(callback({ id: "", source: "<source>" })))).toEqual([
      ["source", "required"],
      ["id", "required"],
    ]);
  });

  it("is never the message: an empty string and a placeholder are texts", async () => {
    expect((await messageOf({ message: "" })).text).toBe("");
    expect((await messageOf({ message: "<message>" })).text).toBe("<message>");
    expect((await messageOf({ message: "<operator>" })).text).toBe("<operator>");
  });

  it("is replaced by `to` if it is the recipient", async () => {
    const message = await messageOf({ recipient: "<recipient>", to: "919812345678" });
    expect(message.recipient).toBe("+919812345678");
    expect(message.fields).toMatchObject({ to: "919812345678" });
    expect((await messageOf({ recipient: "1", to: "2" })).recipient).toBe("1");
    expect(await issuesOf(JSON.stringify(callback({ recipient: "", to: "<recipient>" })))).toEqual([
      ["recipient", "required"],
    ]);
  });
});

describe("parts", () => {
  it.each([
    ["STOP testing message", ["STOP", "testing", "message"]],
    ["  a\t b\r\n\r\nc ", ["a", "b", "c"]],
    ["a\u00a0b\u2003c\u3000d\u0085e\u2028f", ["a", "b", "c", "d", "e", "f"]],
    ["a\ufeffb\u200bc", ["a\ufeffb\u200bc"]],
  ])("of %j are the words of the text", async (message, parts) => {
    expect((await messageOf({ message, "parts[1]": "x" })).parts).toEqual(parts);
  });

  it("are split at every white space of Unicode and nothing else", async () => {
    const { sms, messages } = recorder();
    const characters = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code));
    const isSplit: string[] = [];
    for (let n = 0; n < characters.length; n += 4_096) {
      const some = characters.slice(n, n + 4_096);
      await sms.receive({ method: "POST", body: callback({ message: some.map((one) => `a${one}b`).join(" ") }) });
      const words = new Set(messages.pop()?.parts);
      isSplit.push(...some.filter((one) => !words.has(`a${one}b`)));
    }
    const codes = (some: readonly string[]): string[] => some.map((one) => one.charCodeAt(0).toString(16));
    expect(codes(isSplit)).toEqual(codes(characters.filter((one) => /\p{White_Space}/u.test(one))));
  });

  it("are the parts that were sent, in order, if the text has no words", async () => {
    const sent = {
      "parts[10]": "j",
      "parts[2]": "b",
      "parts[n]": "n",
      "parts[1]": "a",
      "parts[3]": "",
      "parts[0]": "?",
    };
    expect((await messageOf({ message: " ", keyword: "K", ...sent })).parts).toEqual(["a", "b", "j", "n"]);
  });

  it("are the keyword if no parts were sent either", async () => {
    expect((await messageOf({ message: "", keyword: "ACME CLUB" })).parts).toEqual(["ACME CLUB"]);
    expect((await messageOf({ message: "" })).parts).toEqual([]);
  });
});

describe("a query", () => {
  it("may quote its values: one pair of quotes is removed from each", async () => {
    const message = await messageOfQuery(
      `id="1"&source="+919876543210"&recipient=%22%2B919812345678%22&message=""hi""&operator="&circle="a"b"&kid=""`,
    );
    expect(message).toMatchObject({
      id: "1",
      source: "+919876543210",
      recipient: "+919812345678",
      text: '"hi"',
      operator: '"',
      circle: 'a"b',
    });
    expect(message).not.toHaveProperty("kid");
  });

  it("keeps the quotes around typed text if the id is not quoted", async () => {
    const message = await messageOfQuery('id=1&source="1"&recipient=2&message="hi"&parts[1]="hi"&keyword="A"');
    expect(message).toMatchObject({ text: '"hi"', keyword: "A", source: "1" });
    expect(message.fields["parts[1]"]).toBe('"hi"');
  });

  it("reads a plus as a space, except at the head of a phone number", async () => {
    const message = await messageOfQuery("id=a+b&source=+919876543210&to=+91981+2345678&message=1%2B1+%3D+2");
    expect(message).toMatchObject({ id: "a b", source: "+919876543210", recipient: "+919812345678", text: "1+1 = 2" });
    expect(message.fields.to).toBe("+91981 2345678");
  });

  it.each([
    "source=919876500001",
    "source=+919876500001",
    "source=%2B919876500001",
    "source=+91+98765+00001",
    'source="+91%2098765%2000001"',
    "source=00919876500001",
    "source=91-9876500001",
    "source=%20919876500001",
  ])("may have a number in any form: %s", async (source) => {
    const message = await messageOfQuery(`id=1&${source}&recipient=5050`);
    expect([message.source, message.recipient]).toEqual(["+919876500001", "5050"]);
  });

  it("keeps broken escapes unchanged", async () => {
    const message = await messageOfQuery(
      "id=1&source=1&recipient=2&message=100%+%41%zz%E0%A4%A%e0%a4%b0%ff%C3%A9%F0%9F%98%80%f0%9f%",
    );
    expect(message.text).toBe("100% A%zz%E0%A4%Aर%ffé😀%f0%9f%");
  });

  it("reads parts[1] and parts%5B1%5D as the same field", async () => {
    const message = await messageOfQuery("id=1&source=1&recipient=2&parts%5B1%5D=a&parts[2]=b&parts[1]=a");
    expect(message.parts).toEqual(["a", "b"]);
  });

  it("accepts a variable sent twice with one value, and rejects a field sent with two", async () => {
    const message = await messageOfQuery(
      'id=1&id="1"&source=1&recipient=2&type=a&type=b&keyword=<keyword>&keyword=A&&=x&flag',
    );
    expect(message.fields).toEqual({ id: "1", source: "1", recipient: "2", type: "a", keyword: "A", "": "x" });
    const { sms, invalid } = recorder();
    expect(await sms.receive({ method: "GET", query: "id=1&source=1&to=2&to=3" })).toMatchObject({ status: 400 });
    expect(invalid.pop()).toMatchObject({ code: "duplicate-field", issues: [{ field: "to", rule: "repeated" }] });
    const query = "id=1&source=1&source=3&recipient=2&parts[1]=a&parts[1]=b";
    expect(await sms.receive({ method: "GET", query })).toMatchObject({ outcome: "invalid", status: 400 });
    expect(invalid[0]).toMatchObject({
      code: "duplicate-field",
      issues: [
        { field: "source", rule: "repeated" },
        { field: "parts[1]", rule: "repeated" },
      ],
    });
  });
});

it("keeps the quotes around the values of a form: only a query can have the provider's quotes", async () => {
  const { sms, messages } = recorder();
  const contentType = "application/x-www-form-urlencoded";
  await sms.receive({ method: "POST", contentType, body: 'id="1"&source=1&recipient=2&message="hi"&keyword="A"' });
  expect(messages).toMatchObject([{ id: '"1"', text: '"hi"', keyword: '"A"' }]);
});

describe("a field with a name that every object inherits", () => {
  it("is read like any other field", async () => {
    const { sms, messages } = recorder();
    const body =
      '{"id":"1","source":"1","recipient":"2","message":"x","__proto__":"a","constructor":"b","toString":"c"}';
    await sms.receive({ method: "POST", body });
    await sms.receive({
      method: "GET",
      query: "id=2&source=1&recipient=2&keyword=k&__proto__=a&constructor=b&toString=c",
    });
    for (const { fields } of messages) {
      expect(Object.getOwnPropertyDescriptor(fields, "__proto__")?.value).toBe("a");
      expect([fields.constructor, fields.toString]).toEqual(["b", "c"]);
      expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    }
    expect(messages).toHaveLength(2);
  });

  it("does not replace missing fields", async () => {
    expect(await issuesOf('{"__proto__":{"id":"1","source":"1","recipient":"2","message":"x"}}')).toEqual([
      ["(other)", "scalar"],
      ["recipient", "required"],
      ["source", "required"],
      ["id", "required"],
      ["message", "required"],
    ]);
  });
});

describe("a content type", () => {
  it.each([
    undefined,
    "application/json",
    "Application/JSON; charset=UTF-8",
    'application/json; charset="utf8"',
    "application/vnd.kaleyra+json",
    "text/plain",
    "text/html;charset=utf-8",
    "application/x-www-form-urlencoded",
  ])("of %s is read as JSON", async (contentType) => {
    const { sms, messages } = recorder();
    await sms.receive({ method: "POST", contentType, body: JSON.stringify(callback({ message: "✓" })) });
    expect(messages[0]?.text).toBe("✓");
  });

  it.each([
    undefined,
    "",
    "application/json",
    "Application/JSON; charset=UTF-8",
    "application/vnd.kaleyra+json",
    "text/plain",
  ])("of %s is JSON for a parsed body, too: a number that lost digits is rejected", async (contentType) => {
    const { sms, invalid } = recorder();
    await sms.receive({ method: "POST", contentType, body: callback({ id: 12345678901234567000 }) });
    expect(invalid[0]?.issues).toMatchObject([{ field: "id", rule: "digits" }]);
  });

  it.each([
    ["utf-16le", Buffer.from("\ufeff" + JSON.stringify(callback({ message: "é" })), "utf16le")],
    ["iso-8859-1", Buffer.from(JSON.stringify(callback({ message: "é" })), "latin1")],
    ["utf-8", Buffer.from("\ufeff" + JSON.stringify(callback({ message: "é" })))],
    ["windows-1252", Buffer.from(JSON.stringify(callback({ message: "é" })), "latin1")],
    ["'iso-8859-1'", Buffer.from(JSON.stringify(callback({ message: "é" })), "latin1")],
  ])("with charset %s is decoded", async (charset, body) => {
    const { sms, messages } = recorder();
    await sms.receive({ method: "POST", contentType: `application/json; charset=${charset}`, body });
    expect(messages[0]?.text).toBe("é");
  });
});

it("does not decode windows-1252 as ISO 8859-1", async () => {
  const { sms, messages } = recorder();
  const body = Buffer.from(JSON.stringify(callback({ message: "\x80" })), "latin1");
  await sms.receive({ method: "POST", contentType: "text/plain; charset=windows-1252", body });
  expect(messages[0]?.text).toBe("€");
});

it("accepts a byte order mark at the head of a text", async () => {
  const { sms, messages } = recorder();
  await sms.receive({ method: "POST", body: `\ufeff${JSON.stringify(callback({ message: "é" }))}` });
  expect(messages[0]?.text).toBe("é");
});

describe("options.timeZone", () => {
  const triggeredAt = async (timestamp: string, timeZone: string): Promise<string | undefined> =>
    (await messageOf({ timestamp }, { timeZone })).triggeredAt;

  it("adds the instant of the timestamp", async () => {
    expect(await triggeredAt("2025-04-17 18:35:20", "Asia/Kolkata")).toBe("2025-04-17T13:05:20.000Z");
    expect(await triggeredAt("2025-01-01 00:00:00", "UTC")).toBe("2025-01-01T00:00:00.000Z");
    expect(await triggeredAt("2025-07-01 12:00:00", "Europe/Rome")).toBe("2025-07-01T10:00:00.000Z");
    expect(await messageOf({ timestamp: "2025-04-17 18:35:20" })).not.toHaveProperty("triggeredAt");
  });

  it("adds the right instant for each of many repeated timestamps", async () => {
    const { sms, messages } = recorder({ timeZone: "Asia/Kolkata", deduplicate: false });
    for (let n = 0; n < 2_400; n++) {
      const second = new Date(Date.UTC(2025, 3, 17, 0, 0, n % 1_200)).toISOString();
      const timestamp = second.slice(0, 19).replace("T", " ");
      await sms.receive({ method: "POST", body: callback({ timestamp }) });
      const instant = new Date(Date.parse(second) - 5.5 * 3_600_000).toISOString();
      expect(messages.pop()?.triggeredAt).toBe(instant);
    }
  });

  it("ignores the app's global settings of Luxon", async () => {
    Object.assign(Settings, { throwOnInvalid: true, defaultNumberingSystem: "beng", defaultOutputCalendar: "islamic" });
    try {
      expect(await triggeredAt("2025-04-17 18:35:20", "Asia/Kolkata")).toBe("2025-04-17T13:05:20.000Z");
      expect(await triggeredAt("17/04/2025 18:35", "Asia/Kolkata")).toBeUndefined();
    } finally {
      Object.assign(Settings, { throwOnInvalid: false, defaultNumberingSystem: null, defaultOutputCalendar: null });
    }
  });

  it.each([
    ["an hour that the clocks skip", "2025-03-30 02:30:00"],
    ["an hour that the clocks repeat", "2025-10-26 02:30:00"],
    ["a day that does not exist", "2025-02-29 12:00:00"],
    ["a day that does not exist in any month", "2025-04-32 12:00:00"],
    ["an hour that does not exist", "2025-04-17 24:00:00"],
    ["a timestamp of another form", "17/04/2025 18:35"],
    ["a timestamp with trailing text", "2025-04-17 18:35:20Z"],
  ])("adds no instant for %s", async (_, timestamp) => {
    expect(await triggeredAt(timestamp, "Europe/Rome")).toBeUndefined();
  });
});
