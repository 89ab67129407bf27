// Bodies as they come from a network or a stranger: in pieces, compressed, incomplete, endless, or with wrong headers.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { connect as connectHttp2, constants, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { runInNewContext } from "node:vm";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import express from "express";
import request from "supertest";

import { callback, PRINTED_POST } from "../support/callbacks";
import { closeServers, listen, open, recorder, until, untilClosed, type Recorder } from "../support/recorder";

afterEach(closeServers);

const HEAD = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

/** Checks that the router still works. */
async function expectNextHandled(port: number, { messages }: Recorder): Promise<void> {
  const before = messages.length;
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(callback()) });
  expect(response.status).toBe(200);
  expect(messages).toHaveLength(before + 1);
}

describe("a body that arrives in pieces", () => {
  it("is read completely, even if a character is split", async () => {
    const recorded = recorder();
    const port = await listen(recorded.sms);
    const body = Buffer.from(JSON.stringify(callback({ message: "नमस्ते 👋" })));
    const socket = await open(port);
    const answer = until(socket, "\r\n\r\n");
    socket.setNoDelay(true).write(`${HEAD}Content-Length: ${body.length}\r\n\r\n`);
    for (const byte of body) {
      await new Promise<void>((resolve) => socket.write(Buffer.of(byte), () => setImmediate(resolve)));
    }
    expect(await answer).toMatch(/^HTTP\/1.1 200/);
    expect(recorded.messages[0]?.text).toBe("नमस्ते 👋");
    socket.destroy();
  });

  it("is read as text if earlier middleware set an encoding", async () => {
    const { sms, messages } = recorder();
    const server = createServer((req, res) => {
      req.setEncoding("utf8");
      sms(req, res);
    });
    await request(server)
      .post("/")
      .send(callback({ message: "ü" }))
      .expect(200);
    expect(messages[0]?.text).toBe("ü");
  });
});

describe("a compressed body", () => {
  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["x-gzip", gzipSync],
  ] as const)("is inflated: %s", async (encoding, compress) => {
    const recorded = recorder();
    const port = await listen(recorded.sms);
    const send = (body: Buffer) =>
      fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers: { "Content-Encoding": encoding }, body });
    const body = compress(JSON.stringify(callback({ message: "compressed ✓" })));
    expect((await send(body)).status).toBe(200);
    expect(recorded.messages[0]?.text).toBe("compressed ✓");

    const damaged = Buffer.from(body.subarray(0, body.length - 5));
    expect(await (await send(damaged)).json()).toMatchObject({ status: 400, code: "malformed-body" });
    expect(recorded.invalid[0]?.raw).toEqual(damaged);
    expect(await (await send(Buffer.from("not compressed"))).json()).toMatchObject({ code: "malformed-body" });
    await expectNextHandled(port, recorded);
  });

  it("is answered 413 as soon as it inflates past the limit, before the rest arrives", async () => {
    const recorded = recorder({ bodyLimit: 10_000 });
    const port = await listen(recorded.sms);
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    const socket = await open(port);
    const answer = until(socket, "body-too-large");
    socket.write(`${HEAD}Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const part = bomb.subarray(0, 2_000);
    socket.write(`${part.length.toString(16)}\r\n`);
    socket.write(part);
    socket.write("\r\n");
    expect(await answer).toMatch(/^HTTP\/1.1 413/);
    expect(recorded.invalid).toMatchObject([{ code: "body-too-large", status: 413 }]);
    socket.destroy();
    await expectNextHandled(port, recorded);
  });

  it("is answered 415 if its encoding is unknown, and passed to the handler of invalid", async () => {
    const { sms, invalid } = recorder();
    const response = await request(createServer(sms))
      .post("/")
      .set("Content-Encoding", "zip")
      .set("Content-Type", "application/json")
      .send("PK\x03\x04{}")
      .expect(415);
    expect(response.body).toMatchObject({ code: "unsupported-media-type" });
    expect(invalid[0]?.raw).toBe("PK\x03\x04{}");
  });
});

describe("a body that is too large", () => {
  it("is answered before any of it arrives if its length is declared", async () => {
    const recorded = recorder();
    const port = await listen(recorded.sms);
    const socket = await open(port);
    const closed = untilClosed(socket);
    socket.write(`${HEAD}Content-Length: 163841\r\n\r\n`);
    socket.on("data", () => socket.end());
    const answer = await closed;
    expect(answer).toMatch(/^HTTP\/1.1 413/);
    expect(answer).toMatch(/Connection: close/);
    expect(recorded.invalid).toMatchObject([{ code: "body-too-large", raw: "" }]);
    await expectNextHandled(port, recorded);
  });

  it("is answered while it is still being sent, and the client can read the answer", async () => {
    const recorded = recorder();
    const port = await listen(recorded.sms);
    const socket = await open(port);
    const answer = until(socket, "body-too-large");
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const endless = setInterval(() => socket.write(`4000\r\n${"x".repeat(0x4000)}\r\n`), 1);
    try {
      expect(await answer).toMatch(/^HTTP\/1.1 413/);
    } finally {
      clearInterval(endless);
      socket.destroy();
    }
    expect(recorded.invalid).toHaveLength(1);
    await expectNextHandled(port, recorded);
  });

  it("closes the connection of a client that never stops sending", async () => {
    const { sms } = recorder({ bodyLimit: 100 });
    const socket = await open(await listen(sms));
    const closed = untilClosed(socket);
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const endless = setInterval(() => socket.write(`400\r\n${"x".repeat(0x400)}\r\n`), 5);
    expect(await closed).toMatch(/^HTTP\/1.1 413/);
    clearInterval(endless);
  });

  it("is accepted up to exactly bodyLimit bytes", async () => {
    const body = JSON.stringify(callback({ message: "ü" }));
    const exact = recorder({ bodyLimit: Buffer.byteLength(body) });
    await request(createServer(exact.sms)).post("/").type("json").send(body).expect(200);
    const less = recorder({ bodyLimit: Buffer.byteLength(body) - 1 });
    await request(createServer(less.sms)).post("/").type("json").send(body).expect(413);
  });

  it("is rejected even if an earlier parser has read it", async () => {
    const { sms } = recorder({ bodyLimit: 10 });
    const app = express().use(express.raw({ type: "*/*" }), sms);
    await request(app).post("/").type("json").send(callback()).expect(413);
  });
});

describe("a body that does not end", () => {
  it("is answered 408 after bodyTimeoutMs", async () => {
    const recorded = recorder({ bodyTimeoutMs: 50 });
    const port = await listen(recorded.sms);
    const socket = await open(port);
    const answer = until(socket, "body-incomplete");
    socket.write(`${HEAD}Content-Length: 100\r\n\r\n{"id":`);
    expect(await answer).toMatch(/^HTTP\/1.1 408/);
    socket.destroy();
    expect(recorded.invalid).toMatchObject([{ code: "body-incomplete", status: 408, raw: '{"id":' }]);
    await expectNextHandled(port, recorded);
  });

  it("emits invalid once when the connection breaks", async () => {
    const recorded = recorder();
    const port = await listen(recorded.sms);
    const invalid = new Promise((resolve) => recorded.sms.on("invalid", resolve));
    const socket = await open(port);
    await new Promise<void>((resolve) => socket.write(`${HEAD}Content-Length: 100\r\n\r\n{"id":`, () => resolve()));
    setTimeout(() => socket.destroy(), 20);
    expect(await invalid).toMatchObject({ code: "body-incomplete", status: 400, raw: '{"id":' });
    expect(recorded.invalid).toHaveLength(1);
    await expectNextHandled(port, recorded);
  });

  it("frees its slot when the connection breaks", async () => {
    const recorded = recorder({ maxInFlight: 1 });
    const port = await listen(recorded.sms);
    const invalid = new Promise((resolve) => recorded.sms.on("invalid", resolve));
    const socket = await open(port);
    socket.write(`${HEAD}Content-Length: 100\r\n\r\n`, () => setTimeout(() => socket.destroy(), 10));
    await invalid;
    await expectNextHandled(port, recorded);
  });
});

describe("a body over HTTP/2", () => {
  it("is read completely, and is incomplete if the stream is reset", async () => {
    const { sms, messages, invalid } = recorder();
    const server = createHttp2Server(sms).listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const type = "application/x-www-form-urlencoded";
    const body = "id=1&source=919876543210&recipient=5050&message=pay+100";
    try {
      const whole = session.request({ ":method": "POST", ":path": "/", "content-type": type });
      whole.end(body);
      const [head] = (await once(whole, "response")) as [Record<string, unknown>];
      expect(head[":status"]).toBe(200);
      expect(messages).toMatchObject([{ text: "pay 100" }]);

      const cut = session.request({
        ":method": "POST",
        ":path": "/",
        "content-type": type,
        "content-length": body.length,
      });
      cut.on("error", () => undefined);
      const emitted = new Promise((resolve) => sms.once("invalid", resolve));
      cut.write(body.slice(0, -2));
      // The ping returns after the written bytes have arrived.
      await new Promise((resolve) => session.ping(resolve));
      cut.close(constants.NGHTTP2_CANCEL);
      expect(await emitted).toMatchObject({ code: "body-incomplete" });
      expect(messages).toHaveLength(1);
      expect(invalid).toHaveLength(1);
    } finally {
      session.destroy();
      server.close();
    }
  });
});

describe("a body that earlier middleware has read", () => {
  it("is rejected at once if it was discarded", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { sms, invalid } = recorder();
    const app = express().use((req, _res, next) => void req.resume().on("end", next), sms);
    const response = await request(app).post("/").send(callback()).expect(500);
    expect(response.body).toMatchObject({ code: "body-consumed" });
    expect(invalid).toEqual([]);
    warn.mockRestore();
  });

  it("is read by the router if the parser ignored its content type", async () => {
    const { sms, messages } = recorder();
    const app = express().use(express.json(), sms);
    await request(app).post("/").type("text/plain").send(JSON.stringify(callback())).expect(200);
    expect(messages).toHaveLength(1);
  });

  it("causes one process warning if the raw bytes are lost, and none if they are kept", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const lossy = express().use(express.json(), recorder().sms);
    await request(lossy).post("/").type("json").send(PRINTED_POST).expect(200);
    await request(lossy).post("/").type("json").send(PRINTED_POST).expect(200);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("Mount the router before express.json()"),
      expect.objectContaining({ code: "KALEYRA_SMS_BODY_ALREADY_PARSED" }),
    );
    warn.mockClear();
    const kept = express().use(express.text({ type: "*/*" }), recorder().sms);
    await request(kept).post("/").type("json").send(PRINTED_POST).expect(200);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it("is rejected if the parser has lost digits of a number", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { sms, invalid, messages } = recorder();
    const app = express().use(express.json(), sms);
    await request(app)
      .post("/")
      .type("json")
      .send(JSON.stringify(callback({ source: 919876543210 })))
      .expect(200);
    expect(messages[0]?.source).toBe("+919876543210");
    const body = JSON.stringify(callback()).replace('"id"', '"kid":12345678901234567890,"id"');
    await request(app).post("/").type("json").send(body).expect(400);
    expect(invalid[0]?.issues).toMatchObject([{ field: "kid", rule: "digits" }]);
    warn.mockRestore();
  });
});

describe("a request that ended before it reached the router", () => {
  it("emits invalid at once, and takes no slot", async () => {
    const { sms, invalid } = recorder({ maxInFlight: 1 });
    const app = express()
      .use("/late", (req, _res, next) => void req.once("close", () => next()))
      .use(["/late", "/"], sms);
    const port = await listen(app);
    const emitted = new Promise((resolve) => sms.once("invalid", resolve));
    const socket = await open(port);
    socket.write("POST /late HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
    socket.destroySoon();
    await emitted;
    expect(invalid).toMatchObject([{ code: "body-incomplete" }]);
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(callback()) });
    expect(response.status).toBe(200);
  });
});

describe("rawBody", () => {
  it("is not read as an empty body if it is filled while the body arrives", async () => {
    const { sms, messages } = recorder();
    const app = express().use((req: IncomingMessage & { rawBody?: string }, _res, next) => {
      req.rawBody = "";
      req.on("data", (chunk) => (req.rawBody = `${req.rawBody}${String(chunk)}`));
      next();
    }, sms);
    await request(app).post("/").send(callback()).expect(200);
    expect(messages).toHaveLength(1);
  });
});

describe("a request that is not a stream", () => {
  it("is read from its properties", async () => {
    const { sms, messages } = recorder();
    const req = { method: "POST", url: "/", headers: {}, body: callback(), complete: true };
    const status = await new Promise((resolve) => {
      const res = { writeHead: (code: number) => resolve(code), end: () => undefined };
      sms(req as never, res as never);
    });
    expect(status).toBe(200);
    expect(messages).toHaveLength(1);
  });
});

describe("a parsed body", () => {
  it("is not changed by the router", async () => {
    const { sms, messages } = recorder();
    const body = callback();
    const before = { ...body };
    await sms.receive({ method: "POST", body });
    expect(messages).toHaveLength(1);
    expect(body).toEqual(before);
    expect(Object.isFrozen(body)).toBe(false);
  });

  it.each([
    ["a=1&source[x]=1", "an object"],
    ["a=1&source[toString]=1", "an object that cannot be converted to a string"],
    ["a=1&source[]=1&source[][x]=2", "an array with an object"],
  ])("is invalid if a variable was parsed into more than a string: %s, %s", async (variables) => {
    const { sms, invalid } = recorder();
    const app = express()
      .use(express.urlencoded({ extended: true }))
      .use("/sms", sms);
    const body = `id=1&recipient=5050&message=hello&${variables}`;
    await request(app).post("/sms").type("form").send(body).expect(400);
    expect(invalid).toMatchObject([{ code: "schema", issues: [{ field: "source", rule: "scalar" }] }]);
  });

  it("may contain a bigint for a long number", async () => {
    const { sms, messages, invalid } = recorder();
    const source = 12345678901234567890n;
    await sms.receive({ method: "POST", body: callback({ source }) });
    expect(messages).toMatchObject([{ source: "12345678901234567890" }]);
    await sms.receive({ method: "POST", body: callback({ source, id: null }) });
    expect(invalid[0]?.raw).toContain("12345678901234567890");
  });

  it("is invalid if it is nested deeper than the call stack allows", async () => {
    const { sms, invalid } = recorder();
    const app = express().use(express.json(), sms);
    const body = JSON.stringify(callback()).replace("}", `,"circle":${"[".repeat(40_000)}${"]".repeat(40_000)}}`);
    await request(app).post("/").type("json").send(body).expect(400);
    expect(invalid).toMatchObject([{ code: "schema", issues: [{ field: "circle" }] }]);
  });

  it.each([
    ["an empty array", []],
    ["an array of callbacks", [callback()]],
    ["an array of texts", ["hello"]],
  ])("is malformed if it is %s", async (_case, body) => {
    const { sms, messages, invalid } = recorder();
    const app = express().use(express.json(), sms);
    await request(app).post("/").send(body).expect(400);
    for (const contentType of [undefined, "application/json", "application/x-www-form-urlencoded"]) {
      expect(await sms.receive({ method: "POST", body, contentType })).toMatchObject({
        outcome: "invalid",
        status: 400,
      });
    }
    expect(invalid.map(({ code, raw }) => [code, raw])).toEqual(
      Array(4).fill(["malformed-body", JSON.stringify(body)]),
    );
    expect(messages).toEqual([]);
  });

  it("is read as JSON, not as a form, if it was sent as text/plain", async () => {
    const { sms, messages, invalid } = recorder();
    const app = express().use(express.json({ type: "text/plain" }), sms);
    const send = (fields: Record<string, unknown>) =>
      request(app)
        .post("/")
        .type("text/plain")
        .send(JSON.stringify({ ...callback(), ...fields }));
    await send({ message: "hello" }).expect(200);
    expect(messages).toMatchObject([{ text: "hello" }]);
    // A form has neither arrays nor numbers.
    await send({ kid: ["one"] }).expect(400);
    await send({ kid: 1e20 }).expect(400);
    expect(invalid).toMatchObject([
      { code: "schema", issues: [{ field: "kid", rule: "scalar" }] },
      { code: "schema", issues: [{ field: "kid", rule: "digits" }] },
    ]);
  });

  it("is malformed if a form parser has split JSON, and the detail names the remedy", async () => {
    const { sms, invalid } = recorder();
    const app = express().use(express.urlencoded({ extended: false }), sms);
    await request(app).post("/").type("form").send(JSON.stringify(callback())).expect(400);
    expect(invalid).toMatchObject([{ code: "malformed-body" }]);
    expect(invalid[0]?.detail).toContain("mount the router before it");
  });

  it("makes sms.receive resolve with an invalid outcome, not reject", async () => {
    const { sms } = recorder();
    const query = { id: ["1", "2"], source: "919876543210", recipient: "5050" } as never;
    expect(await sms.receive({ method: "GET", query })).toMatchObject({ problem: { code: "duplicate-field" } });
  });
});

it("keeps a connection open for several callbacks in a row", async () => {
  const { sms, messages } = recorder();
  const port = await listen(sms);
  const socket = await open(port);
  const answers = untilClosed(socket);
  for (let n = 0; n < 50; n++) {
    const body = JSON.stringify(callback({ message: String(n) }));
    socket.write(`${HEAD}Content-Length: ${body.length}\r\n${n === 49 ? "Connection: close\r\n" : ""}\r\n${body}`);
  }
  expect((await answers).match(/HTTP\/1.1 200/g)).toHaveLength(50);
  expect(messages.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, (_, n) => String(n)));
});

it("answers 100 Continue to a client that waits for it", async () => {
  const { sms, messages } = recorder();
  const port = await listen(sms);
  const status = await new Promise((resolve, reject) => {
    const req = httpRequest({ port, method: "POST", headers: { Expect: "100-continue" } }, (res) =>
      resolve(res.statusCode),
    );
    req
      .on("error", reject)
      .on("continue", () => req.end(JSON.stringify(callback())))
      .flushHeaders();
  });
  expect(status).toBe(200);
  expect(messages).toHaveLength(1);
});

it("runs handlers in the asynchronous context of their request, for both methods", async () => {
  const tenant = new AsyncLocalStorage<string>();
  const { sms } = recorder();
  const seen: string[] = [];
  sms.on("message", async ({ method, text = "" }) => {
    await new Promise(setImmediate);
    seen.push(`${method} ${text}: ${String(tenant.getStore())}`);
  });
  sms.on("invalid", ({ method }) => void seen.push(`${method} invalid: ${String(tenant.getStore())}`));
  const port = await listen(createServer((req, res) => tenant.run(String(req.headers["x-tenant"]), sms, req, res)));
  const fields = { id: "1", source: "919876543210", recipient: "5050", message: "hello" };
  const send = async (name: string, body?: string | Uint8Array, query = "", encoding = "identity"): Promise<void> => {
    const headers = { "X-Tenant": name, "Content-Encoding": encoding };
    await fetch(`http://127.0.0.1:${port}/${query}`, {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body ?? null,
    });
  };
  await send("a", JSON.stringify(fields));
  await send("b", undefined, `?${new URLSearchParams(fields).toString()}b`);
  await send("c", gzipSync(JSON.stringify({ ...fields, id: "3" })), "", "gzip");
  await send("d", "no JSON");
  expect(seen).toEqual(["POST hello: a", "GET hellob: b", "POST hello: c", "POST invalid: d"]);
});

it.each([
  ["a Uint8Array", "new Uint8Array(bytes)"],
  ["a view of more bytes", "new Uint8Array([0, ...bytes, 0]).subarray(1, bytes.length + 1)"],
])("reads bytes of another realm, in sms.receive too: %s", async (_case, make) => {
  const { sms, messages } = recorder();
  const body = (fields: Record<string, unknown>) =>
    runInNewContext(make, { bytes: [...Buffer.from(JSON.stringify(callback(fields)))] }) as Uint8Array;
  const foreign = body({ message: "é" });
  expect(foreign instanceof Uint8Array).toBe(false);
  expect(await sms.receive({ method: "POST", body: foreign })).toMatchObject({ outcome: "handled" });
  const app = express().use(
    express.raw({ type: () => true }),
    (req, _res, next) => {
      req.body = body({ message: "é" });
      next();
    },
    sms,
  );
  await request(app).post("/").send("anything").expect(200);
  expect(
    await sms.receive({ method: "POST", body: runInNewContext(make, { bytes: [0xff, 0x7b] }) as Uint8Array }),
  ).toMatchObject({ problem: { raw: expect.any(Object) as unknown } });
  expect(messages.map(({ text }) => text)).toEqual(["é", "é"]);
});
