// Bytes that are not valid in the charset of a body: half an emoji loses no SMS, and nothing else may be damaged.

import { describe, expect, it, jest } from "@jest/globals";
import express from "express";
import request from "supertest";
import { callbackProfile, type Callback } from "express-kaleyra-sms";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { recorder, type SomeOptions } from "../support/recorder";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const FORM = "application/x-www-form-urlencoded";
const HALF_AN_EMOJI = "\xed\xa0\xbd";
const CESU_8 = "\xed\xa0\xbd\xed\xb8\x80";
const PROFILE = callbackProfile({ method: "POST", url: "https://example.com/sms", statics: { tenant: "acme" } });
const VALUES = { id: "1", source: "919876543210", recipient: "5050", keyword: "SAMPLE" };

/** A body, one character a byte. The text is in UTF-8, with the bytes of `damage` in place of `*`. */
const bytesOf = (body: string, damage: string): Buffer =>
  Buffer.from(Buffer.from(body).toString("latin1").replaceAll("*", damage), "latin1");

const json = (
  fields: Record<string, unknown>,
  damage: string,
): Extract<Callback, { method: "POST" }> & { body: Buffer } => ({
  method: "POST",
  body: bytesOf(JSON.stringify(callback(fields)), damage),
  contentType: "application/json",
});

async function read(sent: Callback, options: SomeOptions = {}) {
  const { message, problem } = await recorder(options).sms.receive(sent);
  return { text: message?.text, damaged: message?.damaged, code: problem?.code };
}

describe("a text with damaged bytes", () => {
  it.each([
    ["half an emoji", HALF_AN_EMOJI, "\ufffd\ufffd\ufffd"],
    ["a Latin-1 byte", "\xe9", "\ufffd"],
    ["a cut character", "\xe2\x82", "\ufffd"],
    ["an overlong form", "\xc0\xaf", "\ufffd\ufffd"],
    ["a low surrogate before a high one", "\xed\xb8\x80\xed\xa0\xbd", "\ufffd".repeat(6)],
    ["a high surrogate before a pair", `${HALF_AN_EMOJI}${CESU_8}`, "\ufffd\ufffd\ufffd😀"],
  ])("arrives with U+FFFD for %s, and is damaged", async (_, damage, text) => {
    const expected = { text: `é ${text}!`, damaged: true, code: undefined };
    expect(await read(json({ message: "é *!" }, damage))).toEqual(expected);
    const raw = bytesOf("id=1&source=1&recipient=2&message=%C3%A9+*!", damage);
    expect(await read({ method: "POST", body: raw, contentType: FORM })).toEqual(expected);
    const { body } = PROFILE.render({ ...VALUES, message: 'say "é" *!' }, { escaping: "none" });
    for (const escaping of ["auto", "none"] as const) {
      const unescaped: Callback = { method: "POST", body: bytesOf(body, damage) };
      expect(await read(unescaped, { escaping, profile: PROFILE })).toEqual({
        ...expected,
        text: `say "é" ${text}!`,
      });
    }
  });

  it("arrives exactly if each surrogate pair is whole, anywhere in the body", async () => {
    expect(await read(json({ message: "é *!" }, CESU_8))).toEqual({ text: "é 😀!", damaged: false, code: undefined });
    const { sms } = recorder();
    const { message } = await sms.receive(json({ message: "m", operator: "*", "tenant*": "acme" }, CESU_8));
    expect(message).toMatchObject({ operator: "😀", damaged: false, fields: { "tenant😀": "acme" } });
    const first = await sms.receive(json({ message: "*" }, "\xed\xaf\xbf\xed\xbf\xbf\xed\xa0\x80\xed\xb0\x80"));
    expect(first.message).toMatchObject({ text: "\u{10ffff}\u{10000}", damaged: false });
  });

  it("arrives with damaged parts", async () => {
    const sent = json({ message: "x", "parts[1]": "*", "parts[n]": "*" }, HALF_AN_EMOJI);
    expect((await recorder().sms.receive(sent)).message).toMatchObject({
      damaged: true,
      fields: { "parts[1]": "\ufffd\ufffd\ufffd", "parts[n]": "\ufffd\ufffd\ufffd" },
    });
  });

  it("is damaged in another charset, too", async () => {
    for (const [charset, damage] of [
      ["shift_jis", "\xfd\xff"],
      ["gb18030", "\xff"],
    ] as const) {
      const contentType = `application/json; charset=${charset}`;
      const { text, damaged } = await read({ ...json({ message: "a*" }, damage), contentType });
      expect([text?.replace(/\ufffd+$/, "\ufffd"), damaged]).toEqual(["a\ufffd", true]);
      expect(await read({ ...json({ message: "a", kid: "*" }, damage), contentType })).toMatchObject({
        code: "malformed-body",
      });
    }
  });

  it("is not damaged if U+FFFD was sent, or a lone surrogate is escaped, or an escape is no UTF-8", async () => {
    expect(await read(json({ message: "\ufffd\ufffe" }, ""))).toMatchObject({ text: "\ufffd\ufffe", damaged: false });
    // Neither does it become damage beside a byte that is.
    expect(await read(json({ message: "\ufffd*\ufffe", operator: "\ufffd" }, "\xff"))).toEqual({
      text: "\ufffd\ufffd\ufffe",
      damaged: true,
      code: undefined,
    });
    expect(await read(json({ message: "\ufffd" }, CESU_8))).toMatchObject({ text: "\ufffd", damaged: false });
    const escaped = JSON.stringify(callback({ message: "@" })).replace("@", "\\ud83d");
    expect(await read({ method: "POST", body: Buffer.from(escaped) })).toMatchObject({
      text: "\ud83d",
      damaged: false,
    });
    const { sms, messages } = recorder();
    await sms.receive({
      method: "POST",
      contentType: FORM,
      body: Buffer.from("id=1&source=1&recipient=2&message=%ED%A0%BD"),
    });
    await sms.receive({ method: "GET", query: "id=2&source=1&recipient=2&message=%ED%A0%BD" });
    await sms.receive({ method: "POST", body: JSON.stringify(callback({ message: "\ufffd" })) });
    expect(messages.map(({ text, damaged }) => [text, damaged])).toEqual([
      ["%ED%A0%BD", false],
      ["%ED%A0%BD", false],
      ["\ufffd", false],
    ]);
  });
});

describe("damage outside of the text", () => {
  it.each<[where: string, fields: Record<string, unknown>]>([
    ["another field", { id: "1*" }],
    ["another field, beside damage in the text", { message: "*", keyword: "*" }],
    ["a static field", { tenant: "*" }],
    ["a key", { "key*": "x" }],
    ["the key of the text", { "message*": "x" }],
    ["a nested value", { message: "m", x: ["*"] }],
  ])("makes a body malformed: %s", async (_, fields) => {
    expect(await read(json(fields, HALF_AN_EMOJI))).toMatchObject({ code: "malformed-body" });
    const form = Object.entries(callback(fields)).map(([name, value]) => `${name}=${String(value)}`);
    const body = bytesOf(form.join("&"), HALF_AN_EMOJI);
    expect(await read({ method: "POST", body, contentType: FORM })).toMatchObject({ code: "malformed-body" });
  });

  it.each([
    ["before the body", (body: string) => `*${body}`],
    ["between two fields", (body: string) => body.replace(",", ",*")],
    ["in a name of the template", (body: string) => body.replace("kid", "k*d")],
    ["in a value of the template's own", (body: string) => body.replace("acme", "ac*e")],
    ["in a static text, beside damage in the message", (body: string) => body.replace("acme", "*").replace("hi", "*")],
    ["in another variable", (body: string) => body.replace("SAMPLE", "*")],
    ["after the body", (body: string) => `${body}*`],
  ])("makes a body malformed: %s", async (_, change) => {
    for (const escaping of ["auto", "none", "json"] as const) {
      const { body } = PROFILE.render(
        { ...VALUES, message: 'say "hi"' },
        { escaping: escaping === "json" ? "json" : "none" },
      );
      const sent: Callback = { method: "POST", body: bytesOf(change(body), HALF_AN_EMOJI) };
      expect(await read(sent, { escaping, profile: PROFILE })).toMatchObject({ code: "malformed-body" });
    }
  });

  it("leaves the bytes to the handler of invalid", async () => {
    const { sms, invalid } = recorder();
    const sent = json({ operator: "*" }, HALF_AN_EMOJI);
    await sms.receive(sent);
    expect(invalid[0]?.raw).toEqual(sent.body);
    expect(invalid[0]?.detail).toContain("not valid in its charset");
  });
});

describe("a damaged text that is ambiguous or repeated", () => {
  it("keeps its own code", async () => {
    const profile = callbackProfile({ method: "POST", url: "https://example.com/sms", fields: ["message"], parts: 1 });
    const several = bytesOf('{"message":"*a","parts[1]":"b","parts[1]":"c"}', "\xff");
    expect(await read({ method: "POST", body: several }, { profile, escaping: "none" })).toMatchObject({
      code: "ambiguous-body",
    });
    // Its two values are the same only after damage has become U+FFFD.
    const form = bytesOf("id=1&source=1&recipient=2&message=\ufffd&message=*", "\xff");
    expect(await read({ method: "POST", body: form, contentType: FORM })).toMatchObject({ code: "malformed-body" });
  });
});

describe.each(EXPRESS)("in %s, damage in the text", (_, framework) => {
  it.each([
    ["nothing", []],
    ["express.raw()", [express.raw({ type: () => true })]],
    ["express.json() for another type", [express.json()]],
  ])("arrives behind %s, and through sms.fetch", async (_name, before) => {
    const { sms, messages } = recorder();
    const app = framework();
    for (const one of before) app.use(one);
    app.use("/sms", sms);
    const { body } = json({ message: "half *" }, HALF_AN_EMOJI);
    await request(app)
      .post("/sms")
      .set("Content-Type", "text/plain")
      .serialize((sent: unknown) => sent as string)
      .send(body)
      .expect(200);
    const again = json({ message: "half *" }, HALF_AN_EMOJI).body;
    expect((await sms.fetch(new Request("https://example.com/sms", { method: "POST", body: again }))).status).toBe(200);
    expect(messages.map(({ text, damaged }) => [text, damaged])).toEqual([
      ["half \ufffd\ufffd\ufffd", true],
      ["half \ufffd\ufffd\ufffd", true],
    ]);
  });
});

it.each([
  ["UTF-16 in network order", "utf-16", Buffer.from("\ufeff", "utf16le").swap16(), true],
  ["UTF-16 in network order, without a charset", "", Buffer.from("\ufeff", "utf16le").swap16(), true],
  ["UTF-16 in the order of PCs, without a charset", "", Buffer.from("\ufeff", "utf16le"), false],
  ["UTF-8 that is called Latin-1", "iso-8859-1", Buffer.from("\ufeff"), undefined],
])("a byte order mark says what the text is: %s", async (_, charset, mark, isSwapped) => {
  const text = JSON.stringify(callback({ message: "é 😀" }));
  const bytes = Buffer.from(text, isSwapped === undefined ? "utf8" : "utf16le");
  const body = Buffer.concat([mark, isSwapped === true ? bytes.swap16() : bytes]);
  const contentType = charset === "" ? "application/json" : `application/json; charset=${charset}`;
  expect(await read({ method: "POST", body, contentType })).toEqual({ text: "é 😀", damaged: false, code: undefined });
});
