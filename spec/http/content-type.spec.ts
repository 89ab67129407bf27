// Content types as senders write them: the body's first character shows what the body is.

import { describe, expect, it, jest } from "@jest/globals";
import express from "express";
import request from "supertest";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { recorder } from "../support/recorder";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const FORM = "application/x-www-form-urlencoded";
const UNKNOWN = [
  "*/*; charset=UTF-8",
  "application/octet-stream",
  "json",
  "text/json",
  "text/plain",
  "text/html; charset=utf-8",
  "application/x-json",
  "charset=utf-8",
  "undefined",
];
const JSON_TYPES = [
  "application/json",
  "application/json, application/json",
  "application/json;charset=utf-8,application/json;charset=utf-8",
  "application/json charset=UTF-8",
  "Application/JSON; charset='utf8'",
  "application/json; charset=utf8mb4",
  "application/json; xcharset=utf-16le",
  "application/vnd.kaleyra+json",
];
const asJson = (): string => JSON.stringify(callback({ message: "é ✓" }));
const asForm = (): string => new URLSearchParams(callback({ message: "é ✓" }) as Record<string, string>).toString();

describe.each(EXPRESS)("in %s", (_, framework) => {
  const send = async (contentType: string | undefined, body: string, before: express.RequestHandler[] = []) => {
    const { sms, messages, invalid } = recorder();
    const app = framework();
    for (const one of before) app.use(one);
    app.use("/sms", sms);
    const post = request(app).post("/sms");
    if (contentType === undefined) post.unset("Content-Type");
    else post.set("Content-Type", contentType);
    const { status } = await post.serialize((sent: unknown) => sent as string).send(Buffer.from(body));
    return { status, text: messages[0]?.text, code: invalid[0]?.code, detail: invalid[0]?.detail };
  };
  const received = { status: 200, text: "é ✓" };

  it.each([...UNKNOWN, ...JSON_TYPES, FORM])("JSON is received as %s", async (type) => {
    for (const body of [asJson(), `\n${asJson()}`, `\r\n \t\ufeff${asJson()}\n`, `\ufeff\n${asJson()}`]) {
      expect(await send(type, body)).toMatchObject(received);
      expect(await send(type, body, [express.json({ type: "x/y" }), express.raw({ type: () => true })])).toMatchObject(
        received,
      );
    }
  });

  // Types that express.json() knows but cannot read are answered by itself.
  it.each([...UNKNOWN, "application/json, application/json", "application/json"])(
    "JSON is received as %s behind express.json() and express.urlencoded()",
    async (type) => {
      const parsers = [express.json(), express.urlencoded({ extended: true })];
      expect(await send(type, asJson(), parsers)).toMatchObject(received);
    },
  );

  it.each([...UNKNOWN, FORM])("a form is received as %s", async (type) => {
    expect(await send(type, asForm())).toMatchObject(received);
    expect(await send(type, `\n${asForm()}`)).toMatchObject(received);
  });

  it.each(JSON_TYPES)("a form is malformed as %s", async (type) => {
    expect(await send(type, asForm())).toMatchObject({ status: 400, code: "malformed-body" });
  });

  it.each(["application/xml", "text/xml; charset=utf-8", "application/soap+xml", "multipart/form-data; boundary=x"])(
    "%s is 415, and the detail says what to choose in the console",
    async (type) => {
      expect(await send(type, "<a/>")).toMatchObject({
        status: 415,
        code: "unsupported-media-type",
        detail: expect.stringContaining("in the console, choose JSON"),
      });
    },
  );

  it("a line break before JSON under a form's type is told to the app whose form parser took it apart", async () => {
    expect(await send(FORM, `\n${asJson()}`, [express.urlencoded({ extended: false })])).toMatchObject({
      status: 400,
      detail: expect.stringContaining("mount the router before it"),
    });
  });
});

it.each([...UNKNOWN, ...JSON_TYPES, FORM])("sms.fetch and sms.receive read JSON as %s", async (type) => {
  const { sms, messages } = recorder();
  const headers = { "Content-Type": type };
  await sms.fetch(new Request("https://example.com/sms", { method: "POST", headers, body: `\n${asJson()}` }));
  await sms.receive({ method: "POST", contentType: type, body: `\n\ufeff${asJson()}` });
  await sms.receive({ method: "POST", contentType: type, body: Buffer.from(asJson()) });
  expect(messages.map(({ text }) => text)).toEqual(["é ✓", "é ✓", "é ✓"]);
});

it("a body without a content type is read", async () => {
  const { sms, messages } = recorder();
  for (const body of [asJson(), asForm()]) {
    const sent = new Request("https://example.com/sms", { method: "POST", body: Buffer.from(body) });
    expect(sent.headers.get("content-type")).toBeNull();
    await sms.fetch(sent);
    await sms.receive({ method: "POST", body });
  }
  expect(messages.map(({ text }) => text)).toEqual(["é ✓", "é ✓"]);
});
