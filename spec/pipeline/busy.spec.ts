// Callbacks that are answered 503 without being handled: the event `busy`, and what leaves room for others.

import { afterEach, describe, expect, it } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";

import { callback, post } from "../support/callbacks";
import { closeServers, deferred, listen, recorder } from "../support/recorder";

afterEach(closeServers);

describe("busy", () => {
  it("is emitted with the reason capacity if maxInFlight is reached, over HTTP and by receive", async () => {
    const { sms, busy, lines } = recorder({ maxInFlight: 1 });
    const handled = deferred();
    sms.on("message", () => handled.promise);
    const port = await listen(sms);
    const send = () =>
      fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(callback({ source: "4711" })) });
    const first = sms.receive(post());
    expect((await send()).status).toBe(503);
    expect(await sms.receive({ method: "GET", query: "id=1" })).toMatchObject({ outcome: "busy", status: 503 });
    expect(busy).toMatchObject([
      { reason: "capacity", method: "POST" },
      { reason: "capacity", method: "GET" },
    ]);
    for (const one of busy) {
      expect(one.receivedAt).toMatch(/^\d{4}-.*Z$/);
      expect(one).not.toHaveProperty("message");
      expect(Object.isFrozen(one)).toBe(true);
    }
    handled.resolve();
    expect(await first).toMatchObject({ outcome: "handled" });
    expect(lines.filter((line) => line.includes("busy"))).toEqual([]);
  });

  it("is emitted with the reason closing while the router closes", async () => {
    const { sms, busy } = recorder();
    const port = await listen(sms);
    await sms.close();
    const body = JSON.stringify(callback());
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body })).status).toBe(503);
    expect(await sms.receive(post())).toMatchObject({ outcome: "busy" });
    expect(busy).toMatchObject([{ reason: "closing" }, { reason: "closing" }]);
  });

  it("without a handler is one line a minute for the logger", async () => {
    const lines: string[] = [];
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
    const sms = incomingSms({ authenticate: false, maxInFlight: 1, handlerTimeoutMs: 50, logger });
    sms.on("message", () => new Promise(() => undefined)).on("error", () => undefined);
    void sms.receive(post());
    await sms.receive(post());
    await sms.receive(post());
    expect(lines).toEqual([
      'express-kaleyra-sms: Answered a callback 503 (capacity). Register sms.on("busy", ...) to count them. (busy)',
    ]);
  });

  it("changes no answer if its handler fails, and is not waited for", async () => {
    const { sms, lines } = recorder({ maxInFlight: 1, handlerTimeoutMs: 50 });
    sms.on("message", () => new Promise(() => undefined));
    sms.on("busy", () => new Promise(() => undefined));
    sms.on("busy", () => {
      throw new Error("no");
    });
    void sms.receive(post());
    expect(await sms.receive(post())).toMatchObject({ outcome: "busy", status: 503 });
    await new Promise(setImmediate);
    await sms.close();
    expect(lines).toMatchObject([
      expect.stringMatching(/A handler of "busy" failed: Error at .*\(handler-of-busy-failed\)$/),
    ]);
  });
});

describe("messages of one source", () => {
  it("wait or run at most a quarter of maxInFlight at a time: more are busy, other sources are handled", async () => {
    const { sms, busy, messages } = recorder({ maxInFlight: 8 });
    const handled = deferred();
    sms.on("message", ({ source }) => (source === "+919876543210" ? handled.promise : undefined));
    const flood = Array.from({ length: 5 }, () => sms.receive(post({ source: "919876543210" })));
    expect(await sms.receive(post({ source: "919812345678" }))).toMatchObject({ outcome: "handled" });
    expect(await Promise.all(flood.slice(2))).toMatchObject(
      Array(3).fill({
        outcome: "busy",
        status: 503,
        headers: { "Retry-After": "1" },
        message: { source: "+919876543210" },
      }),
    );
    expect(busy).toMatchObject(Array(3).fill({ reason: "source", message: { source: "+919876543210" } }));
    handled.resolve();
    expect(await Promise.all(flood.slice(0, 2))).toMatchObject(Array(2).fill({ outcome: "handled" }));
    expect(messages).toHaveLength(3);
    expect(await sms.receive(post({ source: "919876543210" }))).toMatchObject({ outcome: "handled" });
  });

  it("are at least one, however small maxInFlight is", async () => {
    const { sms } = recorder({ maxInFlight: 1, deduplicate: false });
    expect(await sms.receive(post())).toMatchObject({ outcome: "handled" });
  });
});

describe("duplicates of a message in flight", () => {
  it("hold no slot of the messages that are handled", async () => {
    const { sms, busy, duplicates } = recorder({ maxInFlight: 4 });
    const handled = deferred();
    sms.on("message", ({ source }) => (source === "+919876543210" ? handled.promise : undefined));
    const first = post({ source: "919876543210" });
    const all = [sms.receive(first), ...Array.from({ length: 4 }, () => sms.receive(first))];
    expect(await sms.receive(post({ source: "919812345678" }))).toMatchObject({ outcome: "handled" });
    expect(await sms.receive(first)).toMatchObject({ outcome: "busy" });
    expect(busy).toMatchObject([{ reason: "capacity" }]);
    handled.resolve();
    expect((await Promise.all(all)).map(({ outcome }) => outcome)).toEqual([
      "handled",
      ...Array<string>(4).fill("duplicate"),
    ]);
    expect(duplicates).toHaveLength(4);
    await sms.close();
  });
});
