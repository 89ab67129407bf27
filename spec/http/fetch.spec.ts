// sms.fetch: the router for what speaks the web's types.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "@jest/globals";
import { Hono } from "hono";
import { callbackProfile } from "express-kaleyra-sms";

import { callback, PRINTED_GET, PRINTED_POST } from "../support/callbacks";
import { closeServers, listen, recorder, type SomeOptions } from "../support/recorder";
import { recordWarnings } from "../support/warnings";

const warned = recordWarnings();
afterEach(closeServers);

const URL_OF_ANY_PATH = "https://your.domain/any/path";
const TOKEN = { header: "X-Callback-Token", value: "right" };
const json = (body: string | Uint8Array, headers: Record<string, string> = {}): Request =>
  new Request(URL_OF_ANY_PATH, { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });
/** A request whose body is pulled only when somebody reads it. */
function streamed(chunks: Iterable<string | Uint8Array>, headers: Record<string, string> = {}) {
  let pulled = 0;
  const iterator = chunks[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const next = iterator.next();
        pulled++;
        if (next.done === true) controller.close();
        else controller.enqueue(Buffer.from(next.value));
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: "POST", body, headers, duplex: "half" };
  return { request: new Request(URL_OF_ANY_PATH, init as RequestInit), pulled: () => pulled };
}
function* endless(): Generator<string> {
  for (;;) yield "x".repeat(1_000);
}

/** An adapter such as platforms have. */
const toNode = (fetch: (request: Request) => Promise<Response>) =>
  createServer((req, res) => {
    const url = new URL(req.url ?? "/", "http://localhost");
    const init = { method: req.method, headers: req.headers, body: Readable.toWeb(req), duplex: "half" };
    const bodiless = { ...init, body: undefined };
    const isBodiless = req.method === "GET" || req.method === "HEAD";
    void fetch(new Request(url, (isBodiless ? bodiless : init) as unknown as RequestInit)).then(async (response) => {
      res.writeHead(response.status, Object.fromEntries(response.headers));
      res.end(Buffer.from(await response.arrayBuffer()));
    });
  });

const HOSTS: ReadonlyArray<
  readonly [string, (sms: ReturnType<typeof recorder>["sms"]) => (request: Request) => Promise<Response>]
> = [
  ["sms.fetch itself", ({ fetch }) => fetch],
  [
    "a route handler of Next.js",
    (sms) => {
      const routes: Record<string, (request: Request) => Promise<Response>> = {
        GET: (request: Request) => sms.fetch(request),
        POST: (request: Request) => sms.fetch(request),
      };
      return (request) => routes[request.method]?.(request) ?? Promise.resolve(new Response(null, { status: 405 }));
    },
  ],
  [
    "Hono",
    (sms) => {
      const app = new Hono().all("/any/path", (c) => sms.fetch(c.req.raw));
      return async (request) => app.fetch(request);
    },
  ],
  [
    "node:http behind an adapter",
    (sms) => async (request) => {
      const server = toNode(sms.fetch);
      await listen(server);
      const { pathname, search } = new URL(request.url);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}${search}`;
      const body = request.method === "GET" ? null : await request.arrayBuffer();
      return fetch(url, { method: request.method, headers: request.headers, body });
    },
  ],
];

describe.each(HOSTS)("in %s", (_host, serve) => {
  it("the printed callbacks arrive, and are answered 200 with an empty body", async () => {
    const { sms, messages } = recorder();
    const handle = serve(sms);
    const post = await handle(json(PRINTED_POST));
    expect([post.status, await post.text(), post.headers.get("cache-control")]).toEqual([200, "", "no-store"]);
    expect((await handle(new Request(`${URL_OF_ANY_PATH}?${PRINTED_GET}`))).status).toBe(200);
    expect(messages).toMatchObject([{ text: "UNSUBSCRIBE THE OFFER message" }, { keyword: "SAMPLE", method: "GET" }]);
  });

  it("a text that was not escaped arrives exactly as sent", async () => {
    const profile = callbackProfile({ method: "POST", url: URL_OF_ANY_PATH });
    const { sms, messages } = recorder({ profile });
    const values = { id: "1", source: "919876543210", recipient: "5050", message: 'say "hi" \\o/', status: "SENT" };
    const { body } = profile.render(values, { escaping: "none" });
    expect((await serve(sms)(json(body))).status).toBe(200);
    expect(messages).toMatchObject([{ text: 'say "hi" \\o/', repaired: true }]);
  });

  it("a caller without the secret is answered 403, and one with it 200", async () => {
    const { sms, messages, unauthorized } = recorder({ authenticate: TOKEN });
    const handle = serve(sms);
    const wrong = await handle(json(PRINTED_POST, { "X-Callback-Token": "wrong" }));
    expect([wrong.status, await wrong.json()]).toEqual([403, expect.objectContaining({ code: "unauthorized" })]);
    expect(messages).toEqual([]);
    expect(unauthorized).toMatchObject([{ ip: undefined, method: "POST" }]);
    expect((await handle(json(PRINTED_POST, { "X-Callback-Token": "right" }))).status).toBe(200);
  });

  it("a body above bodyLimit is answered 413", async () => {
    const { sms, invalid } = recorder({ bodyLimit: 100 });
    const response = await serve(sms)(json("x".repeat(101)));
    expect([response.status, await response.json()]).toEqual([
      413,
      expect.objectContaining({ code: "body-too-large" }),
    ]);
    expect(invalid).toHaveLength(1);
  });
});

describe("access", () => {
  it("is checked before any of the body is read", async () => {
    const { sms } = recorder({ authenticate: TOKEN });
    const { request, pulled } = streamed(endless());
    expect((await sms.fetch(request)).status).toBe(403);
    expect([pulled(), request.bodyUsed]).toEqual([0, false]);
  });

  it.each<[string, SomeOptions["authenticate"], (isRight: boolean) => Request, number]>([
    [
      "a query",
      { query: "token", value: "a b" },
      (isRight) =>
        new Request(`${URL_OF_ANY_PATH}?${isRight ? "token=a%20b" : "token=x"}#f`, {
          method: "POST",
          body: PRINTED_POST,
        }),
      403,
    ],
    [
      "Basic",
      { basic: { username: "u", password: "p" } },
      (isRight) => json(PRINTED_POST, { Authorization: `Basic ${btoa(isRight ? "u:p" : "u:x")}` }),
      401,
    ],
    [
      "Bearer",
      { bearer: "t" },
      (isRight) => json(PRINTED_POST, { Authorization: `Bearer ${isRight ? "t" : "x"}` }),
      401,
    ],
    [
      "a function that checks tokens",
      { bearer: async (token) => Promise.resolve(token === "t") },
      (isRight) => json(PRINTED_POST, { Authorization: `Bearer ${isRight ? "t" : "x"}` }),
      401,
    ],
    [
      "a function that gets the Request",
      async (request: Request) => Promise.resolve(request.headers.get("x-mine") === "yes"),
      (isRight) => json(PRINTED_POST, { "X-Mine": isRight ? "yes" : "no" }),
      403,
    ],
  ])("may be %s", async (_what, authenticate, send, status) => {
    const { sms, messages } = recorder({ authenticate });
    expect((await sms.fetch(send(false))).status).toBe(status);
    expect((await sms.fetch(send(true))).status).toBe(200);
    expect(messages).toHaveLength(1);
  });

  it("gives a function the Request itself", async () => {
    const seen: unknown[] = [];
    const { sms } = recorder({ authenticate: (request: Request) => seen.push(request) > 0 });
    const request = json(PRINTED_POST);
    expect((await sms.fetch(request)).status).toBe(200);
    expect(seen[0]).toBe(request);
  });

  it("by address needs { ip }: without it the caller is rejected, and one process warning says so", async () => {
    const { sms, unauthorized } = recorder({ authenticate: { allow: ["203.0.113.0/24"] } });
    for (let n = 0; n < 2; n++) expect((await sms.fetch(json(PRINTED_POST))).status).toBe(403);
    expect(warned).toEqual(["KALEYRA_SMS_NO_ADDRESS"]);
    expect(unauthorized[0]).toMatchObject({ ip: undefined, code: "no-address" });
    expect((await sms.fetch(json(PRINTED_POST), { ip: "198.51.100.1" })).status).toBe(403);
    expect(unauthorized.at(-1)).toMatchObject({ ip: "198.51.100.1" });
    expect((await sms.fetch(json(PRINTED_POST), { ip: "203.0.113.5" })).status).toBe(200);
  });

  it.each([
    ["203.0.113.5:61598", 200],
    ["::ffff:203.0.113.5", 200],
    ["::ffff:cb00:7105", 200],
    ["[::ffff:203.0.113.5]:443", 200],
    ["[2001:db8::7]:443", 200],
    ["2001:db8::7%eth0", 200],
    ["[fe80::7%eth0]:443", 200],
    ["203.0.113.5:65535", 200],
    ["203.0.113.5:65536", 403],
    ["203.0.113.5:99999", 403],
    ["203.0.113.5:x", 403],
    ["203.0.113.5:", 403],
    ["203.0.113.5%eth0", 403],
    ["[203.0.113.5]", 403],
    ["[203.0.113.5]:443", 403],
    ["::ffff:203.0.113.5:443", 403],
    ["[2001:db8::7]:", 403],
    ["[2001:db8::7]:65536", 403],
    ["[2001:db8::7]443", 403],
    ["[2001:db8::7", 403],
    ["2001:db8::7]", 403],
    ["[[2001:db8::7]]:443", 403],
    ["[2001:db8::7]:443:443", 403],
    ["fe80::7%", 403],
    [" 203.0.113.5", 403],
    ["203.0.113.5, 198.51.100.1", 403],
    ["203.0.113.5/32", 403],
    ["203.0.113.05", 403],
    ["3405803781", 403],
    ["unknown", 403],
    ["", 403],
  ])("by address ignores a port, and rejects what is no address: %j is answered %i", async (ip, status) => {
    const { sms } = recorder({ authenticate: { allow: ["203.0.113.5", "2001:db8::/32", "fe80::/10"] } });
    expect((await sms.fetch(json(PRINTED_POST), { ip })).status).toBe(status);
  });
});

describe("a body", () => {
  it("is read in pieces, and inflated", async () => {
    const { sms, messages } = recorder();
    const bytes = gzipSync(JSON.stringify(callback({ message: "नमस्ते 👋" })));
    const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect((await sms.fetch(streamed(pieces, { "Content-Encoding": "gzip" }).request)).status).toBe(200);
    expect(messages).toMatchObject([{ text: "नमस्ते 👋" }]);
  });

  it("that is endless is answered 413, and no more of it is read", async () => {
    const { sms } = recorder({ bodyLimit: 10_000 });
    const { request, pulled } = streamed(endless());
    expect((await sms.fetch(request)).status).toBe(413);
    expect(pulled()).toBeLessThan(13);
    const declared = streamed(endless(), { "Content-Length": "10001" });
    expect((await sms.fetch(declared.request)).status).toBe(413);
    expect(declared.pulled()).toBe(0);
  });

  it("that does not arrive in time is answered 408, and one that ends early or fails 400", async () => {
    const { sms, invalid } = recorder({ bodyTimeoutMs: 50 });
    const never = new ReadableStream({ pull: () => new Promise<void>(() => undefined) });
    const fails = new ReadableStream({ pull: (controller) => controller.error(new Error("c4n4ry")) });
    const of = (body: ReadableStream) =>
      new Request(URL_OF_ANY_PATH, { method: "POST", body, duplex: "half" } as unknown as RequestInit);
    expect((await sms.fetch(of(never))).status).toBe(408);
    expect((await sms.fetch(of(fails))).status).toBe(400);
    expect((await sms.fetch(streamed(["{"], { "Content-Length": "100" }).request)).status).toBe(400);
    expect(invalid.map(({ code }) => code)).toEqual(Array(3).fill("body-incomplete"));
  });

  it("that was read before is the server's fault, and an empty one is invalid", async () => {
    const { sms, invalid } = recorder();
    const read = json(PRINTED_POST);
    await read.text();
    const locked = json(PRINTED_POST);
    locked.body?.getReader();
    for (const request of [read, locked]) {
      const response = await sms.fetch(request);
      expect([response.status, await response.json()]).toEqual([
        500,
        expect.objectContaining({ code: "body-consumed" }),
      ]);
    }
    expect(warned).toEqual(["KALEYRA_SMS_BODY_CONSUMED"]);
    expect(invalid).toEqual([]);
    expect((await sms.fetch(new Request(URL_OF_ANY_PATH, { method: "POST" }))).status).toBe(400);
    expect(invalid).toMatchObject([{ code: "malformed-body" }]);
  });
});

describe("the body of a Request that an adapter of a server has made", () => {
  const streams = new WeakSet<object>();
  /** As that of @hono/node-server: its stream costs more than all the rest, and is made when somebody asks for it. */
  class AdaptersRequest {
    readonly #request: Request;
    readonly url: string;
    readonly method: string;
    readonly headers: Headers;

    constructor(request: Request) {
      this.#request = request;
      this.url = request.url;
      this.method = request.method;
      this.headers = request.headers;
    }

    get bodyUsed(): boolean {
      return this.#request.bodyUsed;
    }

    get body(): Request["body"] {
      streams.add(this);
      return this.#request.body;
    }

    arrayBuffer(): Promise<ArrayBuffer> {
      return this.#request.arrayBuffer();
    }
  }
  const of = (body: unknown, length: number | undefined, headers: Record<string, string> = {}): Request => {
    const declared = length === undefined ? {} : { "Content-Length": String(length) };
    const init = { method: "POST", body, headers: { ...headers, ...declared }, duplex: "half" };
    return new AdaptersRequest(new Request(URL_OF_ANY_PATH, init as RequestInit)) as unknown as Request;
  };
  const text = JSON.stringify(callback({ message: "नमस्ते 👋" }));
  const length = Buffer.byteLength(text);

  it("is read without its stream if its length is declared", async () => {
    const { sms, messages } = recorder();
    const request = of(text, length);
    expect((await sms.fetch(request)).status).toBe(200);
    expect([messages[0]?.text, streams.has(request)]).toEqual(["नमस्ते 👋", false]);
    const inflated = gzipSync(JSON.stringify(callback({ message: "again" })));
    expect((await sms.fetch(of(inflated, inflated.length, { "Content-Encoding": "gzip" }))).status).toBe(200);
    expect(messages[1]?.text).toBe("again");
  });

  it("is read as a stream, within the limit, if no length is declared", async () => {
    const { sms, messages } = recorder({ bodyLimit: 10_000 });
    const request = of(text, undefined);
    expect((await sms.fetch(request)).status).toBe(200);
    expect([messages.length, streams.has(request)]).toEqual([1, true]);
    expect((await sms.fetch(of(streamed(endless()).request.body, undefined))).status).toBe(413);
  });

  it("is rejected as any other: too large, cut, failed, late, or consumed", async () => {
    const { sms, invalid } = recorder({ bodyLimit: 10_000, bodyTimeoutMs: 50 });
    const large = of("x".repeat(10_001), 10_001);
    expect((await sms.fetch(large)).status).toBe(413);
    expect(streams.has(large)).toBe(true); // cancelled, not asked for as a whole
    expect((await sms.fetch(of(text, length + 1))).status).toBe(400);
    const fails = new ReadableStream({ pull: (controller) => controller.error(new Error("c4n4ry")) });
    expect((await sms.fetch(of(fails, 10))).status).toBe(400);
    const never = new ReadableStream({ pull: () => new Promise<void>(() => undefined) });
    expect((await sms.fetch(of(never, 10))).status).toBe(408);
    expect(invalid.map(({ code }) => code)).toEqual([
      "body-too-large",
      ...["body-incomplete", "body-incomplete", "body-incomplete"],
    ]);
    const [read, locked] = [of(text, length), of(text, length)];
    await read.arrayBuffer();
    locked.body?.getReader();
    for (const request of [read, locked]) expect((await sms.fetch(request)).status).toBe(500);
    expect(warned).toEqual(["KALEYRA_SMS_BODY_CONSUMED"]);
    expect(invalid).toHaveLength(4);
  });

  it("is held to the limit if an app made the Request, also of its own class, and its declared length is wrong", async () => {
    class AppsRequest extends Request {}
    const { sms } = recorder({ bodyLimit: 10_000 });
    for (const Made of [Request, AppsRequest]) {
      const { request, pulled } = streamed(endless());
      const init = { method: "POST", body: request.body, headers: { "Content-Length": "100" }, duplex: "half" };
      expect((await sms.fetch(new Made(URL_OF_ANY_PATH, init as RequestInit))).status).toBe(413);
      expect(pulled()).toBeLessThan(13);
    }
  });
});

it("other methods are answered as on node:http, and nothing is emitted", async () => {
  const { sms, messages, invalid } = recorder({ methods: ["POST"] });
  const answers: unknown[] = [];
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT"]) {
    const { status, headers, body } = await sms.fetch(new Request(URL_OF_ANY_PATH, { method }));
    answers.push([method, status, headers.get("allow"), body === null]);
  }
  expect(answers).toEqual([
    ["GET", 405, "HEAD, POST, OPTIONS", false],
    ["HEAD", 200, null, true],
    ["OPTIONS", 204, "HEAD, POST, OPTIONS", true],
    ["PUT", 405, "HEAD, POST, OPTIONS", false],
  ]);
  expect([...messages, ...invalid]).toEqual([]);
});

it("a closed router is answered 503, and an answer may have no body", async () => {
  const { sms } = recorder({ ack: { status: 204 } });
  const { status, body } = await sms.fetch(json(PRINTED_POST));
  expect([status, body]).toEqual([204, null]);
  await sms.close();
  expect((await sms.fetch(json(PRINTED_POST))).status).toBe(503);
});

it("what is no Request rejects, with a code", async () => {
  const { sms } = recorder();
  for (const wrong of [undefined, "/sms", {}, { url: "/", method: "GET", headers: {} }]) {
    await expect(sms.fetch(wrong as never)).rejects.toMatchObject({ code: "KALEYRA_SMS_INVALID_ARGUMENT" });
  }
});

it("bodyLimit holds in sms.receive, too", async () => {
  const { sms } = recorder({ bodyLimit: 100 });
  for (const body of ["x".repeat(101), Buffer.alloc(101)]) {
    expect(await sms.receive({ method: "POST", body })).toMatchObject({ outcome: "invalid", status: 413 });
  }
});
