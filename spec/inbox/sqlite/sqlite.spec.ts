// The inbox in an SQLite file, with every driver that can be loaded: conformance, times and statistics.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { InboxOutcome } from "express-kaleyra-sms";
import { sqliteInbox, type SqliteDriver } from "express-kaleyra-sms/sqlite";

import { post } from "../../support/callbacks";
import { deferred, recorder } from "../../support/recorder";
import { itConforms, type Place } from "../conformance";
import { DRIVERS, type Driver } from "../drivers";
import { separateInbox, separately, type SeparateOptions } from "../separate";
import { ended, temporary } from "../temporary";

/** The values of the column `state`, by their numbers. */
const STATES = ["waiting", "behind", "held", "running", "dead", "unreadable"];

/** A file in a folder of its own. */
function place(driver: Driver, thread: boolean): Place {
  const folder = mkdtempSync(join(tmpdir(), "inbox-"));
  const place = { file: join(folder, "inbox.db"), driver: driver.name as SqliteDriver, thread };
  return {
    open: (options) => separately(() => sqliteInbox({ ...place, ...options })),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

describe.each(DRIVERS)("with $name", (driver) => {
  describe.each([
    ["in its thread", true],
    ["in this process", false],
  ])("%s", (_where, thread) => {
    itConforms({ isOrdered: true, place: () => place(driver, thread) });
  });

  describe("with a fake clock", () => {
    let now: number;
    beforeEach(() => {
      now = Date.now();
      const clock = jest.spyOn(Date, "now").mockImplementation(() => now);
      ended.push(() => clock.mockRestore());
    });

    const router = (options: Partial<SeparateOptions> = {}) => {
      const database = driver.open(temporary());
      ended.push(() => database.close());
      const inbox = separateInbox({ database, ...options });
      const recorded = recorder({ inbox });
      ended.push(() => recorded.sms.close());
      const read = (sql: string) => (database.prepare(sql).get() as { value: number }).value;
      return { ...recorded, inbox, read };
    };
    const until = async (holds: () => boolean | Promise<boolean>) => {
      while (!(await holds())) await setTimeout(5);
    };

    it.each([
      ["after a second, with twice the delay each time, five attempts in all", {}, [1_000, 2_000, 4_000, 8_000]],
      ["after a day at most", { attempts: 4, backoffMs: 30_000_000 }, [30_000_000, 60_000_000, 86_400_000]],
    ])("retries a message %s", async (_when, options, backoffs) => {
      const { sms, inbox, read } = router(options);
      const attempts: number[] = [];
      sms.on("message", (_message, { attempt }) => {
        attempts.push(attempt);
        throw new Error("no");
      });
      await sms.receive(post());
      const waited = [];
      for (const [n] of backoffs.entries()) {
        await until(async () => attempts.length === n + 1 && (await inbox.stats()).delayed === 1);
        const at = read("SELECT at AS value FROM message");
        waited.push(at - now);
        now = at;
      }
      await until(async () => (await inbox.stats()).dead === 1);
      expect(waited).toEqual(backoffs);
      expect(attempts).toEqual([1, ...backoffs.map((_, n) => n + 2)]);
    });

    it("leases running messages for 15 seconds, and renews the lease after a third of it", async () => {
      const { sms, read } = router();
      const finish = deferred();
      const started = deferred();
      sms.on("message", () => (started.resolve(), finish.promise));
      ended.push(() => finish.resolve());
      await sms.receive(post());
      await started.promise;
      const ends = () => read("SELECT MAX(until) AS value FROM process");
      const begun = now;
      expect(ends()).toBe(begun + 15_000);
      now = begun + 5_001;
      await until(() => ends() !== begun + 15_000);
      expect(ends()).toBe(now + 15_000);
      expect(read("SELECT COUNT(*) AS value FROM process")).toBe(1);
    });

    it("keeps the key of a handled message for seven days", async () => {
      const { sms, inbox, read } = router();
      await sms.receive(post());
      await until(async () => (await inbox.stats()).running === 0);
      const kept = () => read("SELECT MIN(at) AS value FROM done");
      const first = kept();
      now += 604_800_000 + 1;
      // Keys are removed once a second, when something is written.
      await until(async () => (await sms.receive(post()), kept() !== first));
    });
  });

  it.each<readonly [behaviour: string, handle: () => unknown, reason: string]>([
    [
      "throws",
      () => {
        throw new RangeError("secret");
      },
      "RangeError",
    ],
    ["rejects", () => Promise.reject(new RangeError("secret")), "RangeError"],
    ["returns nothing", () => undefined, "unknown"],
    ["resolves with nothing", () => Promise.resolve(null), "unknown"],
    ["returns an unknown outcome", () => ({ outcome: "done", reason: "because" }), "unknown"],
    ["returns a failure without a reason", () => Promise.resolve({ outcome: "failed" }), "unknown"],
    ["returns a failure with a reason", () => ({ outcome: "failed", reason: "because" }), "because"],
  ])("counts an attempt as failed if work.handle %s, and goes on", async (_case, handle, reason) => {
    const database = driver.open(temporary());
    ended.push(() => database.close());
    const inbox = separateInbox({ database, attempts: 1 });
    ended.push(() => inbox.close());
    const messages = await Promise.all(
      [post(), post()].map(async (one) => (await recorder().sms.receive(one)).message),
    );
    const handled = deferred();
    void inbox.start({
      concurrency: 1,
      failed: () => undefined,
      handle: (message) => {
        if (message.key === messages[0]?.key) return handle() as InboxOutcome;
        handled.resolve();
        return { outcome: "handled" };
      },
    });
    for (const message of messages) if (message !== undefined) await inbox.store(message, new AbortController().signal);
    await handled.promise;
    const [letter] = await inbox.deadLetters();
    expect(letter).toMatchObject({ message: messages[0], attempts: 1 });
    expect(letter?.reason.split(" ")[0]).toBe(reason);
    expect(letter?.reason).not.toContain("secret");
  });

  it("lets no program make two messages of a source run at once", async () => {
    const database = driver.open(temporary());
    ended.push(() => database.close());
    const inbox = separateInbox({ database });
    const { sms } = recorder({ inbox, concurrency: 0 });
    ended.push(() => sms.close());
    for (const message of ["first", "second"]) await sms.receive(post({ source: "1", message }));
    const states = [STATES.indexOf("waiting"), STATES.indexOf("held"), STATES.indexOf("running")];
    for (const state of states) expect(() => database.exec(`UPDATE message SET state = ${state}`)).toThrow("UNIQUE");
  });

  it("reports how long the oldest waiting message has waited", async () => {
    const database = driver.open(temporary());
    ended.push(() => database.close());
    const inbox = separateInbox({ database });
    const { sms } = recorder({ inbox, concurrency: 0 });
    ended.push(() => sms.close());
    const minutes = async () => Math.floor((await inbox.stats()).oldestWaitingMs / 60_000);
    // The source of each is its age in minutes: the delayed one is in the future.
    const states = { 90: "dead", 80: "running", 70: "unreadable", "-10": "waiting" };
    const waiting = { 60: "waiting", 50: "waiting", 40: "behind", 30: "behind", 20: "held", 10: "held" };
    for (const [source, state] of Object.entries({ ...states, ...waiting })) {
      await sms.receive(post({ source }));
      database.exec(
        `UPDATE message SET state = ${STATES.indexOf(state)}, at = at - ${source} * 60000 WHERE source = '${source}'`,
      );
    }
    for (const [source] of Object.entries(waiting).sort(([a], [b]) => Number(b) - Number(a))) {
      expect(await minutes()).toBe(Number(source));
      database.exec(`DELETE FROM message WHERE source = '${source}'`);
    }
    expect(await inbox.stats()).toEqual({ waiting: 0, running: 1, delayed: 1, dead: 1, oldestWaitingMs: 0 });
  });
});
