// sms.close(): drained first, while callbacks still come; then closed, within its time.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Inbox, IncomingSms } from "express-kaleyra-sms";
import { simulator } from "express-kaleyra-sms/simulator";
import { memoryInbox } from "express-kaleyra-sms/testing";
import express from "express";

import { ended } from "../inbox/temporary";
import { callback, post } from "../support/callbacks";
import { closeServers, deferred, listen, recorder } from "../support/recorder";
import { closeStreams, openStream } from "../simulator/support";

/** Longer than any spec runs. */
const LONG_MS = 600_000;

/**
 * Only the time of the draining, and what else waits in the process of the specs, stands still: a draining that a
 * spec has not ended, because it failed, keeps no process alive. Connections have Node's own timers.
 */
beforeEach(() => void jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate", "Date"] }));

afterEach(async () => {
  jest.useRealTimers();
  closeStreams();
  await closeServers();
});

/** Sends a callback over the agent's connection. @returns the status, and whether the server closes the connection */
async function send(port: number, agent: Agent): Promise<[status: number | undefined, connection: string | undefined]> {
  const sending = request({ host: "127.0.0.1", port, method: "POST", agent });
  sending.end(JSON.stringify(callback()));
  const [response] = (await once(sending, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return [response.statusCode, response.headers.connection];
}

function keptAlive(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  ended.push(() => agent.destroy());
  return agent;
}

interface Observable {
  readonly observe: (observer: object) => void;
}

/** What a simulator does: observes a router. */
const observe = (sms: IncomingSms, observer: object): void => {
  const state = (sms as unknown as Record<symbol, Observable>)[Symbol.for("express-kaleyra-sms: state of a router")];
  state?.observe(observer);
};

/** Whether a promise is settled within milliseconds of the clock, and not before. */
async function settlesAfter(promise: Promise<unknown>, ms: number): Promise<void> {
  let isSettled = false;
  void promise.then(() => (isSettled = true));
  await jest.advanceTimersByTimeAsync(ms - 1);
  expect(isSettled).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(isSettled).toBe(true);
}

describe.each<[string, () => Inbox | undefined]>([
  ["without an inbox", () => undefined],
  ["with an inbox", () => memoryInbox()],
])("a router that is drained, %s,", (_with, inboxOf) => {
  it("is not ready, and answers and handles as before: each answer closes its connection", async () => {
    const { sms, messages, busy } = recorder({ inbox: inboxOf() });
    const port = await listen(sms);
    const agent = keptAlive();
    expect(await send(port, agent)).toEqual([200, "keep-alive"]);
    const closed = sms.close({ drainMs: LONG_MS });
    expect(sms.health()).toMatchObject({ ready: false, reasons: expect.arrayContaining(["closing"]) as unknown });
    expect(await send(port, agent)).toEqual([200, "close"]);
    expect(await send(port, agent)).toEqual([200, "close"]);
    expect((await sms.receive(post())).status).toBe(200);
    const handled = new Promise<void>((resolve) => sms.on("message", () => resolve()));
    const response = await sms.fetch(
      new Request("http://a.test/", { method: "POST", body: JSON.stringify(callback()) }),
    );
    expect([response.status, response.headers.get("connection")]).toEqual([200, "close"]);
    await handled;
    expect(messages).toHaveLength(5);
    expect(busy).toEqual([]);

    await sms.close();
    await closed;
    expect(await send(port, agent)).toEqual([503, "close"]);
    expect((await sms.receive(post())).outcome).toBe("busy");
    const late = await sms.fetch(new Request("http://a.test/", { method: "POST", body: JSON.stringify(callback()) }));
    expect([late.status, late.headers.get("connection")]).toEqual([503, "close"]);
    expect(messages).toHaveLength(5);
  });
});

describe("close()", () => {
  it("lets no callback in from the call on, if there is no draining", async () => {
    const { sms } = recorder();
    const closed = sms.close();
    expect((await sms.receive(post())).outcome).toBe("busy");
    await closed;
  });

  it("answers a callback that was in hand, and closes its connection", async () => {
    const { sms } = recorder();
    const [begun, handled] = [deferred(), deferred()];
    sms.on("message", () => {
      begun.resolve();
      return handled.promise;
    });
    const sent = send(await listen(sms), keptAlive());
    await begun.promise;
    const closed = sms.close();
    handled.resolve();
    expect(await sent).toEqual([200, "close"]);
    await closed;
  });

  it.each<[string, (sms: IncomingSms) => Promise<void>]>([
    ["close()", (sms) => sms.close()],
    ["close({ drainMs: 0 })", (sms) => sms.close({ drainMs: 0 })],
    ["Symbol.asyncDispose", (sms) => sms[Symbol.asyncDispose]()],
  ])("ends a longer draining at once: %s", async (_how, end) => {
    const { sms } = recorder();
    const closed = sms.close({ drainMs: LONG_MS });
    await end(sms);
    await closed;
    expect((await sms.receive(post())).outcome).toBe("busy");
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    { what: "a longer one", drainMs: 200, atMs: 150, furtherMs: 300, endsAtMs: 200 },
    { what: "one as long", drainMs: 200, atMs: 150, furtherMs: 200, endsAtMs: 200 },
    { what: "a shorter one that would end later", drainMs: 200, atMs: 150, furtherMs: 51, endsAtMs: 200 },
    { what: "one that ends earlier", drainMs: 200, atMs: 150, furtherMs: 49, endsAtMs: 199 },
    { what: "a much shorter one", drainMs: LONG_MS, atMs: 150, furtherMs: 10, endsAtMs: 160 },
  ])("drains until the first end of all calls: $what follows", async ({ drainMs, atMs, furtherMs, endsAtMs }) => {
    const { sms } = recorder();
    const closed = sms.close({ drainMs });
    await jest.advanceTimersByTimeAsync(atMs);
    const all = Promise.all([closed, sms.close({ drainMs: furtherMs })]);
    await settlesAfter(all, endsAtMs - atMs);
    await sms.close({ drainMs: LONG_MS });
    expect((await sms.receive(post())).outcome).toBe("busy");
    expect(jest.getTimerCount()).toBe(0);
  });

  it("begins once, and closes the inbox once, however many calls shorten it", async () => {
    const happened: string[] = [];
    const inbox: Inbox = {
      store: () => Promise.resolve("stored"),
      start: () => undefined,
      close: () => Promise.resolve(void happened.push("closed")),
    };
    const { sms } = recorder({ inbox });
    observe(sms, { callback: () => undefined, closing: () => happened.push("begun") });
    const closed = [300, 200, 100].map((drainMs) => sms.close({ drainMs }));
    expect(happened).toEqual(["begun"]);
    await jest.advanceTimersByTimeAsync(LONG_MS);
    await Promise.all(closed);
    await sms.close();
    expect(happened).toEqual(["begun", "closed"]);
  });

  it("closes once, also if the clock of a test runner begins in between", async () => {
    jest.useRealTimers();
    let closes = 0;
    const inbox: Inbox = {
      store: () => Promise.resolve("stored"),
      start: () => undefined,
      close: () => (closes++, Promise.resolve()),
    };
    const { sms } = recorder({ inbox });
    await sms.close();
    jest.useFakeTimers();
    try {
      await sms.close();
      expect(closes).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it("rejects with a TypeError for what it does not take, and then nothing is closed", async () => {
    const { sms } = recorder();
    for (const wrong of [
      { drainMs: -1 },
      { drainMs: 1.5 },
      { drainMs: NaN },
      { drainMs: Infinity },
      { drainMs: 2 ** 31 },
      { drainMs: "1000" },
      { drainMs: null },
      { drainsMs: 1 },
      [],
      null,
      1_000,
    ])
      await expect(sms.close(wrong as never)).rejects.toMatchObject({
        name: "TypeError",
        code: "KALEYRA_SMS_INVALID_ARGUMENT",
      });
    expect(sms.health().ready).toBe(true);
    expect((await sms.receive(post())).status).toBe(200);
    await sms.close({ drainMs: undefined });
    expect(sms.health().reasons).toEqual(["closing"]);
  });

  it("closes at once as the listener of a signal, which gets the signal's name", async () => {
    const { sms } = recorder();
    await (sms.close as (signal: string) => Promise<void>)("SIGTERM");
    expect((await sms.receive(post())).status).toBe(503);
  });

  it("ends the streams of the simulator when the draining begins", async () => {
    const { sms } = recorder();
    const port = await listen(
      express()
        .use("/sms", sms)
        .use("/simulator", simulator(sms, { target: "/sms" })),
    );
    const stream = await openStream(port);
    const closed = sms.close({ drainMs: LONG_MS });
    await stream.ended;
    await sms.close();
    await closed;
  });
});

describe("the time that close() takes", () => {
  it("is drainMs and one handlerTimeoutMs, with a handler that never ends", async () => {
    const { sms } = recorder({ handlerTimeoutMs: 10_000 });
    sms.on("message", () => new Promise(() => undefined));
    const closed = sms.close({ drainMs: 20_000 });
    await jest.advanceTimersByTimeAsync(19_999);
    const last = sms.receive(post());
    await settlesAfter(closed, 10_000); // the last callback came 1 ms before the end of the draining
    expect(await last).toMatchObject({ status: 500, outcome: "failed" });
  });

  it("is drainMs, handlerTimeoutMs and storeTimeoutMs, with an inbox that hangs, too", async () => {
    const hangs = () => new Promise<never>(() => undefined);
    const inbox: Inbox = {
      store: hangs,
      start: (work) => void work.handle({ key: "k", source: "1", parts: [] } as never, { attempt: 1, final: true }),
      close: hangs,
      stats: hangs,
    };
    const { sms } = recorder({ inbox, handlerTimeoutMs: 10_000, storeTimeoutMs: 5_000 });
    sms.on("message", hangs);
    const closed = sms.close({ drainMs: 20_000 });
    await jest.advanceTimersByTimeAsync(19_999);
    const last = sms.receive(post());
    await settlesAfter(closed, 15_001);
    expect((await last).status).toBe(503);
  });
});

describe("over HTTP/2", () => {
  it("answers without the header Connection while it closes, and Node prints no warning", () => {
    // In a process of its own: what Node warns of does not reach the process that jest shows to specs.
    const script = `
      const { once } = require("node:events");
      const { connect, createServer } = require("node:http2");
      const { incomingSms } = require("express-kaleyra-sms");
      const logger = { warn: () => {}, error: () => {} };
      const sms = incomingSms({ authenticate: false, logger }).on("message", () => {});
      const server = createServer(sms).listen(0, "127.0.0.1", async () => {
        const session = connect("http://127.0.0.1:" + server.address().port);
        const send = async () => {
          const stream = session.request({ ":method": "POST", ":path": "/" });
          stream.resume().end(JSON.stringify({ id: "1", source: "1", recipient: "2", message: "hello" }));
          const [head] = await once(stream, "response");
          console.log(head[":status"], head.connection);
        };
        sms.on("invalid", console.log).on("busy", () => {});
        const closed = sms.close({ drainMs: 60_000 });
        await send();
        await sms.close();
        await send();
        session.close();
        server.close();
      });`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], {
      cwd: join(__dirname, "../.."),
      encoding: "utf8",
      timeout: 20_000,
      env: { ...process.env, NODE_ENV: "production" },
    });
    expect(stdout).toBe("200 undefined\n503 undefined\n");
    expect(stderr).toBe("");
  });
});
