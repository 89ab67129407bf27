// The callbacks on the provider's page, in every version of Express and behind common middleware.

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import compression from "compression";
import cors from "cors";
import type { Express } from "express";
import helmet from "helmet";
import hpp from "hpp";
import morgan from "morgan";
import request from "supertest";

import { PRINTED_ENDPOINT, PRINTED_GET, PRINTED_POST } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { closeServers, listen, open, recorder, untilClosed, type Recorder } from "../support/recorder";

afterEach(closeServers);

const REGISTERED = ["SAMPLE", "UNSUBSCRIBE", "SUBSCRIBE"];

function withKeywords(options?: Parameters<typeof recorder>[0]): Recorder {
  const recorded = recorder(options);
  recorded.sms.keyword(REGISTERED, () => undefined);
  return recorded;
}

function expectPrintedPost({ messages, keywords, invalid, unmatched }: Recorder): void {
  expect(invalid).toEqual([]);
  expect(unmatched).toEqual([]);
  expect(messages).toHaveLength(1);
  expect(messages[0]).toEqual({
    id: "90eXXXXX-8865-4a96-85b6-4XXXXXXXXX48",
    key: expect.stringMatching(/^[\w-]{43}$/),
    kid: "90e74b4c-8XXX-4a96-85b6-44XXXXXXX08",
    description: "Message has been sent",
    status: "SENT",
    statusTrace: "SENT",
    source: "91XXXXXXXXXX",
    recipient: "+91XXXXXXXXXX",
    text: "UNSUBSCRIBE THE OFFER message",
    keyword: "SAMPLE",
    parts: ["UNSUBSCRIBE", "THE", "OFFER", "message"],
    operator: "JIO",
    circle: "JIO ASSAM",
    timestamp: "2025-04-17 18:35:20",
    receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    method: "POST",
    repaired: false,
    damaged: false,
    fields: JSON.parse(PRINTED_POST) as unknown,
  });
  expect(keywords.map(({ keyword, by, args, rest }) => ({ keyword, by, args, rest }))).toEqual([
    { keyword: "UNSUBSCRIBE", by: "text", args: ["THE", "OFFER", "message"], rest: "THE OFFER message" },
    {
      keyword: "SAMPLE",
      by: "field",
      args: ["UNSUBSCRIBE", "THE", "OFFER", "message"],
      rest: "UNSUBSCRIBE THE OFFER message",
    },
  ]);
}

function expectPrintedGet({ messages, keywords, invalid }: Recorder): void {
  expect(invalid).toEqual([]);
  expect(messages).toHaveLength(1);
  expect(messages[0]).toMatchObject({
    id: "90e74b4c-8865-4a96-85b6-4406e4XXXX48",
    kid: "90e74b4c-8865-4a96-85b6-4406eXXXXXXX",
    description: "Message has been sent",
    status: "SENT",
    statusTrace: "SENT",
    source: "918240XXXXXX",
    recipient: "91987XXXXXXX",
    text: "SUBSCRIBE THE OFFER message",
    keyword: "SAMPLE",
    parts: ["SUBSCRIBE", "THE", "OFFER", "message"],
    operator: "Airtel",
    circle: "Airtel-Karnataka",
    method: "GET",
    repaired: false,
    damaged: false,
  });
  expect(messages[0]?.fields["parts[1]"]).toBe("SAMPLE");
  expect(keywords.map(({ keyword, by }) => [keyword, by])).toEqual([
    ["SUBSCRIBE", "text"],
    ["SAMPLE", "field"],
  ]);
}

/** Sends a GET exactly as the provider prints it: with quotes and brackets that are not escaped. */
async function getAsPrinted(app: Express, path: string, query: string): Promise<string> {
  const socket = await open(await listen(app));
  const received = untilClosed(socket);
  socket.write(`GET ${path}?${query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return received;
}

describe.each(EXPRESS)("the printed callbacks in %s", (_, express) => {
  it.each(["simple", "extended", false])("arrive with `query parser` set to %p", async (parser) => {
    const get = withKeywords();
    const app = express().set("query parser", parser).use("/sms", get.sms);
    expect(await getAsPrinted(app, "/sms", PRINTED_GET)).toMatch(/^HTTP\/1.1 200 OK/);
    expectPrintedGet(get);

    const post = withKeywords();
    const postApp = express().set("query parser", parser).use("/sms", post.sms);
    await request(postApp).post("/sms").type("json").send(PRINTED_POST).expect(200, "");
    expectPrintedPost(post);
  });

  const keepRaw = (req: object, _res: object, buffer: Buffer): void => void Object.assign(req, { rawBody: buffer });
  it.each([
    ["nothing", []],
    ["express.json()", [express.json()]],
    ["express.urlencoded({ extended: true })", [express.urlencoded({ extended: true })]],
    ['express.text({ type: "*/*" })', [express.text({ type: "*/*" })]],
    ['express.raw({ type: "*/*" })', [express.raw({ type: "*/*" })]],
    ["a platform that keeps rawBody", [express.json({ verify: keepRaw })]],
    [
      "helmet, compression, cors, morgan and hpp",
      [
        helmet(),
        compression({ threshold: 0 }),
        cors(),
        morgan("tiny", { stream: { write: () => undefined } }),
        express.urlencoded({ extended: true }),
        hpp(),
      ],
    ],
  ])("arrive behind %s", async (_name, middlewares) => {
    const post = withKeywords();
    const get = withKeywords();
    const app = express();
    for (const middleware of middlewares) app.use(middleware);
    app.use("/post", post.sms).use("/get", get.sms);
    await request(app).post("/post").type("json").send(PRINTED_POST).expect(200, "");
    expectPrintedPost(post);
    expect(await getAsPrinted(app, "/get", PRINTED_GET)).toMatch(/^HTTP\/1.1 200 OK/);
    expectPrintedGet(get);
  });

  it.each([true, false])("arrive as a form behind express.urlencoded({ extended: %p })", async (extended) => {
    const { sms, messages, invalid } = recorder();
    const app = express().use(express.urlencoded({ extended })).use("/sms", sms);
    const body =
      "id=1&source=%2B919876543210&recipient=+919812345678&type=a&type=a&message=A%26B+c&parts[2]=y&parts[1]=x";
    await request(app).post("/sms").type("form").send(body).expect(200);
    expect(invalid).toEqual([]);
    expect(messages[0]).toMatchObject({ source: "+919876543210", recipient: "+919812345678", text: "A&B c" });
    expect(messages[0]?.fields).toMatchObject({ type: "a", "parts[1]": "x", "parts[2]": "y" });
    await request(app).post("/sms").type("form").send(`${body}&id=2`).expect(400);
    expect(invalid).toMatchObject([{ code: "duplicate-field", issues: [{ field: "id", rule: "repeated" }] }]);
  });

  it("arrive through app.all and in a nested Router", async () => {
    for (const mount of [
      (sms: Recorder["sms"]) => express().all("/sms", sms),
      (sms: Recorder["sms"]) => express().use("/a", express.Router().use("/b", express.Router().all("/sms", sms))),
    ]) {
      const recorded = withKeywords();
      const app = mount(recorded.sms);
      const path = (await request(app).head("/sms")).status === 200 ? "/sms" : "/a/b/sms";
      await request(app).post(path).type("json").send(PRINTED_POST).expect(200, "");
      expectPrintedPost(recorded);
      const get = withKeywords();
      expect(await getAsPrinted(mount(get.sms), path, PRINTED_GET)).toMatch(/^HTTP\/1.1 200 OK/);
      expectPrintedGet(get);
    }
  });
});

describe("the printed GET endpoint, which has neither message nor keyword", () => {
  it("makes a message without a text, and one process warning names the variables to append", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    try {
      const { sms, messages } = recorder();
      for (const id of ["one", "two"]) {
        const filled = PRINTED_ENDPOINT.replace(/<(\w+)>/g, (_, name: string) =>
          name === "id" ? id : name === "status" ? "SENT" : name === "source" ? "+919876543210" : `a-${name}`,
        );
        expect(await sms.receive({ method: "GET", query: filled })).toMatchObject({ status: 200, outcome: "handled" });
      }
      expect(messages).toHaveLength(2);
      expect(messages[0]).toMatchObject({ id: "one", source: "+919876543210", recipient: "a-recipient", parts: [] });
      expect(messages[0]).not.toHaveProperty("text");
      expect(messages[0]?.fields).toMatchObject({ type: "a-type", to: "a-recipient", iso_code: "a-iso_code" });
      expect(warn).toHaveBeenCalledTimes(1);
      expect(warn).toHaveBeenCalledWith(
        expect.stringContaining("&keyword=<keyword>&parts[1]=<parts[1]>"),
        expect.objectContaining({ code: "KALEYRA_SMS_NO_TEXT" }),
      );
    } finally {
      warn.mockRestore();
    }
  });

  it("omits every variable whose placeholder was not replaced", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    try {
      const { sms, messages } = recorder();
      const query = PRINTED_ENDPOINT.replace("<id>", "1")
        .replace("<source>", "919876543210")
        .replace("to=<recipient>", "to=5050");
      expect(await sms.receive({ method: "GET", query })).toMatchObject({ status: 200 });
      expect(messages[0]).toMatchObject({ id: "1", source: "+919876543210", recipient: "5050" });
      expect(messages[0]?.fields).toEqual({ id: "1", source: "919876543210", to: "5050" });
    } finally {
      warn.mockRestore();
    }
  });
});
