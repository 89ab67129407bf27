// Every process on a file knows every key, even after a process was killed.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import { incomingSms, type Inbox, type SmsMessage } from "express-kaleyra-sms";

import { post } from "../../support/callbacks";
import { recorder } from "../../support/recorder";
import { DRIVERS, type OpenDatabase } from "../drivers";
import { separateInbox } from "../separate";
import { ended, temporary } from "../temporary";
import { until, waitFor } from "../waiting";

/** More than fit into the memory that SQLite keeps of the file. */
const MANY = 34_000;
const SOME = 1_100;
const TOGETHER = 500;

let sample: SmsMessage;
beforeAll(async () => {
  const { message } = await incomingSms({ authenticate: false }).receive(post());
  if (message === undefined) throw new Error("The sample was not read.");
  sample = message;
});

const keyOf = (n: number): string => createHash("sha256").update(`${n}`).digest("base64url");
const keysOf = (count: number): string[] => Array.from({ length: count }, (_, n) => keyOf(n));

const { signal } = new AbortController();

/** @returns the result for each key */
async function store(inbox: Inbox, keys: readonly string[]): Promise<string[]> {
  const became: string[] = [];
  for (let n = 0; n < keys.length; n += TOGETHER) {
    const some = keys.slice(n, n + TOGETHER);
    const stored = some.map((key) => inbox.store({ ...sample, key, source: key }, signal));
    became.push(...(await Promise.all(stored)));
  }
  return became;
}

const count = (became: readonly string[], what: string): number => became.filter((one) => one === what).length;

describe.each(DRIVERS)("with $name", ({ name, open }) => {
  const opened = (file: string): OpenDatabase => {
    const database = open(file);
    ended.push(() => database.close());
    return database;
  };
  const inboxOn = (file: string): Inbox => separateInbox({ database: opened(file) });

  const number = (database: OpenDatabase, sql: string): number =>
    (database.prepare(`SELECT (${sql}) AS number`).get() as { number: number }).number;

  it("recognizes every duplicate, after it is opened again and across processes", async () => {
    const file = temporary();
    const first = inboxOn(file);
    const other = inboxOn(file);
    const keys = keysOf(MANY);
    expect(count(await store(other, keys.slice(0, 10)), "stored")).toBe(10);
    expect(count(await store(first, keys), "duplicate")).toBe(10);
    for (const inbox of [first, other, inboxOn(file)]) {
      expect(count(await store(inbox, keys), "duplicate")).toBe(MANY);
    }
    const database = opened(file);
    expect(number(database, "SELECT COUNT(*) FROM message")).toBe(MANY);
  }, 120_000);

  it("stores a key once if several processes get it at the same time", async () => {
    const file = temporary();
    const keys = keysOf(4 * SOME);
    const became = await Promise.all([
      store(inboxOn(file), keys),
      store(inboxOn(file), keys.toReversed()),
      store(inboxOn(file), [...keys.slice(SOME), ...keys.slice(0, SOME)]),
    ]);
    expect(count(became.flat(), "stored")).toBe(keys.length);
    expect(count(became.flat(), "duplicate")).toBe(2 * keys.length);
  }, 60_000);

  it("recognizes duplicates of messages from processes that were killed while they stored", async () => {
    const file = temporary();
    const arguments_ = [join(__dirname, "stores.cjs"), name, file, JSON.stringify(sample)];
    const stored = new Set<number>();
    const twice: number[] = [];
    for (let times = 0; times < 3; times++) {
      const children = [0, 1].map(() => spawn(process.execPath, arguments_, { stdio: ["ignore", "pipe", "inherit"] }));
      const closed = children.map((child) => once(child, "close"));
      const enough = stored.size + 3 * SOME;
      for (const child of children) {
        createInterface(child.stdout).on("line", (line) => {
          for (const n of JSON.parse(line) as number[]) {
            if (stored.has(n)) twice.push(n);
            stored.add(n);
          }
        });
      }
      await until(() => stored.size > enough, 30_000);
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(closed);
    }
    expect(twice).toEqual([]);
    const became = await store(inboxOn(file), Array.from(stored, keyOf));
    expect(count(became, "duplicate")).toBe(stored.size);
    const database = opened(file);
    expect(
      number(
        database,
        "SELECT COUNT(*) - COUNT(DISTINCT key) FROM (SELECT key FROM message UNION ALL SELECT key FROM done)",
      ),
    ).toBe(0);
  }, 120_000);

  it("distinguishes keys with the same beginning", async () => {
    const inbox = inboxOn(temporary());
    const [a, b, c, d] = ["a", "b", "c", "d"].map((end) => `BBBBBBBB${end}`) as [string, string, string, string];
    expect(await store(inbox, [a, b, ...keysOf(SOME)])).not.toContain("duplicate");
    expect(await store(inbox, [c, a, b, c])).toEqual(["stored", "duplicate", "duplicate", "duplicate"]);
    expect(await store(inbox, [d, b, a])).toEqual(["stored", "duplicate", "duplicate"]);
  });

  it("stores a key after a failed write, while another process writes others", async () => {
    const file = temporary();
    const database = opened(file);
    const inbox = separateInbox({ database });
    const other = inboxOn(file);
    const keys = keysOf(600);
    const pages = number(database, "SELECT page_count FROM pragma_page_count");
    database.exec(`PRAGMA max_page_count = ${pages + 5}`);
    await expect(store(inbox, keys.slice(0, 300))).rejects.toThrow();
    expect(count(await store(other, keys.slice(300)), "stored")).toBe(300);
    database.exec("PRAGMA max_page_count = 1000000");
    expect(await store(inbox, keys)).toEqual(keys.map((_, n) => (n < 300 ? "stored" : "duplicate")));
    expect(count(await store(other, keys), "duplicate")).toBe(600);
  });

  it("finds a dead letter by its key", async () => {
    const inbox = separateInbox({ database: opened(temporary()), attempts: 1 });
    const { sms } = recorder({ inbox, maxInFlight: SOME });
    ended.push(() => sms.close());
    let isBroken = true;
    sms.on("message", () => (isBroken ? Promise.reject(new Error("no")) : undefined));
    const receipts = await Promise.all(
      Array.from({ length: SOME }, (_, n) => sms.receive(post({ id: `${n}`, source: `${n}` }))),
    );
    const keys = receipts.map(({ message }) => message?.key ?? "");
    await until(async () => (await inbox.stats()).dead === SOME, 20_000);
    expect(count(await store(inbox, keysOf(1)), "stored")).toBe(1);
    const paged: string[] = [];
    for (let isMore = true; isMore;) {
      const page = await inbox.deadLetters({ limit: 7, after: paged.at(-1) });
      paged.push(...page.map(({ key }) => key));
      isMore = page.length > 0;
    }
    expect(paged.sort()).toEqual(keys.toSorted());
    isBroken = false;
    let replayed = 0;
    for (const key of keys) replayed += await inbox.replay(key);
    expect(replayed).toBe(SOME);
    expect(await inbox.replay(keyOf(-1))).toBe(0);
  }, 60_000);

  it("handles a revived dead letter after a message of its source that comes at the same time", async () => {
    const inbox = separateInbox({ database: opened(temporary()), attempts: 1 });
    const { sms } = recorder({ inbox });
    ended.push(() => sms.close());
    let isBroken = true;
    let running = 0;
    let most = 0;
    const handled: string[] = [];
    sms.on("message", async ({ id }) => {
      if (isBroken) throw new Error("no");
      most = Math.max(most, ++running);
      await waitFor(20);
      running--;
      handled.push(id);
    });
    const dead = post({ id: "dead", source: "1" });
    const another = post({ id: "another", source: "1" });
    await sms.receive(dead);
    await until(async () => (await inbox.stats()).dead === 1);
    isBroken = false;
    await Promise.all([sms.receive(another), sms.receive(dead)]);
    await until(() => handled.length === 2);
    expect(handled).toEqual(["another", "dead"]);
    expect(most).toBe(1);
  });

  it("removes many keys after retentionMs", async () => {
    const database = opened(temporary());
    const inbox = separateInbox({ database, retentionMs: 3_600_000 });
    const { sms, messages } = recorder({ inbox, maxInFlight: SOME });
    ended.push(() => sms.close());
    const sent = Array.from({ length: SOME }, (_, n) => post({ id: `${n}`, source: `${n}` }));
    const outcomes = async (): Promise<string[]> =>
      (await Promise.all(sent.map((one) => sms.receive(one)))).map(({ outcome }) => outcome);
    expect(count(await outcomes(), "stored")).toBe(SOME);
    await until(async () => messages.length === SOME && (await inbox.stats()).running === 0, 20_000);
    expect(count(await outcomes(), "duplicate")).toBe(SOME);
    database.exec("UPDATE done SET at = at - 3600000");
    // Keys are removed once a second.
    await waitFor(1_050);
    await sms.receive(post({ source: "after" }));
    expect(number(database, "(SELECT COUNT(*) FROM message) + (SELECT COUNT(*) FROM done)")).toBeLessThanOrEqual(2);
    expect(count(await outcomes(), "stored")).toBeGreaterThanOrEqual(SOME - 1);
    expect(number(database, "SELECT seq FROM sqlite_sequence WHERE name = 'message'")).toBeGreaterThan(2 * SOME - 1);
  }, 60_000);

  /** Keeps the keys of so many other messages, each second one of them for an hour longer. */
  const keepOthers = (database: OpenDatabase, many: number, at: number): unknown =>
    database.exec(
      `WITH RECURSIVE other(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM other WHERE n < ${many})
       INSERT INTO done (key, at) SELECT hex(randomblob(20)), ${at} + n % 2 * 3600000 FROM other`,
    );

  it("removes those of many keys whose time is over, and no others", async () => {
    const database = opened(temporary());
    const { sms } = recorder({ inbox: separateInbox({ database, retentionMs: 3_600_000 }), concurrency: 0 });
    ended.push(() => sms.close());
    keepOthers(database, MANY, Date.now() - 5_400_000);
    const kept = (): number => number(database, "SELECT COUNT(*) FROM done");
    // Some are removed each second, when something is written.
    await until(async () => (await sms.receive(post()), kept() === MANY / 2), 40_000);
    await waitFor(1_050);
    await sms.receive(post());
    expect(kept()).toBe(MANY / 2);
  }, 60_000);

  it("removes the keys of a burst while nothing comes, and writes nothing after that", async () => {
    const database = opened(temporary());
    let begun = 0;
    const handle = {
      prepare: (sql: string) => database.prepare(sql),
      exec: (sql: string) => {
        if (sql.startsWith("BEGIN")) begun++;
        return database.exec(sql);
      },
    };
    const inbox = separateInbox({ database: handle, retentionMs: 3_600_000 });
    keepOthers(database, 10 * SOME, Date.now() - 5_400_000);
    const { sms } = recorder({ inbox });
    ended.push(() => sms.close());
    await sms.receive(post());
    // Also the key of that message.
    await until(() => number(database, "SELECT COUNT(*) FROM done") === 5 * SOME + 1, 20_000);
    const before = begun;
    await waitFor(3_150);
    // The last look removes nothing.
    expect(begun - before).toBeLessThanOrEqual(1);
  }, 60_000);

  it("keeps less than twice the keys of retentionMs while thousands are handled a second", async () => {
    const began = Date.now();
    let passed = 0;
    for (const clock of [Date, performance]) {
      const now = jest.spyOn(clock, "now").mockImplementation(() => began + passed);
      ended.push(() => now.mockRestore());
    }
    const database = opened(temporary());
    const inbox = separateInbox({ database, retentionMs: 1_000 });
    const { sms, messages } = recorder({ inbox, concurrency: TOGETHER });
    ended.push(() => sms.close());
    // 5,000 a second, for 20 seconds.
    const [rate, stepMs] = [10 * TOGETHER, 100];
    let most = 0;
    for (; passed < 20_000; passed += stepMs) {
      const sent = messages.length;
      await store(
        inbox,
        Array.from({ length: TOGETHER }, (_, n) => keyOf(sent + n)),
      );
      await until(() => messages.length === sent + TOGETHER);
      most = Math.max(most, number(database, "SELECT COUNT(*) FROM done"));
    }
    expect(messages).toHaveLength(20 * rate);
    expect(most).toBeGreaterThan(rate / 2);
    expect(most).toBeLessThan(2 * rate);
  }, 120_000);

  it("handles a message again after retentionMs, whether or not its key is removed yet", async () => {
    const database = opened(temporary());
    const inbox = separateInbox({ database, retentionMs: 3_600_000 });
    const { sms, messages } = recorder({ inbox });
    ended.push(() => sms.close());
    const sent = post();
    await sms.receive(sent);
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    database.exec("UPDATE done SET at = at - 3599000");
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
    keepOthers(database, 10 * MANY, Date.now());
    await waitFor(1_050);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 2 && (await inbox.stats()).running === 0);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
  }, 60_000);
});
