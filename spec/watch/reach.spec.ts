// How long the router's inbox counts as in reach or out of it, to the millisecond: by a clock that the specs move.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Inbox, IncomingSms, IncomingSmsOptions, InboxWork, SmsMessage } from "express-kaleyra-sms";

import { ended } from "../inbox/temporary";
import { post } from "../support/callbacks";
import { deferred, type SomeOptions } from "../support/recorder";
import { loadUnderClock, pass } from "./clock";

const BEAT_MS = 1_000;
const LEASE_MS = 3 * BEAT_MS;
/** A heartbeat is missed in the turn after its time: by jest's clock, that is 1 ms later. */
const MISSED_MS = BEAT_MS + 1;
const NO_STATS = { waiting: 0, running: 0, delayed: 0, dead: 0, oldestWaitingMs: 0 };
const MAX_TIMER_MS = 2 ** 31 - 1;
const HANGS = () => new Promise<never>(() => undefined);

/** An inbox whose parts a spec changes while the router runs. */
interface Changing {
  store: () => Promise<"stored" | "duplicate">;
  stats: (() => Promise<typeof NO_STATS>) | undefined;
  leaseMs: number;
  isLocal?: boolean;
}

let make: ReturnType<typeof loadUnderClock>;
beforeEach(() => {
  make = loadUnderClock();
});

interface Made {
  readonly sms: IncomingSms;
  readonly inbox: Changing;
  /** How often `stats` was called. */
  readonly asked: () => number;
  /** With which the inbox was started. */
  readonly work: () => InboxWork;
  /** Sends a callback. @returns its status */
  readonly send: () => Promise<number>;
  readonly isReady: () => boolean;
}

/** A router with such an inbox, whose first heartbeat has not begun. */
function made(parts: Partial<Changing> = {}, options: SomeOptions = {}): Made {
  let asked = 0;
  let work: InboxWork | undefined;
  const inbox: Changing = {
    store: () => Promise.resolve("stored"),
    stats: () => Promise.resolve(NO_STATS),
    leaseMs: LEASE_MS,
    ...parts,
  };
  const { leaseMs, isLocal } = inbox;
  const given: Inbox = {
    store: () => inbox.store(),
    start: (startedWith) => void (work = startedWith),
    close: () => Promise.resolve(),
    ...(inbox.stats && { stats: () => (asked++, inbox.stats?.() ?? HANGS()) }),
    leaseMs,
    ...(isLocal !== undefined && { isLocal }),
  };
  const logger = { warn: () => undefined, error: () => undefined };
  const sms = make({ inbox: given, authenticate: false, concurrency: 0, logger, ...options } as IncomingSmsOptions);
  sms.on("message", () => undefined).on("error", () => undefined);
  ended.push(() => sms.close());
  return {
    sms,
    inbox,
    asked: () => asked,
    work: () => {
      if (work === undefined) throw new Error("The inbox was not started.");
      return work;
    },
    send: async () => (await sms.receive(post())).status,
    isReady: () => sms.health().ready,
  };
}

/** Passes a time to its last millisecond, in which the router becomes ready, or is no longer. */
async function changesAfter(isReady: () => boolean, ms: number): Promise<void> {
  const before = isReady();
  await pass(ms - 1);
  expect(isReady()).toBe(before);
  await pass(1);
  expect(isReady()).toBe(!before);
}

const away = () => Promise.reject(new Error("away"));
const handOut = (work: InboxWork, attempt = { attempt: 1, final: true }) =>
  work.handle({ key: "k", source: "+919876543210", parts: [] } as unknown as SmsMessage, attempt);

describe("a heartbeat", () => {
  it.each([
    ["a third of leaseMs", LEASE_MS, BEAT_MS],
    ["a third of the longest timer", MAX_TIMER_MS - 1, (MAX_TIMER_MS - 1) / 3],
    ["5 s, if leaseMs is longer than a timer,", MAX_TIMER_MS + 1, 5_000],
    ["5 s, if leaseMs is negative,", -3_000, 5_000],
    ["5 s, if leaseMs is 0,", 0, 5_000],
    ["5 s, if leaseMs is no number,", NaN, 5_000],
  ])("comes with the first turn, and then each time %s has passed", async (_what, leaseMs, beatMs) => {
    const { asked } = made({ leaseMs });
    expect(asked()).toBe(0);
    await pass(0);
    expect(asked()).toBe(1);
    for (const times of [2, 3]) {
      await pass(Math.floor(beatMs) - 1);
      expect(asked()).toBe(times - 1);
      await pass(1);
      expect(asked()).toBe(times);
    }
  });

  it("is not waited for longer than until the next one", async () => {
    const { inbox, asked, isReady } = made();
    await pass(0);
    expect(isReady()).toBe(true);
    inbox.stats = HANGS;
    await pass(BEAT_MS);
    expect(asked()).toBe(2);
    await changesAfter(isReady, MISSED_MS);
    await pass(BEAT_MS - 1);
    expect(asked()).toBe(2);
    inbox.stats = () => Promise.resolve(NO_STATS);
    await changesAfter(isReady, 1);
    expect(asked()).toBe(3);
  });

  it("leaves one timer, for the next one", async () => {
    const { sms } = made();
    await pass(0);
    expect(jest.getTimerCount()).toBe(1);
    await sms.close();
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    ["before the first one", 0],
    ["between two", BEAT_MS / 2],
  ])("does not come after close(), %s", async (_when, ms) => {
    const { sms, asked } = made();
    if (ms > 0) await pass(ms);
    const before = asked();
    void sms.close();
    await pass(10 * LEASE_MS);
    expect(asked()).toBe(before);
  });

  it("that is answered after close() is the last one", async () => {
    const answer = deferred<typeof NO_STATS>();
    const { sms, asked } = made({ stats: () => answer.promise });
    await pass(0);
    void sms.close();
    answer.resolve({ ...NO_STATS, dead: 1 });
    await pass(10 * LEASE_MS);
    expect(asked()).toBe(1);
    expect(sms.health().warnings).toEqual([]);
  });

  it("does not come while a tool only looks at the router", async () => {
    const looking = globalThis as unknown as Record<symbol, boolean>;
    const ONLY = Symbol.for("express-kaleyra-sms: routers are only looked at");
    looking[ONLY] = true;
    ended.push(() => Reflect.deleteProperty(looking, ONLY));
    const { asked } = made();
    await pass(10 * LEASE_MS);
    expect(asked()).toBe(0);
  });

  it("that hangs keeps no process alive", () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        "-e",
        `const { incomingSms } = require("express-kaleyra-sms");
         const stats = () => (console.log("beat"), new Promise(() => {}));
         const inbox = { store: async () => "stored", start: () => {}, close: async () => {}, leaseMs: 600_000, stats };
         incomingSms({ inbox, concurrency: 0, authenticate: false });
         setTimeout(() => {}, 10);`,
      ],
      { cwd: join(__dirname, "../.."), encoding: "utf8", timeout: 20_000 },
    );
    expect([status, stdout]).toEqual([0, "beat\n"]);
  });
});

describe("an inbox with stats", () => {
  it("is in reach at once if it is on this machine, also if it never answers", async () => {
    const { isReady } = made({ isLocal: true, stats: HANGS });
    expect(isReady()).toBe(true);
    await changesAfter(isReady, MISSED_MS);
  });

  it.each([
    ["answers", ({ inbox }: Made) => void (inbox.stats = () => Promise.resolve(NO_STATS))],
    ["stores a message", ({ send }: Made) => send()],
    ["has a duplicate", ({ inbox, send }: Made) => ((inbox.store = () => Promise.resolve("duplicate")), send())],
    ["hands a message out", ({ work }: Made) => handOut(work())],
  ])("is out of reach until it %s for the first time, if it is not", async (_what, succeed) => {
    const one = made({ stats: away }, { concurrency: 1 });
    expect(one.isReady()).toBe(false);
    await pass(LEASE_MS - 1);
    expect(one.isReady()).toBe(false);
    await succeed(one);
    await pass(1);
    expect(one.isReady()).toBe(true);
  });

  it.each([
    ["stores a message", ({ send }: Made) => send()],
    ["hands a message out", ({ work }: Made) => handOut(work())],
  ])("that %s is in reach for one heartbeat more, whatever stats() says", async (_what, succeed) => {
    const one = made({ isLocal: true, stats: away }, { concurrency: 1 });
    await pass(BEAT_MS);
    expect(one.isReady()).toBe(false);
    for (let n = 0; n < 3; n++) {
      await succeed(one);
      expect(one.isReady()).toBe(true);
      await changesAfter(one.isReady, BEAT_MS);
    }
  });
});

describe("an inbox without stats", () => {
  it.each([true, false, undefined])("is in reach at once, with isLocal %s, and stays so", async (isLocal) => {
    const { isReady } = made({ stats: undefined, ...(isLocal !== undefined && { isLocal }) });
    expect(isReady()).toBe(true);
    await pass(10 * LEASE_MS);
    expect(isReady()).toBe(true);
  });
});

describe("a store that fails", () => {
  it.each<[string, Changing["stats"]]>([
    ["without stats", undefined],
    ["that counts its messages", () => Promise.resolve(NO_STATS)],
  ])("counts for a third of leaseMs, and from the second in a row on for all of it: an inbox %s", async (_, stats) => {
    const { inbox, send, isReady } = made({ stats });
    await pass(0);
    inbox.store = away;
    expect([await send(), isReady()]).toEqual([503, false]);
    await changesAfter(isReady, BEAT_MS);
    for (let n = 0; n < 2; n++) {
      expect([await send(), isReady()]).toEqual([503, false]);
      await changesAfter(isReady, LEASE_MS);
    }
    inbox.store = () => Promise.resolve("stored");
    expect(await send()).toBe(200);
    inbox.store = away;
    expect([await send(), isReady()]).toEqual([503, false]);
    await changesAfter(isReady, BEAT_MS);
  });

  it.each(["stored", "duplicate"] as const)("is forgotten with the next one that is %s", async (result) => {
    const { inbox, send, isReady } = made();
    await pass(0);
    inbox.store = away;
    await send();
    await send();
    expect(isReady()).toBe(false);
    inbox.store = () => Promise.resolve(result);
    expect([await send(), isReady()]).toEqual([200, true]);
  });
});

describe("messages that cannot be handed out", () => {
  it.each(["failed", "unwritten"] as const)("count for leaseMs without stats: %s", async (report) => {
    const { work, isReady } = made({ stats: undefined }, { concurrency: 1 });
    await pass(0);
    work()[report]?.(new Error("away"));
    expect(isReady()).toBe(false);
    await changesAfter(isReady, LEASE_MS);
    work()[report]?.(new Error("away"));
    expect(isReady()).toBe(false);
    await handOut(work());
    expect(isReady()).toBe(true);
  });

  it("count until the first heartbeat that succeeds 2 s after the last report", async () => {
    const { work, isReady } = made({ leaseMs: 30_000 }, { concurrency: 1 });
    await pass(8_000);
    work().failed(new Error("away"));
    await pass(2_000);
    expect(isReady()).toBe(false);
    await changesAfter(isReady, 10_000);
    await pass(7_999);
    work().failed(new Error("away"));
    expect(isReady()).toBe(false);
    await changesAfter(isReady, 2_001);
  });

  it("are not meant if one attempt fails outside its handlers", async () => {
    const { sms, work, isReady } = made({ stats: undefined }, { concurrency: 1 });
    const causes: unknown[] = [];
    sms.on("error", ({ cause }) => causes.push(cause));
    await pass(0);
    const broken = {
      get attempt(): number {
        throw new Error("broken");
      },
      final: false,
    };
    expect(await handOut(work(), broken)).toMatchObject({ outcome: "failed" });
    expect(causes).toMatchObject([{ code: "KALEYRA_SMS_HANDLING_FAILED" }]);
    expect(isReady()).toBe(true);
  });
});

describe("a backlog", () => {
  it.each([
    ["a minute, the default of backlogMs,", {}, 60_000],
    ["backlogMs", { backlogMs: 5 }, 5],
  ])("is one if the oldest message waits for longer than %s, and not if as long", async (_what, options, ms) => {
    const { sms, inbox } = made({}, options);
    for (const [oldestWaitingMs, warnings] of [
      [ms, ["dead-letters"]],
      [ms + 1, ["backlog", "dead-letters"]],
      [ms, ["dead-letters"]],
    ] as const) {
      inbox.stats = () => Promise.resolve({ ...NO_STATS, dead: 1, oldestWaitingMs });
      await pass(BEAT_MS);
      expect(sms.health()).toEqual({ ready: true, reasons: [], warnings });
    }
  });
});
