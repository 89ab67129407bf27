// Every callback frees its slot exactly once, however it ends.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "@jest/globals";

import { callback } from "../support/callbacks";
import { closeServers, listen, open, recorder, until } from "../support/recorder";

let deadline = 0;
beforeEach(() => {
  deadline = Date.now() + 4_000;
});
afterEach(closeServers);

const BODY_LIMIT = 2_000;
const nextTurn = () => new Promise(setImmediate);
const eventually = async (condition: () => boolean): Promise<void> => {
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`Never true: ${condition.toString()}`);
    await nextTurn();
  }
};
const fail = (): never => {
  throw new Error("from earlier middleware");
};

/** A router with one slot of each kind, behind middleware that a spec sets with `before`. */
function setUp() {
  const checked: Array<(isAllowed: boolean) => void> = [];
  const handled: Array<() => void> = [];
  const pending = <Value>(ends: Array<(value: Value) => void>) => new Promise<Value>((resolve) => ends.push(resolve));
  const checks: Record<string, () => unknown> = {
    yes: () => true,
    no: () => false,
    pending: () => pending(checked),
    throws: fail,
    rejects: () => Promise.reject(new Error("from a database")),
    "never settles": () => new Promise(() => undefined),
    "returns a thenable that throws": () => ({ then: fail }),
    "resolves twice": () => ({
      then: (resolve: (value: boolean) => void) => {
        resolve(true);
        resolve(false);
      },
    }),
  };
  const recorded = recorder({
    maxInFlight: 1,
    handlerTimeoutMs: 400,
    bodyLimit: BODY_LIMIT,
    authenticate: ({ headers }) => checks[String(headers["x-check"])]?.() as boolean,
  });
  recorded.sms
    .on("message", ({ text }) => (text === "pending" ? pending(handled) : undefined))
    .on("unauthorized", () => Promise.reject(new Error("from a handler")));
  let middleware: (req: IncomingMessage, res: ServerResponse) => unknown = () => undefined;
  const requests: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    requests.push(req);
    const done = middleware(req, res);
    middleware = () => undefined;
    if (done instanceof Promise) void done.then(() => recorded.sms(req, res));
    else recorded.sms(req, res);
  });
  /** Starts a request on a connection of its own. It declares the length of `body`, but sends only `part`. */
  const start = async (check: string, body = JSON.stringify(callback()), part = body): Promise<Socket> => {
    const socket = await open((server.address() as AddressInfo).port);
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nX-Check: ${check}\r\n${length}\r\n\r\n${part}`);
    return socket;
  };
  const statusOn = async (socket: Socket): Promise<number> => {
    const status = Number((await until(socket, "\r\n\r\n")).split(" ")[1]);
    socket.destroy();
    return status;
  };
  return {
    ...recorded,
    server,
    requests,
    checked,
    handled,
    start,
    statusOn,
    send: async (check: string, body?: string) => statusOn(await start(check, body)),
    /** Sets the middleware of the next request only. */
    before: (next: typeof middleware) => (middleware = next),
    /** Closes the client's connection, and waits until the server has noticed. */
    disconnect: async (socket: Socket) => {
      socket.destroy();
      await eventually(() => requests.every(({ destroyed }) => destroyed));
    },
  };
}

type Kit = ReturnType<typeof setUp>;
/** The body of a callback whose handler is pending. */
const pendingBody = () => JSON.stringify(callback({ message: "pending" }));

const INCIDENTS: ReadonlyArray<readonly [title: string, cause: (kit: Kit) => Promise<unknown>]> = [
  ["its check returns false", async ({ send }) => expect(await send("no")).toBe(403)],
  ...["throws", "rejects", "never settles", "returns a thenable that throws"].map(
    (check) => [`its check ${check}`, async ({ send }: Kit) => expect(await send(check)).toBe(403)] as const,
  ),
  ["its check resolves twice", async ({ send }) => expect(await send("resolves twice")).toBe(200)],
  [
    "the client disconnects during the check, which then accepts it",
    async ({ start, disconnect, checked, invalid }) => {
      const socket = await start("pending");
      await eventually(() => checked.length > 0);
      await disconnect(socket);
      checked.pop()?.(true);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "the client disconnects during the check, with half of the body sent, and the check then accepts it",
    async ({ start, disconnect, checked, invalid }) => {
      const socket = await start("pending", "{ }", "{");
      await eventually(() => checked.length > 0);
      await disconnect(socket);
      checked.pop()?.(true);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "the client disconnects while the body is being read",
    async ({ start, disconnect, invalid }) => {
      const socket = await start("yes", "{ }", "{");
      await nextTurn();
      await disconnect(socket);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "the client disconnects while the message is being handled",
    async ({ start, disconnect, handled }) => {
      const socket = await start("yes", pendingBody());
      await eventually(() => handled.length > 0);
      await disconnect(socket);
      handled.pop()?.();
    },
  ],
  [
    "the client disconnects before the request reaches the router",
    async ({ before, start, disconnect, invalid }) => {
      before((req) => new Promise((resolve) => req.once("close", resolve)));
      const socket = await start("yes", "{ }", "{");
      await nextTurn();
      await disconnect(socket);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "other code answers it during the check",
    async ({ before, send, checked, messages }) => {
      before((_, res) => void eventually(() => checked.length > 0).then(() => res.writeHead(504).end()));
      expect(await send("pending")).toBe(504);
      checked.pop()?.(true);
      // Node makes the body of an answered request flow: it is received, and not lost.
      await eventually(() => messages.length > 0);
    },
  ],
  [
    "other code answers it while the message is being handled",
    async ({ before, send, handled }) => {
      before((_, res) => void eventually(() => handled.length > 0).then(() => res.writeHead(504).end()));
      expect(await send("yes", pendingBody())).toBe(504);
      handled.pop()?.();
    },
  ],
  ["its body is too large", async ({ send }) => expect(await send("yes", "x".repeat(BODY_LIMIT + 1))).toBe(413)],
  [
    "its body is too large, and `res.end` throws",
    async ({ before, start, disconnect, lines }) => {
      before((_, res) => void (res.end = fail));
      const socket = await start("yes", "x".repeat(20_000), "x");
      expect(await until(socket, "\r\n\r\n")).toMatch(/^HTTP\/1.1 413 /);
      await disconnect(socket);
      await eventually(() => lines.some((line) => line.includes("(answer-failed)")));
    },
  ],
  [
    "listening to its body throws, and the body still arrives",
    async ({ before, start, disconnect, requests, messages }) => {
      before((req) => {
        const { on } = req;
        const onButClose = (event: string, listener: () => void): unknown => {
          if (event !== "close") return on.call(req, event, listener);
          req.on = on;
          return fail();
        };
        Object.assign(req, { on: onButClose });
      });
      const body = JSON.stringify(callback());
      const socket = await start("yes", body, body.slice(0, 10));
      expect(await until(socket, "\r\n\r\n")).toMatch(/^HTTP\/1.1 500 /);
      socket.write(body.slice(10));
      await eventually(() => requests.every(({ readableEnded }) => readableEnded));
      await disconnect(socket);
      expect(messages).toEqual([]);
    },
  ],
  ...[true, false].flatMap((isRead) =>
    [false, true].map(
      (isLost) =>
        [
          `\`res.writeHead\`${isLost ? " and `res.destroy` throw" : " throws"}, ` +
            `with a body that ${isRead ? "was read earlier" : "the router reads"}`,
          async ({ before, start, messages, disconnect }: Kit) => {
            before((req, res) => {
              res.writeHead = fail;
              if (isLost) res.destroy = fail;
              if (isRead) Object.assign(req, { rawBody: JSON.stringify(callback()) });
            });
            const socket = await start("yes");
            await eventually(() => messages.length > 0);
            await disconnect(socket);
          },
        ] as const,
    ),
  ),
];

it.each(INCIDENTS)("a callback frees its slot once if %s", async (_, cause) => {
  const kit = setUp();
  const { sms, server, checked, handled, start, statusOn, send } = kit;
  await listen(server);
  await cause(kit);
  await nextTurn();

  // This callback takes a slot of each kind in turn. While its body is read, or its message handled, others get 503:
  // no slot was freed twice. close() resolves only when no slot is taken.
  const body = pendingBody();
  const socket = await start("pending", body, body.slice(0, 10));
  await eventually(() => checked.length > 0);
  checked.pop()?.(true);
  await nextTurn();
  expect(await send("yes")).toBe(503);
  socket.write(body.slice(10));
  await eventually(() => handled.length > 0);
  expect(await send("yes")).toBe(503);
  handled.pop()?.();
  expect(await statusOn(socket)).toBe(200);
  await sms.close();
});
