// Several processes on one file: how they share messages, give them back, and wait for each other.

import fs from "node:fs";
import { describe, expect, it, jest } from "@jest/globals";

import { post } from "../../support/callbacks";
import { deferred, recorder } from "../../support/recorder";
import { DRIVERS, type OpenDatabase } from "../drivers";
import { separateInbox, type SeparateOptions } from "../separate";
import { ended, temporary } from "../temporary";
import { until } from "../waiting";

describe.each(DRIVERS)("with $name", ({ open }) => {
  const opened = (file: string): OpenDatabase => {
    const database = open(file);
    ended.push(() => database.close());
    return database;
  };

  /** A router on a file, with its own database handle, as another process would have. */
  const router = (
    file: string,
    others: Parameters<typeof recorder>[0] = {},
    options: Partial<SeparateOptions> = {},
  ) => {
    const database = opened(file);
    const inbox = separateInbox({ database, backoffMs: 20, ...options });
    const recorded = recorder({ inbox, ...others });
    ended.push(() => recorded.sms.close());
    return { ...recorded, inbox, database };
  };

  describe("on closing", () => {
    /** Longer than any spec: nothing is taken over. */
    const leaseMs = 600_000;

    it("gives held messages back, so that another process handles them at once", async () => {
      const file = temporary();
      const { sms, database } = router(file, { concurrency: 1 }, { leaseMs });
      const finish = deferred();
      const started: string[] = [];
      sms.on("message", ({ source }) => {
        started.push(source);
        if (source !== "1") return finish.promise;
        // A message that comes in the turn in which another ends is held.
        for (const next of ["2", "3", "4"]) void sms.receive(post({ source: next }));
        return undefined;
      });
      await sms.receive(post({ source: "1" }));
      await until(() => started.length === 2);
      expect(database.prepare("SELECT COUNT(*) AS held FROM message WHERE state = 2").get()).toMatchObject({ held: 2 });

      const closing = sms.close();
      const second = router(file);
      const attempts: number[] = [];
      second.sms.on("message", (_message, { attempt }) => attempts.push(attempt));
      await until(() => attempts.length === 2);
      finish.resolve();
      await closing;
      expect(started).toEqual(["1", "2"]);
      expect(second.messages.map(({ source }) => source)).toEqual(["3", "4"]);
      expect(attempts).toEqual([1, 1]);
    });

    it("gives back messages that it has taken and not started", async () => {
      const file = temporary();
      const first = router(file, {}, { leaseMs });
      await first.sms.receive(post({ source: "1" }));
      await until(() => first.messages.length === 1);
      // The message is stored, and would start in the next turn of the event loop.
      await first.sms.receive(post({ source: "2" }));
      await first.sms.close();
      const second = router(file);
      const attempts: number[] = [];
      second.sms.on("message", (_message, { attempt }) => attempts.push(attempt));
      await until(() => attempts.length === 1);
      expect(attempts).toEqual([1]);
      expect(first.messages.map(({ source }) => source)).toEqual(["1"]);
      expect(second.messages.map(({ source }) => source)).toEqual(["2"]);
    });
  });

  it.each(["waited in the file", "came in one turn of the event loop"])(
    "leaves messages to another process unless it runs them soon, of many that %s",
    async (how) => {
      const COUNT = 400;
      const file = temporary();
      const sources = Array.from({ length: COUNT }, (_, n) => `${n}`);
      const receiver = router(file, { concurrency: 0 });
      const send = ({ sms }: typeof receiver, some: readonly string[]) =>
        Promise.all(some.map((source) => sms.receive(post({ source }))));
      if (how === "waited in the file") await send(receiver, sources);

      const slow = router(file, { concurrency: 1 });
      const finish = deferred();
      const started: string[] = [];
      slow.sms.on("message", ({ source }) => {
        started.push(source);
        if (started.length > 1) return finish.promise;
        if (how !== "waited in the file") void send(slow, sources.slice(1));
        return undefined;
      });
      if (how !== "waited in the file") await send(slow, sources.slice(0, 1));
      await until(() => started.length === 2);
      const other = router(file);
      await until(() => other.messages.length > COUNT - 10, 20_000);
      finish.resolve();
      await until(() => started.length + other.messages.length === COUNT);
      const handled = [...started, ...other.messages.map(({ source }) => source)];
      expect(new Set(handled)).toEqual(new Set(sources));
    },
    40_000,
  );

  it("gives held messages back, in their place, if they wait for long", async () => {
    const file = temporary();
    const { sms, messages, database } = router(file, { concurrency: 1 });
    const finish = deferred();
    ended.push(() => finish.resolve());
    sms.on("message", ({ source }) => {
      if (source !== "1") return finish.promise;
      // Of those that come in the turn in which one ends, one runs, two are held, and one waits.
      for (const next of ["2", "3", "4", "5"]) void sms.receive(post({ source: next }));
      return undefined;
    });
    await sms.receive(post({ source: "1" }));
    await until(() => messages.length === 2);
    const held = (): number => database.prepare("SELECT seq FROM message WHERE state = 2").all().length;
    expect(held()).toBe(2);
    await until(() => held() === 0);
    const second = router(file, { concurrency: 1 });
    const attempts: number[] = [];
    second.sms.on("message", (_message, { attempt }) => attempts.push(attempt));
    await until(() => attempts.length === 3);
    expect(second.messages.map(({ source }) => source)).toEqual(["3", "4", "5"]);
    expect(attempts).toEqual([1, 1, 1]);
  });

  it("tries a held message again only after backoffMs if it fails before the file says that it runs", async () => {
    const { sms, inbox, messages } = router(temporary(), { concurrency: 1 }, { backoffMs: 600_000 });
    sms.on("message", ({ source }) => {
      if (source === "1") for (const next of ["2", "3", "4", "5"]) void sms.receive(post({ source: next }));
      // While more come, the next one has started and failed before a round says of either.
      if (source === "2") more(20);
      if (["2", "3", "4", "5"].includes(source)) throw new Error("fails");
    });
    const more = (turns: number): void => {
      void sms.receive(post({ source: `9${turns}` }));
      if (turns > 0) setImmediate(() => more(turns - 1));
    };
    await sms.receive(post({ source: "1" }));
    await until(async () => (await inbox.stats()).delayed === 4);
    expect(messages.filter(({ source }) => "2345".includes(source))).toHaveLength(4);
  });

  it("leaves the event loop free while another process holds its file", async () => {
    const file = temporary();
    const { sms } = router(file, { storeTimeoutMs: 20_000 });
    const other = opened(file);
    other.exec("BEGIN EXCLUSIVE");
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    ended.push(() => clearInterval(timer));
    const receipt = sms.receive(post());
    await until(() => ticks >= 50);
    other.exec("COMMIT");
    expect(await receipt).toMatchObject({ outcome: "stored" });
  });

  it("keeps storing while another process empties the log and begins a new one during a look at it", async () => {
    const file = temporary();
    const { sms, errors, inbox } = router(file);
    const other = opened(file);
    let left = Infinity;
    for (const name of ["statSync", "fstatSync", "readSync"] as const) {
      const look = fs[name] as (...given: unknown[]) => unknown;
      const spy = jest.spyOn(fs as unknown as Record<string, typeof look>, name).mockImplementation((...given) => {
        if (--left === 0) {
          expect(other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()).toMatchObject({ busy: 0 });
          other.exec("INSERT INTO process (until) VALUES (0)");
        }
        return look(...given);
      });
      ended.push(() => spy.mockRestore());
    }
    for (let looks = 1; looks <= 12; looks++) {
      // Makes the log longer than the next one.
      await sms.receive(post({ message: "x".repeat(100_000) }));
      await until(async () => (await inbox.stats()).running === 0);
      left = looks;
      for (let n = 0; n < 3; n++) expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
      expect(left).toBeLessThan(0);
    }
    expect(errors).toEqual([]);
  });

  it.each([
    { code: "SQLITE_BUSY" },
    { code: "SQLITE_BUSY_SNAPSHOT" },
    { code: "SQLITE_LOCKED" },
    { code: "SQLITE_LOCKED_SHAREDCACHE" },
    { errcode: 5 },
    { errcode: 6 },
    { errcode: 262 },
  ])("waits for a locked file that the driver reports as %j", async (properties) => {
    const database = opened(temporary());
    let locks = 0;
    const exec = (sql: string): unknown => {
      if (!sql.startsWith("BEGIN IMMEDIATE") || locks === 0) return database.exec(sql);
      locks--;
      throw Object.assign(new Error("locked"), properties);
    };
    const inbox = separateInbox({ database: { exec, prepare: (sql) => database.prepare(sql) } });
    const { sms, errors } = recorder({ inbox });
    ended.push(() => sms.close());
    locks = 3;
    const { message, outcome } = await sms.receive(post());
    expect([outcome, locks]).toEqual(["stored", 0]);
    for (const operation of ["replay", "forget"] as const) {
      locks = 3;
      await inbox[operation](message?.source ?? "");
      expect(locks).toBe(0);
    }
    expect(errors).toEqual([]);
  });
});
