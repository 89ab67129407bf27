// Bodies that something beside the router, or before it, reads too.

import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "@jest/globals";
import request from "supertest";
import type { IncomingSms } from "express-kaleyra-sms";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { closeServers, deferred, listen, open, recorder, until, type SomeOptions } from "../support/recorder";
import { recordWarnings } from "../support/warnings";

type RawRequest = IncomingMessage & { rawBody?: unknown };
type Before = (req: RawRequest, res: ServerResponse, next: () => void) => void;

const warned = recordWarnings();
afterEach(closeServers);

const turn = (): Promise<void> => new Promise(setImmediate);

const countBytes: Before = (req, _res, next) => {
  req.on("data", () => undefined);
  next();
};
const collectText: Before = (req, _res, next) => {
  req.rawBody = "";
  req.on("data", (chunk) => (req.rawBody = `${String(req.rawBody)}${String(chunk)}`));
  next();
};
const collectBytes: Before = (req, _res, next) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => (req.rawBody = Buffer.concat(chunks)));
  next();
};
const iterate: Before = (req, _res, next) => {
  void text(req);
  next();
};
const wait: Before = (_req, _res, next) =>
  void turn()
    .then(turn)
    .then(() => next());

const HOSTS: ReadonlyArray<
  readonly [name: string, serve: (before: readonly Before[], sms: IncomingSms) => RequestListener]
> = [
  ...EXPRESS.map(
    ([name, express]) =>
      [
        name,
        (before: readonly Before[], sms: IncomingSms) => {
          const app = express();
          for (const one of before) app.use(one);
          return app.use(sms) as RequestListener;
        },
      ] as const,
  ),
  [
    "node:http",
    (before, sms) => (req, res) =>
      before.reduceRight<() => void>(
        (next, one) => () => one(req, res, next),
        () => sms(req, res),
      )(),
  ],
];

const BEFORE: ReadonlyArray<readonly [name: string, before: readonly Before[]]> = [
  ["a byte counter", [countBytes]],
  ["a collector of rawBody, as a text", [collectText]],
  ["a collector of rawBody, as bytes", [collectBytes]],
  ["a reader by iteration", [iterate]],
  ["async middleware", [wait]],
  ["a collector of rawBody and async middleware", [collectText, wait]],
  ["a collector of rawBody, as bytes, and async middleware", [collectBytes, wait]],
  ["async middleware and a byte counter", [wait, countBytes]],
];

const CHECKS: ReadonlyArray<readonly [name: string, options: SomeOptions]> = [
  ["no check", {}],
  ["a sync check", { authenticate: { header: "X-Callback-Token", value: "right" } }],
  [
    "an async check",
    {
      authenticate: async () =>
        turn()
          .then(turn)
          .then(() => true),
    },
  ],
];

/** Sends a body, whole or in two halves, and returns the status of the answer. */
async function send(listener: RequestListener, body: Buffer, isHalved: boolean): Promise<number> {
  const socket = await open(await listen(createServer(listener)));
  const answer = until(socket, "\r\n\r\n");
  const lines = ["POST / HTTP/1.1", "Host: localhost", "X-Callback-Token: right", `Content-Length: ${body.length}`];
  const head = `${lines.join("\r\n")}\r\n\r\n`;
  const half = isHalved ? body.length / 2 : body.length;
  socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, half)]));
  if (isHalved) {
    for (let n = 0; n < 10; n++) await turn();
    socket.write(body.subarray(half));
  }
  const status = Number((await answer).split(" ")[1]);
  socket.destroy();
  return status;
}

describe.each(HOSTS)("in %s", (_host, serve) => {
  describe.each(BEFORE)("behind %s", (_before, before) => {
    it.each(CHECKS.flatMap(([name, options]) => [false, true].map((isHalved) => [name, isHalved, options] as const)))(
      "a callback is received whole, with %s, its body in halves: %p",
      async (_check, isHalved, options) => {
        const { sms, messages, invalid } = recorder(options);
        const body = Buffer.from(JSON.stringify(callback({ message: "नमस्ते 👋" })));
        expect([await send(serve(before, sms), body, isHalved), invalid]).toEqual([200, []]);
        expect(messages).toMatchObject([{ text: "नमस्ते 👋" }]);
        expect(warned).toEqual([]);
      },
    );
  });
});

describe("while an async check runs", () => {
  const guarded = (options: SomeOptions = {}) => {
    const verdict = deferred<boolean>();
    const asked = deferred<IncomingMessage>();
    const recorded = recorder({
      authenticate: (req) => {
        asked.resolve(req);
        return verdict.promise;
      },
      ...options,
    });
    return { ...recorded, verdict, asked };
  };
  const BODY = JSON.stringify(callback());
  const HEAD = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${BODY.length}\r\n\r\n`;

  it("a body that nobody reads stays paused", async () => {
    const { sms, verdict, asked } = guarded();
    const socket = await open(await listen(sms));
    const answer = until(socket, "\r\n\r\n");
    socket.write(HEAD + BODY);
    const req = await asked.promise;
    for (let n = 0; n < 10; n++) await turn();
    expect([req.readableFlowing, req.readableDidRead]).toEqual([null, false]);
    verdict.resolve(true);
    expect(await answer).toMatch(/^HTTP\/1.1 200/);
    socket.destroy();
  });

  it.each<[string, (req: IncomingMessage) => unknown]>([
    ["a listener", (req) => req.on("data", () => undefined)],
    ["resume()", (req) => req.resume()],
    ["iteration", (req) => text(req)],
  ])("a body that begins to flow then is received whole: %s", async (_how, start) => {
    const { sms, verdict, asked, messages } = guarded();
    const socket = await open(await listen(sms));
    const answer = until(socket, "\r\n\r\n");
    socket.write(HEAD + BODY);
    const req = await asked.promise;
    await turn();
    start(req);
    await new Promise((resolve) => req.once("end", resolve));
    verdict.resolve(true);
    expect(await answer).toMatch(/^HTTP\/1.1 200/);
    expect(messages).toHaveLength(1);
    socket.destroy();
  });

  it("a flowing body is collected up to bodyLimit, then answered 413", async () => {
    const { sms, verdict, asked, invalid } = guarded({ bodyLimit: 1_000 });
    const socket = await open(await listen(createServer((req, res) => countBytes(req, res, () => sms(req, res)))));
    const answer = until(socket, "body-too-large");
    socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    const req = await asked.promise;
    for (let n = 0; n < 20; n++) {
      socket.write(`1f4\r\n${"x".repeat(500)}\r\n`);
      await new Promise((resolve) => req.once("data", resolve));
    }
    verdict.resolve(true);
    expect(await answer).toMatch(/^HTTP\/1.1 413/);
    expect(invalid).toMatchObject([{ code: "body-too-large" }]);
    expect(String(invalid[0]?.raw).length).toBeLessThan(2_000);
    socket.destroy();
  });

  it("a flowing body of a caller that is refused leaves no listener of the router", async () => {
    const { sms, verdict, asked, unauthorized } = guarded();
    const socket = await open(await listen(createServer((req, res) => countBytes(req, res, () => sms(req, res)))));
    const answer = until(socket, "\r\n\r\n");
    socket.write(HEAD + BODY);
    const req = await asked.promise;
    verdict.resolve(false);
    expect(await answer).toMatch(/^HTTP\/1.1 403/);
    expect(["data", "resume", "newListener"].map((event) => req.listenerCount(event))).toEqual([1, 0, 0]);
    expect(unauthorized).toHaveLength(1);
    socket.destroy();
  });

  it("a flowing body whose sender goes away is invalid", async () => {
    const { sms, verdict, asked, invalid } = guarded();
    const socket = await open(await listen(createServer((req, res) => countBytes(req, res, () => sms(req, res)))));
    const told = new Promise((resolve) => sms.once("invalid", resolve));
    socket.write(HEAD + BODY.slice(0, 9));
    const req = await asked.promise;
    socket.destroy();
    await new Promise((resolve) => req.once("close", resolve));
    verdict.resolve(true);
    expect(await told).toMatchObject({ code: "body-incomplete", status: 400 });
    expect(invalid).toHaveLength(1);
  });
});

describe("a body that was read and discarded before the router was called", () => {
  const discard: Before = (req, _res, next) => void req.resume().on("end", next);

  it("is the server's fault: 500, one process warning that says what to do, and no invalid", async () => {
    const { sms, messages, invalid, errors, lines } = recorder();
    const server = createServer((req, res) => discard(req, res, () => sms(req, res)));
    for (let n = 0; n < 2; n++) {
      const response = await request(server).post("/").send(callback()).expect(500);
      expect(response.body).toMatchObject({ status: 500, code: "body-consumed" });
    }
    expect(warned).toEqual(["KALEYRA_SMS_BODY_CONSUMED"]);
    expect(process.emitWarning).toHaveBeenCalledWith(
      expect.stringContaining("Mount the router before whatever reads the body"),
      expect.anything(),
    );
    expect([...messages, ...invalid, ...errors]).toEqual([]);
    expect(lines).toEqual([expect.stringContaining("(body-consumed)")]);
  });

  it.each<[string, readonly Before[]]>([
    ["all of it", [countBytes, wait]],
    ["its first half, and it was kept nowhere", [countBytes, wait, collectText]],
    ["its first half, and the rest is kept", [countBytes, wait, collectBytes]],
  ])("is 500 in halves, too, where something read %s", async (_what, before) => {
    const { sms, invalid, messages } = recorder();
    const listener: RequestListener = (req, res) =>
      before.reduceRight<() => void>(
        (next, one) => () => one(req, res, next),
        () => sms(req, res),
      )();
    for (const isHalved of [true, false]) {
      expect(await send(listener, Buffer.from(JSON.stringify(callback())), isHalved)).toBe(500);
    }
    expect([...messages, ...invalid]).toEqual([]);
    expect(warned).toEqual(["KALEYRA_SMS_BODY_CONSUMED"]);
  });

  it("does not count if it was empty", async () => {
    const { sms, invalid } = recorder();
    const server = createServer((req, res) => discard(req, res, () => sms(req, res)));
    await request(server).post("/").expect(400);
    expect(invalid).toMatchObject([{ code: "malformed-body", raw: "" }]);
    expect(warned).toEqual([]);
  });

  it("is 408 or 400 as any other, if it does not end", async () => {
    const { sms, invalid } = recorder({ bodyTimeoutMs: 50 });
    const before: Before = (req, _res, next) => void req.once("data", next);
    const port = await listen(createServer((req, res) => before(req, res, () => sms(req, res))));
    for (const isCut of [false, true]) {
      const told = new Promise((resolve) => sms.once("invalid", resolve));
      const socket = await open(port);
      socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
      if (isCut) setTimeout(() => socket.destroy(), 10);
      expect(await told).toMatchObject({ code: "body-incomplete", status: isCut ? 400 : 408 });
      socket.destroy();
    }
    expect(invalid).toHaveLength(2);
  });
});

describe("what a platform leaves", () => {
  it.each(["body", "rawBody"])("counts as not there if the getter of %s throws", async (name) => {
    const { sms, messages } = recorder();
    const throws = (req: IncomingMessage): void =>
      void Object.defineProperty(req, name, {
        get: () => {
          throw new SyntaxError("as a platform's parser may");
        },
      });
    const unread = createServer((req, res) => {
      throws(req);
      sms(req, res);
    });
    await request(unread).post("/").send(callback()).expect(200);
    expect(messages).toHaveLength(1);
    const read = createServer((req, res) => {
      throws(req);
      req.resume().on("end", () => sms(req, res));
    });
    await request(read).post("/").send(callback()).expect(500);
    expect(warned).toEqual(["KALEYRA_SMS_BODY_CONSUMED"]);
  });

  it("in rawBody is the body, whether the request still holds it or not, and never ends", async () => {
    const { sms, messages } = recorder();
    const server = createServer((req: RawRequest, res) => {
      req.rawBody = JSON.stringify(callback());
      Object.assign(req, { on: () => req, once: () => req });
      sms(req, res);
    });
    await request(server)
      .post("/")
      .send(callback({ id: "other" }))
      .set("Content-Length", String(JSON.stringify(callback()).length))
      .expect(200);
    expect(messages).toHaveLength(1);
  });

  it("in rawBody beside a parsed body is exact, and one process warning says what never arrives", async () => {
    const { sms, messages } = recorder();
    const server = createServer((req: RawRequest, res) => {
      const body = JSON.stringify(callback({ message: "raw" }));
      req.resume().on("end", () => {
        Object.assign(req, { rawBody: body.padEnd(Number(req.headers["content-length"])), body: callback() });
        sms(req, res);
      });
    });
    await request(server).post("/").send(callback()).expect(200);
    expect(messages).toMatchObject([{ text: "raw" }]);
    expect(warned).toEqual(["KALEYRA_SMS_BODY_ALREADY_PARSED"]);
  });
});

it("a body that was paused before the router was called is read", async () => {
  const { sms, messages } = recorder();
  const server = createServer((req, res) => {
    req.pause();
    void turn().then(() => sms(req, res));
  });
  await request(server).post("/").send(callback()).expect(200);
  expect(messages).toHaveLength(1);
});
