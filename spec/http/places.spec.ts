// Whatever befalls a callback, it gives back its place, and gives it back once.

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
const turnOfTheLoop = () => new Promise(setImmediate);
const eventually = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`It never came to this: ${isSo.toString()}`);
    await turnOfTheLoop();
  }
};
const fail = (): never => {
  throw new Error("as something in front of the router may");
};

/** A router with one place of each kind, behind something that may do anything to a request. */
function setUp() {
  const checked: Array<(isAllowed: boolean) => void> = [];
  const handled: Array<() => void> = [];
  const held = <Value>(ends: Array<(value: Value) => void>) => new Promise<Value>((resolve) => ends.push(resolve));
  const checks: Record<string, () => unknown> = {
    yes: () => true,
    no: () => false,
    held: () => held(checked),
    throws: fail,
    rejects: () => Promise.reject(new Error("as a database may")),
    "never settles": () => new Promise(() => undefined),
    "gives what throws": () => ({ then: fail }),
    "answers twice": () => ({
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
    .on("message", ({ text }) => (text === "held" ? held(handled) : undefined))
    .on("unauthorized", () => Promise.reject(new Error("as a handler may")));
  let befall: (req: IncomingMessage, res: ServerResponse) => unknown = () => undefined;
  const requests: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    requests.push(req);
    const before = befall(req, res);
    befall = () => undefined;
    if (before instanceof Promise) void before.then(() => recorded.sms(req, res));
    else recorded.sms(req, res);
  });
  /** On a connection of its own; of a body of that length, `part` is sent. */
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
    /** What the next request meets before it comes to the router. */
    meets: (next: typeof befall) => (befall = next),
    /** Ends a connection from outside, and waits until the server knows. */
    leave: async (socket: Socket) => {
      socket.destroy();
      await eventually(() => requests.every(({ destroyed }) => destroyed));
    },
  };
}

type Kit = ReturnType<typeof setUp>;
/** The body of a callback whose handler waits. */
const toHold = () => JSON.stringify(callback({ message: "held" }));

const MISFORTUNES: ReadonlyArray<readonly [what: string, befall: (kit: Kit) => Promise<unknown>]> = [
  ...["no", "throws", "rejects", "never settles", "gives what throws"].map(
    (check) => [`its check ${check}`, async ({ send }: Kit) => expect(await send(check)).toBe(403)] as const,
  ),
  ["its check answers twice", async ({ send }) => expect(await send("answers twice")).toBe(200)],
  [
    "it goes away while it is checked, and its check lets it in",
    async ({ start, leave, checked, invalid }) => {
      const socket = await start("held");
      await eventually(() => checked.length > 0);
      await leave(socket);
      checked.pop()?.(true);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "it goes away with half its body sent while it is checked, and its check lets it in",
    async ({ start, leave, checked, invalid }) => {
      const socket = await start("held", "{ }", "{");
      await eventually(() => checked.length > 0);
      await leave(socket);
      checked.pop()?.(true);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "it goes away while its body is read",
    async ({ start, leave, invalid }) => {
      const socket = await start("yes", "{ }", "{");
      await turnOfTheLoop();
      await leave(socket);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "it goes away while it is handled",
    async ({ start, leave, handled }) => {
      const socket = await start("yes", toHold());
      await eventually(() => handled.length > 0);
      await leave(socket);
      handled.pop()?.();
    },
  ],
  [
    "it went away before the router had it",
    async ({ meets, start, leave, invalid }) => {
      meets((req) => new Promise((resolve) => req.once("close", resolve)));
      const socket = await start("yes", "{ }", "{");
      await turnOfTheLoop();
      await leave(socket);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "something else answers it while it is checked",
    async ({ meets, send, checked, invalid }) => {
      meets((_, res) => void eventually(() => checked.length > 0).then(() => res.writeHead(504).end()));
      expect(await send("held")).toBe(504);
      checked.pop()?.(true);
      await eventually(() => invalid.length > 0);
    },
  ],
  [
    "something else answers it while it is handled",
    async ({ meets, send, handled }) => {
      meets((_, res) => void eventually(() => handled.length > 0).then(() => res.writeHead(504).end()));
      expect(await send("yes", toHold())).toBe(504);
      handled.pop()?.();
    },
  ],
  ["its body is too large", async ({ send }) => expect(await send("yes", "x".repeat(BODY_LIMIT + 1))).toBe(413)],
  [
    "its body is too large, and its answer cannot be ended",
    async ({ meets, start, leave, lines }) => {
      meets((_, res) => void (res.end = fail));
      const socket = await start("yes", "x".repeat(20_000), "x");
      expect(await until(socket, "\r\n\r\n")).toMatch(/^HTTP\/1.1 413 /);
      await leave(socket);
      await eventually(() => lines.some((line) => line.includes("(answer-failed)")));
    },
  ],
  [
    "its body cannot be listened to, and comes all the same",
    async ({ meets, start, leave, requests, messages }) => {
      meets((req) => {
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
      await leave(socket);
      expect(messages).toEqual([]);
    },
  ],
  ...[true, false].flatMap((isRead) =>
    [false, true].map(
      (isLost) =>
        [
          `its answer fails${isLost ? " for good" : ""}, its body ${isRead ? "read before" : "read by the router"}`,
          async ({ meets, start, messages, leave }: Kit) => {
            meets((req, res) => {
              res.writeHead = fail;
              if (isLost) res.destroy = fail;
              if (isRead) Object.assign(req, { rawBody: JSON.stringify(callback()) });
            });
            const socket = await start("yes");
            await eventually(() => messages.length > 0);
            await leave(socket);
          },
        ] as const,
    ),
  ),
];

it.each(MISFORTUNES)("a callback gives its place back once where %s", async (_, befall) => {
  const kit = setUp();
  const { sms, server, checked, handled, start, statusOn, send } = kit;
  await listen(server);
  await befall(kit);
  await turnOfTheLoop();

  // One goes through all places: while its body is read, or its message handled, there is no room for another, which shows that nothing was given
  // back twice. close() resolves only when no place is taken.
  const body = toHold();
  const traveller = await start("held", body, body.slice(0, 10));
  await eventually(() => checked.length > 0);
  checked.pop()?.(true);
  await turnOfTheLoop();
  expect(await send("yes")).toBe(503);
  traveller.write(body.slice(10));
  await eventually(() => handled.length > 0);
  expect(await send("yes")).toBe(503);
  handled.pop()?.();
  expect(await statusOn(traveller)).toBe(200);
  await sms.close();
});
