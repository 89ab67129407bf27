// The metrics of an inbox: its counts once a scrape, and its failures. A scrape succeeds whatever the inbox does.

import { afterEach, expect, it, jest } from "@jest/globals";
import type { InboxStats } from "express-kaleyra-sms";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { memoryInbox } from "express-kaleyra-sms/testing";

import { DRIVERS } from "../inbox/drivers";
import { ended, temporary } from "../inbox/temporary";
import { post } from "../support/callbacks";
import { deferred, type SomeOptions } from "../support/recorder";
import { measured, ownInbox, scraped, withEachClient, type Client, type Measured, type Samples } from "./clients";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
afterEach(() => void jest.useRealTimers());

const STATS: InboxStats = { waiting: 3, running: 2, delayed: 1, dead: 4, oldestWaitingMs: 1_500 };
const SHOWN = {
  'inbox_messages{state="waiting"}': 3,
  'inbox_messages{state="running"}': 2,
  'inbox_messages{state="delayed"}': 1,
  'inbox_messages{state="dead"}': 4,
  inbox_oldest_waiting_seconds: 1.5,
};

/** The gauges of the inbox, and how often it could not be read. */
function read(samples: Samples): Samples {
  const names = [...Object.keys(SHOWN), 'inbox_errors_total{operation="read"}'];
  return Object.fromEntries(Object.entries(samples).filter(([name]) => names.includes(name)));
}
const failed = (times: number): Samples => ({ 'inbox_errors_total{operation="read"}': times });

withEachClient((client: Client) => {
  const opened = (options: SomeOptions): Measured => {
    const made = measured(client, options);
    ended.push(() => made.sms.close());
    return made;
  };
  /** With an inbox whose `stats` does what a spec wants. */
  const withStats = async (stats: () => Promise<InboxStats>) => {
    const ask = jest.fn(stats);
    const asked = deferred();
    const { samples } = opened({
      inbox: ownInbox({
        stats: () => {
          asked.resolve();
          return ask();
        },
      }),
    });
    // The first heartbeat of the router, which asks too.
    await asked.promise;
    ask.mockClear();
    return { samples, ask };
  };

  it("the counts of the inbox are read once for all of them, and anew at each scrape", async () => {
    let stats = STATS;
    const { samples, ask } = await withStats(async () => Promise.resolve(stats));
    expect(read(await samples())).toEqual({ ...SHOWN, ...failed(0) });
    expect(ask).toHaveBeenCalledTimes(1);
    stats = { ...STATS, dead: 5, oldestWaitingMs: 0 };
    const shown = { ...SHOWN, 'inbox_messages{state="dead"}': 5, inbox_oldest_waiting_seconds: 0 };
    const both = await Promise.all([samples(), samples()]);
    expect(both.map(read)).toEqual([
      { ...shown, ...failed(0) },
      { ...shown, ...failed(0) },
    ]);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["rejects", async () => Promise.reject(new Error("down"))],
    [
      "throws",
      () => {
        throw new Error("down");
      },
    ],
    ["gives nothing", async () => Promise.resolve(undefined)],
    ["gives less", async () => Promise.resolve({ waiting: 1, running: 1 })],
    ["gives no number", async () => Promise.resolve({ ...STATS, dead: NaN })],
  ])("an inbox that %s leaves its gauges out and counts an error, until it can be read again", async (_how, fails) => {
    let stats = fails as () => Promise<InboxStats>;
    const { samples } = await withStats(async () => stats());
    const before = await samples();
    expect(read(before)).toEqual(failed(1));
    expect(before).toMatchObject({ in_flight: 0, repaired_total: 0 });
    stats = async () => Promise.resolve(STATS);
    expect(read(await samples())).toEqual({ ...SHOWN, ...failed(1) });
    stats = fails as () => Promise<InboxStats>;
    expect(read(await samples())).toEqual(failed(2));
  });

  it("an inbox that does not answer for two seconds is left out, and asked again at the next scrape", async () => {
    let answer = deferred<InboxStats>();
    const { samples, ask } = await withStats(() => answer.promise);
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "performance"] });
    let scrapes = 0;
    const first = samples().finally(() => scrapes++);
    await jest.advanceTimersByTimeAsync(1_999);
    expect(scrapes).toBe(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(read(await first)).toEqual(failed(1));
    expect(jest.getTimerCount()).toBe(0);
    answer = deferred();
    answer.resolve(STATS);
    expect(read(await samples())).toEqual({ ...SHOWN, ...failed(1) });
    expect(ask).toHaveBeenCalledTimes(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("the workers of a cluster have the counts of their inbox once, and not once each", async () => {
    const { register } = opened({ inbox: ownInbox({ stats: async () => Promise.resolve(STATS) }) });
    const worker = await register.getMetricsAsJSON();
    const { samples } = scraped(client.AggregatorRegistry.aggregate([worker, worker]));
    expect(await samples()).toMatchObject(SHOWN);
  });

  it("a router that is closed leaves the gauges of its inbox out, and counts no error", async () => {
    const { sms, samples } = opened({ inbox: memoryInbox() });
    expect(read(await samples())).toMatchObject({ 'inbox_messages{state="waiting"}': 0 });
    await sms.close();
    expect(read(await samples())).toEqual(failed(0));
  });

  it("failures to store, to take and to end are counted, and storing is measured if it fails, too", async () => {
    let store: () => Promise<"stored" | "duplicate"> = async () => Promise.resolve("stored");
    const inbox = ownInbox({ store: async () => store() });
    const { sms, counts } = opened({ inbox, storeTimeoutMs: 20 });
    sms.on("message", () => undefined).on("error", () => undefined);
    await sms.receive(post());
    store = async () => Promise.resolve("duplicate");
    await sms.receive(post());
    store = async () => Promise.reject(new Error("down"));
    await sms.receive(post());
    store = () => new Promise(() => undefined);
    await sms.receive(post());
    const { failed: takeFailed, unwritten } = await inbox.work;
    takeFailed(new Error("down"));
    unwritten?.(new Error("down"));
    unwritten?.(new Error("down"));
    expect(await counts()).toMatchObject({
      'callbacks_total{method="POST",outcome="stored"}': 1,
      'callbacks_total{method="POST",outcome="duplicate"}': 1,
      'callbacks_total{method="POST",outcome="failed"}': 2,
      inbox_store_duration_seconds_count: 4,
      'inbox_errors_total{operation="store"}': 2,
      'inbox_errors_total{operation="take"}': 1,
      'inbox_errors_total{operation="end"}': 2,
    });
  });

  it("dead letters are counted by their cause", async () => {
    const inbox = memoryInbox({ attempts: 1 });
    const { sms, counts } = opened({ inbox });
    sms.on("message", () => Promise.reject(new Error("down"))).on("error", () => undefined);
    await sms.receive(post());
    const { message } = await sms.receive(post({ source: "4711" }));
    await inbox.advance(0);
    expect(await counts()).toMatchObject({ 'dead_letters_total{cause="attempts"}': 2 });

    const own = ownInbox();
    const other = opened({ inbox: own });
    other.sms.on("message", () => undefined).on("error", () => undefined);
    const { failed: becameDead } = await own.work;
    becameDead(new Error("the process ended in each attempt"), message, 1);
    expect(await other.counts()).toEqual({
      'dead_letters_total{cause="cut-short"}': 1,
      'handler_duration_seconds_count{event="error",result="ok"}': 1,
    });
  });

  it("a row that is no message is a dead letter that is unreadable", async () => {
    const [driver] = DRIVERS;
    if (driver === undefined) throw new Error("No SQLite driver can be loaded.");
    const file = temporary();
    const receiver = opened({ inbox: sqliteInbox({ database: driver.open(file) }), concurrency: 0 });
    await receiver.sms.receive(post());
    await receiver.sms.close();
    const database = driver.open(file);
    ended.push(() => database.close());
    database.exec("UPDATE message SET body = 'no message'");
    const { sms, counts } = opened({ inbox: sqliteInbox({ database }) });
    const reported = deferred();
    sms.on("message", () => undefined).on("error", () => reported.resolve());
    await reported.promise;
    expect(await counts()).toEqual({
      'dead_letters_total{cause="unreadable"}': 1,
      'handler_duration_seconds_count{event="error",result="ok"}': 1,
    });
  });
});
