// Another program that reads the file for long: a backup, or a forgotten shell in a transaction. Until it has finished,
// the file's log only grows.

import fs, { statSync, truncateSync } from "node:fs";
import { describe, expect, it, jest } from "@jest/globals";

import { post } from "../../support/callbacks";
import { deferred, recorder } from "../../support/recorder";
import { DRIVERS, type OpenDatabase } from "../drivers";
import { separateInbox } from "../separate";
import { ended, temporary } from "../temporary";
import { until, waitFor } from "../waiting";

/** For a busy machine. */
const LONG_MS = 20_000;
const MIB = 1_048_576;
const GIB = 1_024 * MIB;

describe.each(DRIVERS)("with $name", ({ open }) => {
  const opened = (file: string): OpenDatabase => {
    const database = open(file);
    ended.push(() => database.close());
    return database;
  };

  const router = (file: string, others: Parameters<typeof recorder>[0] = {}) => {
    const inbox = separateInbox({ database: opened(file) });
    // Long, since a busy machine may take some seconds to copy the log: a full one is told at once.
    const recorded = recorder({ inbox, storeTimeoutMs: 20_000, ...others });
    ended.push(() => recorded.sms.close());
    return { ...recorded, inbox };
  };

  /** A program that reads the file. @returns a function that ends it */
  const reader = (file: string): (() => void) => {
    const database = opened(file);
    database.exec("BEGIN");
    database.prepare("SELECT COUNT(*) FROM message").all();
    return () => void database.exec("COMMIT");
  };

  /** Writes so many bytes into the log. */
  const write = (file: string, bytes: number): void => {
    const database = opened(file);
    database.exec("PRAGMA synchronous = OFF");
    database.exec(`CREATE TABLE filler AS SELECT zeroblob(${bytes}) AS filler`);
  };

  const bytesOfLog = (file: string): number => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;

  /** Makes the log as long as if so much had been written, without filling the disk. */
  const stretch = (file: string, bytes: number): void => truncateSync(`${file}-wal`, bytes);

  const busy = expect.objectContaining({ code: "KALEYRA_SMS_INBOX_BUSY" }) as unknown;

  it.each<readonly [how: string, fill: (file: string) => void]>([
    ["is longer than a gigabyte", (file) => stretch(file, GIB + 1)],
    [
      "is longer than what is left on the disk",
      (file) => {
        write(file, 70 * MIB);
        const stats = fs.statfsSync(file);
        Object.assign(stats, { bavail: (69 * MIB) / stats.bsize });
        const look = jest.spyOn(fs, "statfsSync").mockReturnValue(stats);
        ended.push(() => look.mockRestore());
      },
    ],
  ])(
    "answers 503 while the log %s, handles what is stored, and stores again when the reader ends",
    async (_how, fill) => {
      const file = temporary();
      const { sms, messages, errors, inbox } = router(file, { concurrency: 1 });
      const finish = deferred();
      sms.on("message", ({ text }) => (text === "runs" ? finish.promise : undefined));
      await sms.receive(post({ source: "1", message: "runs" }));
      await until(() => messages.length === 1);
      await sms.receive(post({ source: "2", message: "waits" }));
      const endReader = reader(file);
      fill(file);
      await until(
        async () => (await sms.receive(post({ source: "3", message: "while it reads" }))).status === 503,
        LONG_MS,
      );
      expect(errors).toMatchObject([{ event: "inbox", smsMessage: { text: "while it reads" }, cause: busy }]);

      finish.resolve();
      await until(
        async () => messages.some(({ text }) => text === "waits") && (await inbox.stats()).running === 0,
        LONG_MS,
      );
      expect(await sms.receive(post({ source: "4" }))).toMatchObject({ outcome: "failed", status: 503 });
      endReader();
      expect(await sms.receive(post({ source: "5", message: "after it" }))).toMatchObject({ outcome: "stored" });
      expect(bytesOfLog(file)).toBeLessThan(MIB);
      await until(() => messages.some(({ text }) => text === "after it"));
    },
  );

  it("writes only the outcomes of what runs while the log is twice as long, and says so", async () => {
    const file = temporary();
    const { sms, messages, errors, inbox } = router(file, { concurrency: 1 });
    const finish = deferred();
    sms.on("message", ({ text }) => (text === "runs" ? finish.promise : undefined));
    await sms.receive(post({ source: "1", message: "runs" }));
    await until(() => messages.length === 1);
    await sms.receive(post({ source: "2", message: "waits" }));
    const endReader = reader(file);
    stretch(file, 2 * GIB + 1);
    await until(() => errors.length > 0, LONG_MS);
    expect(errors[0]).toMatchObject({ event: "inbox", smsMessage: undefined, cause: busy });

    finish.resolve();
    await until(async () => (await inbox.stats()).running === 0, LONG_MS);
    await waitFor(300);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, running: 0 });
    endReader();
    await until(() => messages.length === 2, LONG_MS);
    expect(messages.map(({ text }) => text)).toEqual(["runs", "waits"]);
  }, 60_000);

  it("stores while another program reads a long log for less than a second, and empties it then", async () => {
    const file = temporary();
    const { sms, errors } = router(file, { concurrency: 0 });
    await sms.receive(post());
    const endReader = reader(file);
    const bytes = 1.25 * GIB;
    stretch(file, bytes);
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    expect(bytesOfLog(file)).toBe(bytes);
    endReader();
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    expect(bytesOfLog(file)).toBeLessThan(MIB);
    expect(errors).toEqual([]);
  });

  it("answers 503 at once while the log is half as long again: more would fill the disk within that second", async () => {
    const file = temporary();
    const { sms } = router(file, { concurrency: 0 });
    await sms.receive(post());
    const endReader = reader(file);
    stretch(file, 2 * GIB - 4096);
    expect((await sms.receive(post())).status).toBe(503);
    endReader();
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
  });

  it("leaves room on a disk that is small or nearly full: without any, the log could never be emptied", async () => {
    const file = temporary();
    const { sms } = router(file, { concurrency: 0 });
    await sms.receive(post());
    const endReader = reader(file);
    write(file, 16 * MIB);
    const stats = fs.statfsSync(file);
    Object.assign(stats, { bavail: (10 * MIB) / stats.bsize });
    const look = jest.spyOn(fs, "statfsSync").mockReturnValue(stats);
    ended.push(() => look.mockRestore());
    expect((await sms.receive(post())).status).toBe(503);
    endReader();
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
  });

  it.each(["before closing", "during closing"])("leaves an empty log if the reader ends %s", async (when) => {
    const file = temporary();
    const { sms, messages, inbox } = router(file);
    const endReader = reader(file);
    write(file, 40 * MIB);
    await sms.receive(post());
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0, LONG_MS);
    expect(bytesOfLog(file)).toBeGreaterThan(40 * MIB);
    if (when === "before closing") endReader();
    const closing = sms.close();
    if (when === "during closing") setTimeout(endReader, 200);
    await closing;
    expect(bytesOfLog(file)).toBe(0);
  });
});
