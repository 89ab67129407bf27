// sms.health(): whether callbacks should be sent here. It asks nobody: heartbeats, stores and takes have shown it.

import { spawnSync } from "node:child_process";
import { renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { Queue } from "bullmq";
import { incomingSms, type Inbox, type IncomingSms, type InboxWork, type SmsMessage } from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { memoryInbox } from "express-kaleyra-sms/testing";
import Database from "libsql";

import { ended, temporary } from "../inbox/temporary";
import { until, waitFor } from "../inbox/waiting";
import { post } from "../support/callbacks";
import { deferred, recorder, type SomeOptions } from "../support/recorder";
import { describeWithRedis, redisServer } from "../support/redis";

const QUIET = { warn: () => undefined, error: () => undefined };
const LEASE_MS = 120;
const PACKAGE = "express-kaleyra-sms";
/** A lease that no spec lives to see end. */
const LONG_LEASE_MS = 600_000;
const READY = { ready: true, reasons: [], warnings: [] };
const UNREACHABLE = { ready: false, reasons: ["inbox-unreachable"] };
const NO_STATS = { waiting: 0, running: 0, delayed: 0, dead: 0, oldestWaitingMs: 0 };

/** A router that is closed after the spec. It only receives, unless `options` say otherwise. */
function receiver(inbox: Inbox, options: SomeOptions = {}): IncomingSms {
  const { sms } = recorder({ inbox, concurrency: 0, storeTimeoutMs: 50, ...options });
  ended.push(() => sms.close());
  return sms;
}

/** An inbox of a user's own. */
function own(parts: Partial<Inbox> = {}): Inbox {
  return {
    store: () => Promise.resolve("stored"),
    start: () => undefined,
    close: () => Promise.resolve(),
    ...parts,
  };
}

/** The next error of an inbox, and what health() says while it is reported. */
const firstError = (sms: IncomingSms): Promise<unknown> =>
  new Promise((resolve) => {
    sms.on("error", ({ cause }) => resolve({ code: (cause as { code?: string }).code, health: sms.health() }));
  });

const isReady = (sms: IncomingSms) => () => sms.health().ready;
const isUnreachable = (sms: IncomingSms) => () => sms.health().reasons.includes("inbox-unreachable");

describe("a router without an inbox", () => {
  it("is ready once a handler of messages is registered, on it or on a business number", () => {
    for (const register of [
      (sms: IncomingSms) => sms.on("message", () => undefined),
      (sms: IncomingSms) => sms.on("unmatched", () => undefined),
      (sms: IncomingSms) => sms.keyword("STOP", () => undefined),
      (sms: IncomingSms) => sms.recipient("5050").keyword("STOP", () => undefined),
    ]) {
      const sms = incomingSms({ authenticate: false, logger: QUIET });
      sms.on("error", () => undefined).on("invalid", () => undefined);
      expect(sms.health()).toEqual({ ready: false, reasons: ["no-handler"], warnings: [] });
      register(sms);
      expect(sms.health()).toEqual(READY);
    }
  });

  it("is not ready when its last handler of messages is gone", () => {
    const handler = () => undefined;
    const sms = incomingSms({ authenticate: false, logger: QUIET }).on("message", handler);
    sms.off("message", handler);
    expect(sms.health().reasons).toEqual(["no-handler"]);
  });

  it("is not ready from close() on, with every reason in one list", async () => {
    const sms = incomingSms({ authenticate: false, logger: QUIET });
    const closed = sms.close();
    expect(sms.health()).toEqual({ ready: false, reasons: ["closing", "no-handler"], warnings: [] });
    await closed;
    expect(sms.health().reasons).toEqual(["closing", "no-handler"]);
  });
});

describe("what health() returns", () => {
  it("is frozen, and made for each call", () => {
    const sms = incomingSms({ authenticate: false, logger: QUIET });
    const health = sms.health();
    for (const part of [health, health.reasons, health.warnings]) expect(Object.isFrozen(part)).toBe(true);
    sms.on("message", () => undefined);
    expect(health.ready).toBe(false);
    expect(sms.health().ready).toBe(true);
  });

  it("costs no call of the inbox", async () => {
    let calls = 0;
    const counting = <Result>(result: Result) => (calls++, Promise.resolve(result));
    const sms = receiver(own({ leaseMs: LONG_LEASE_MS, stats: () => counting(NO_STATS) }));
    await until(() => calls === 1);
    for (let n = 0; n < 1_000; n++) sms.health();
    await new Promise(setImmediate);
    expect(calls).toBe(1);
  });
});

describe("a router with an inbox", () => {
  it("needs no handler of messages if it only receives", async () => {
    const sms = receiver(own());
    expect(sms.health()).toEqual(READY);
    const handling = receiver(own(), { concurrency: 1 });
    expect(handling.health()).toEqual(READY);
    const unhandled = incomingSms({ inbox: own(), authenticate: false, logger: QUIET });
    expect(unhandled.health().reasons).toEqual(["no-handler"]);
    await unhandled.close();
  });

  it("is ready at once if the inbox is on this machine", () => {
    expect(receiver(memoryInbox()).health()).toEqual(READY);
    expect(receiver(own({ isLocal: true, stats: () => new Promise(() => undefined) })).health()).toEqual(READY);
  });

  it("is not ready before a remote inbox has answered for the first time", async () => {
    const answer = deferred<typeof NO_STATS>();
    const sms = receiver(own({ leaseMs: LONG_LEASE_MS, stats: () => answer.promise }));
    expect(sms.health()).toMatchObject(UNREACHABLE);
    answer.resolve(NO_STATS);
    await until(isReady(sms));
    expect(sms.health()).toEqual(READY);
  });

  it("is ready at once if the inbox has no stats, and not for one lease after a failed store", async () => {
    const sms = receiver(own({ leaseMs: 300, store: () => Promise.reject(new Error("full")) }));
    expect(sms.health()).toEqual(READY);
    expect((await sms.receive(post())).status).toBe(503);
    expect(sms.health()).toMatchObject(UNREACHABLE);
    await until(isReady(sms));
  });

  it("is not ready while the inbox answers and stores nothing, and is with the first message stored", async () => {
    let isFull = true;
    const store = () => (isFull ? Promise.reject(new Error("full")) : Promise.resolve("stored" as const));
    const sms = receiver(own({ leaseMs: LONG_LEASE_MS, store, stats: () => Promise.resolve(NO_STATS) }));
    await until(isReady(sms));
    await sms.receive(post());
    expect(sms.health()).toMatchObject(UNREACHABLE);
    isFull = false;
    await sms.receive(post());
    expect(sms.health()).toEqual(READY);
  });

  it("is ready with the first message stored after a missed heartbeat", async () => {
    const sms = receiver(own({ leaseMs: LONG_LEASE_MS, stats: () => Promise.reject(new Error("away")) }));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(sms.health()).toMatchObject(UNREACHABLE);
    expect((await sms.receive(post())).status).toBe(200);
    expect(sms.health()).toEqual(READY);
  });

  it("is not ready when a store takes longer than storeTimeoutMs", async () => {
    const sms = receiver(own({ leaseMs: LONG_LEASE_MS, store: () => new Promise(() => undefined) }));
    expect((await sms.receive(post())).status).toBe(503);
    expect(sms.health()).toMatchObject(UNREACHABLE);
  });

  it("is not ready while messages cannot be handed out, and is again with the next one handed out", async () => {
    let work: InboxWork | undefined;
    const inbox = own({ leaseMs: LONG_LEASE_MS, start: (given) => void (work = given) });
    const sms = receiver(inbox, { concurrency: 1 });
    await until(() => work !== undefined);
    for (const fail of ["failed", "unwritten"] as const) {
      work?.[fail]?.(new Error("away"));
      expect(sms.health()).toMatchObject(UNREACHABLE);
      await work?.handle({ key: "k", source: "+919876543210", parts: [] } as unknown as SmsMessage, {
        attempt: 1,
        final: true,
      });
      expect(sms.health()).toEqual(READY);
    }
  });

  it("is ready again with the next heartbeat after messages could not be handed out", async () => {
    let work: InboxWork | undefined;
    const stats = () => Promise.resolve(NO_STATS);
    const sms = receiver(own({ leaseMs: LEASE_MS, stats, start: (given) => void (work = given) }), { concurrency: 1 });
    await until(() => work !== undefined && sms.health().ready);
    work?.failed(new Error("away"));
    expect(sms.health()).toMatchObject(UNREACHABLE);
    await until(isReady(sms));
  });

  it("stays ready when a single message became a dead letter", async () => {
    let work: InboxWork | undefined;
    const inbox = own({ start: (given) => void (work = given) });
    const sms = receiver(inbox, { concurrency: 1 });
    await until(() => work !== undefined);
    work?.failed(new Error("cut short"), { key: "k", source: "+919876543210" } as SmsMessage, 5);
    expect(sms.health()).toEqual(READY);
  });

  it.each<[string, () => unknown]>([
    ["rejects", () => Promise.reject(new Error("away"))],
    [
      "throws",
      () => {
        throw new Error("away");
      },
    ],
    ["hangs", () => new Promise(() => undefined)],
  ])("is not ready within a lease when stats() %s, and is again when it answers", async (_what, fail) => {
    let isAway = false;
    const stats = (() => (isAway ? fail() : Promise.resolve(NO_STATS))) as NonNullable<Inbox["stats"]>;
    const sms = receiver(own({ leaseMs: LEASE_MS, stats }));
    await until(isReady(sms));
    isAway = true;
    await until(isUnreachable(sms));
    expect(sms.health()).toEqual({ ready: false, reasons: ["inbox-unreachable"], warnings: [] });
    isAway = false;
    await until(isReady(sms));
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["texts, as a database gives large numbers", { ...NO_STATS, dead: "0" }],
  ])("is ready when stats() gives %s, and says once that the inbox is wrong", async (_what, stats) => {
    let asked = 0;
    const inbox = own({ leaseMs: LEASE_MS, stats: () => (asked++, Promise.resolve(stats)) as never });
    const causes: unknown[] = [];
    const sms = receiver(inbox).on("error", ({ cause }) => causes.push(cause));
    await until(() => asked > 3);
    expect(sms.health()).toEqual(READY);
    expect(causes).toMatchObject([{ code: "KALEYRA_SMS_INBOX_CONTRACT" }]);
  });

  it("is not ready within a lease when the inbox's file is gone, and is again when it is back", async () => {
    const file = temporary();
    const inbox = sqliteInbox({ file, driver: "libsql", leaseMs: LEASE_MS });
    const sms = receiver(inbox, { concurrency: 1 });
    // Its thread has opened the file once it answers.
    await inbox.stats();
    await until(isReady(sms));
    renameSync(file, `${file}-away`);
    await until(isUnreachable(sms));
    expect((await sms.receive(post())).status).toBe(503);
    renameSync(`${file}-away`, file);
    expect((await sms.receive(post())).status).toBe(200);
    await until(isReady(sms));
  });

  it("stays ready when one message of the file cannot be read", async () => {
    const file = temporary();
    const before = receiver(sqliteInbox({ file, driver: "libsql" }));
    await before.receive(post());
    await before.close();
    const database = new Database(file);
    database.exec("UPDATE message SET body = '{'");
    database.close();
    const sms = receiver(sqliteInbox({ file, driver: "libsql" }), { concurrency: 1 });
    expect(await firstError(sms)).toEqual({ code: "KALEYRA_SMS_UNREADABLE", health: READY });
  });
});

describe("a warning", () => {
  it("says that the oldest message has waited longer than backlogMs: the router stays ready", async () => {
    const sms = receiver(memoryInbox({ leaseMs: LEASE_MS }), { backlogMs: 1 });
    await until(isReady(sms));
    expect(sms.health()).toEqual(READY);
    await sms.receive(post());
    await until(() => sms.health().warnings.length > 0);
    expect(sms.health()).toEqual({ ready: true, reasons: [], warnings: ["backlog"] });
  });

  it("says that there are dead letters, until they are replayed or discarded", async () => {
    const inbox = memoryInbox({ leaseMs: LEASE_MS, attempts: 1 });
    const sms = receiver(inbox, { concurrency: 1 });
    sms.on("message", () => Promise.reject(new Error("no")));
    const { message } = await sms.receive(post());
    await until(() => sms.health().warnings.length > 0);
    expect(sms.health()).toEqual({ ready: true, reasons: [], warnings: ["dead-letters"] });
    await inbox.discard(message?.key ?? "");
    await until(() => sms.health().warnings.length === 0);
  });
});

describe("the heartbeat", () => {
  it("keeps no process alive", () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        "-e",
        `const { incomingSms } = require("express-kaleyra-sms");
         const stats = () => (console.log("beat"), Promise.resolve(${JSON.stringify(NO_STATS)}));
         const inbox = { store: async () => "stored", start: () => {}, close: async () => {}, leaseMs: 3, stats };
         incomingSms({ inbox, concurrency: 0, authenticate: false });
         setTimeout(() => {}, 100);`,
      ],
      { cwd: join(__dirname, "../.."), encoding: "utf8", timeout: 20_000 },
    );
    expect(status).toBe(0);
    expect(stdout).toContain("beat\nbeat");
  });

  it("stops with close()", async () => {
    let calls = 0;
    const beating = deferred();
    const stats = () => {
      if (++calls === 2) beating.resolve();
      return Promise.resolve(NO_STATS);
    };
    const sms = receiver(own({ leaseMs: 15, stats }));
    await beating.promise;
    await sms.close();
    const before = calls;
    await waitFor(60);
    expect(calls).toBe(before);
  });

  it("does not run by the clock of a test runner, also if the package is loaded under it", async () => {
    let calls = 0;
    const stats = () => (calls++, Promise.resolve(NO_STATS));
    jest.useFakeTimers();
    try {
      const loaded: Array<typeof incomingSms> = [incomingSms];
      jest.isolateModules(() =>
        loaded.push(jest.requireActual<{ incomingSms: typeof incomingSms }>(PACKAGE).incomingSms),
      );
      for (const make of loaded) {
        const sms = make({ inbox: own({ leaseMs: LONG_LEASE_MS, stats }), concurrency: 0, authenticate: false });
        ended.push(() => sms.close());
      }
      await jest.advanceTimersByTimeAsync(10 * LONG_LEASE_MS);
      jest.runAllTimers();
      expect(calls).toBeLessThanOrEqual(2);
    } finally {
      jest.useRealTimers();
    }
  });

  it("is ready a lease after a failed store without a request, also while a test's clock stands still", async () => {
    const sms = receiver(own({ leaseMs: LEASE_MS, store: () => Promise.reject(new Error("full")) }));
    jest.useFakeTimers();
    try {
      await sms.receive(post());
      expect(sms.health()).toMatchObject(UNREACHABLE);
      await until(isReady(sms));
    } finally {
      jest.useRealTimers();
    }
  });
});

describeWithRedis("a receiver on Redis", () => {
  it("is not ready when Redis is stopped or does not answer, and is again when it is back", async () => {
    const redis = await redisServer();
    ended.push(() => redis.remove());
    const connection = { host: "127.0.0.1", port: redis.port };
    const sms = receiver(bullmqInbox({ connection, leaseMs: 1_000 }));
    await until(isReady(sms));
    for (const [away, back] of [
      [() => redis.stop(), () => redis.start()],
      [() => redis.pause(), () => redis.resume()],
    ] as const) {
      await away();
      await until(isUnreachable(sms));
      await back();
      await until(isReady(sms), 10_000);
    }
  }, 30_000);

  it("stays ready when a job of its queue is none of its messages", async () => {
    const redis = await redisServer();
    ended.push(() => redis.remove());
    const connection = { host: "127.0.0.1", port: redis.port };
    const name = "orders";
    const sms = receiver(bullmqInbox({ connection, name }), { concurrency: 1 });
    const error = firstError(sms);
    await until(isReady(sms));
    const queue = new Queue(name, { connection });
    ended.push(() => queue.close());
    await queue.add("other", {});
    expect(await error).toEqual({ code: "KALEYRA_SMS_FOREIGN_JOB", health: READY });
  });

  it("is not ready when it was given an address without Redis", async () => {
    const redis = await redisServer();
    await redis.remove();
    const sms = receiver(bullmqInbox({ connection: { host: "127.0.0.1", port: redis.port }, leaseMs: 300 }));
    expect(sms.health()).toMatchObject(UNREACHABLE);
    await waitFor(600);
    expect(sms.health()).toMatchObject(UNREACHABLE);
  });
});
