// Failures of the file: only messages on disk are acknowledged, and the inbox works again when the disk does.

import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { OperableInbox } from "express-kaleyra-sms";
import { sqliteInbox, type SqliteDriver } from "express-kaleyra-sms/sqlite";

import { post } from "../../support/callbacks";
import { deferred, recorder, until as untilPrinted } from "../../support/recorder";
import { DRIVERS, type OpenDatabase } from "../drivers";
import { separateInbox, separately, type SeparateOptions } from "../separate";
import { ended, temporary } from "../temporary";
import { until, waitFor } from "../waiting";

/** Everything that an operator may ask. */
const everything = (inbox: OperableInbox): Array<Promise<unknown>> => [
  inbox.stats(),
  inbox.deadLetters(),
  inbox.get("1"),
  inbox.replay("1"),
  inbox.replayAll(),
  inbox.discard("1"),
  inbox.forget("1"),
];

describe.each(DRIVERS)("with $name", ({ name, open }) => {
  const opened = (file: string, options?: Parameters<typeof open>[1]): OpenDatabase => {
    const database = open(file, options);
    ended.push(() => database.close());
    return database;
  };

  /** A router on a file. */
  const router = (
    file: string,
    options: Partial<SeparateOptions> = {},
    others: Parameters<typeof recorder>[0] = {},
  ) => {
    const database = opened(file);
    const inbox: OperableInbox = separateInbox({ database, backoffMs: 20, ...options });
    const recorded = recorder({ inbox, storeTimeoutMs: 300, ...others });
    ended.push(() => recorded.sms.close());
    return { ...recorded, inbox, database };
  };

  describe("options.database", () => {
    it.each([
      ["it is in memory", () => opened(":memory:"), "in memory"],
      ["it is in a temporary file", () => opened(""), "in memory"],
      ["it is missing", () => undefined, "an open database"],
      ["it is a path", () => "inbox.db", "an open database"],
      [
        "it is in a transaction",
        () => {
          const database = opened(temporary());
          database.exec("BEGIN");
          return database;
        },
        "not in a transaction",
      ],
      [
        "it is read-only",
        () => {
          const file = temporary();
          separateInbox({ database: opened(file) });
          return opened(file, { isReadOnly: true });
        },
        "read-only",
      ],
      [
        "it has other tables",
        () => {
          const database = opened(temporary());
          database.exec("CREATE TABLE orders (id INTEGER)");
          return database;
        },
        "a file of the inbox's own",
      ],
      [
        "it belongs to another application",
        () => {
          const database = opened(temporary());
          database.exec("PRAGMA application_id = 1");
          return database;
        },
        "a file of the inbox's own",
      ],
      [
        "its tables are of a newer version",
        () => {
          const database = opened(temporary());
          separateInbox({ database });
          database.exec("PRAGMA user_version = 1000");
          return database;
        },
        "tables of version 1000",
      ],
      [
        "it is closed",
        () => {
          const database = open(temporary());
          database.close();
          return database;
        },
        "this one cannot be read",
      ],
      [
        "the name in its file is no text",
        () => {
          const database = opened(temporary());
          separateInbox({ database });
          database.exec("UPDATE inbox SET name = CAST(x'ff' AS TEXT)");
          return database;
        },
        'belongs to the inbox named ""',
      ],
      [
        "its file cannot be in WAL mode",
        () => {
          const database = opened(temporary());
          const stays = "SELECT 'delete' AS journal_mode";
          return {
            exec: (sql: string) => database.exec(sql),
            prepare: (sql: string) => database.prepare(sql.includes("journal_mode") ? stays : sql),
          };
        },
        "WAL mode: this one stays in mode delete",
      ],
    ])("throws if %s", (_case, database, text) => {
      const given = { database: database() } as SeparateOptions;
      expect(() => separateInbox(given)).toThrow(TypeError);
      expect(() => separateInbox(given)).toThrow(text);
    });

    it("throws if another process holds its file for too long, and opens it after that", async () => {
      const file = temporary();
      const other = opened(file);
      other.exec("BEGIN EXCLUSIVE");
      const opening = () => separately(() => sqliteInbox({ file, driver: name as SqliteDriver, thread: false }));
      expect(opening).toThrow(expect.objectContaining({ code: "KALEYRA_SMS_INBOX_BUSY" }));
      other.exec("ROLLBACK");
      await opening().close();
    }, 30_000);

    it("may be an empty file, or the file of an inbox", () => {
      const database = opened(temporary());
      separateInbox({ database });
      separateInbox({ database });
      separateInbox({ database: opened(temporary()) });
    });
  });

  it("forces every transaction to the disk", () => {
    const database = opened(temporary());
    separateInbox({ database });
    expect(database.prepare("PRAGMA journal_mode").get()).toMatchObject({ journal_mode: "wal" });
    expect(database.prepare("PRAGMA synchronous").get()).toMatchObject({ synchronous: 2 });
  });

  it("sets no limit on its log, since cutting the log would look like a loss to other processes", () => {
    const database = opened(temporary());
    database.exec("PRAGMA journal_size_limit = 0");
    separateInbox({ database });
    expect(database.prepare("PRAGMA journal_size_limit").get()).toMatchObject({ journal_size_limit: -1 });
  });

  it("answers 503 while the disk is full, and works again when it has room", async () => {
    const { sms, database, errors, messages, inbox } = router(temporary());
    const freed = deferred();
    sms.on("message", () => freed.promise);
    const long = "x".repeat(20_000);
    const pages = (database.prepare("PRAGMA page_count").get() as { page_count: number }).page_count;
    database.exec(`PRAGMA max_page_count = ${pages + 20}`);
    const statuses = new Map<string, number>();
    for (let n = 0; n < 12; n++) {
      const { status, message } = await sms.receive(post({ source: `${n}`, message: long }));
      statuses.set(message?.id ?? "", status);
    }
    const refused = Array.from(statuses.values()).filter((status) => status === 503).length;
    expect(refused).toBeGreaterThan(0);
    expect(new Set(statuses.values())).toEqual(new Set([200, 503]));
    expect(errors.filter(({ event, smsMessage }) => event === "inbox" && smsMessage !== undefined)).toHaveLength(
      refused,
    );
    expect(errors).toContainEqual(
      expect.objectContaining({
        code: "KALEYRA_SMS_INBOX_FILE_FAILED",
        message: expect.stringContaining("the inbox's file: SQLITE_FULL. ") as unknown,
        cause: expect.objectContaining({ cause: expect.anything() as unknown }) as unknown,
      }),
    );
    expect(errors.filter(({ message }) => message.includes("x".repeat(9)))).toEqual([]);

    database.exec("PRAGMA max_page_count = 1000000");
    freed.resolve();
    const after = await sms.receive(post({ source: "after", message: long }));
    expect(after.outcome).toBe("stored");
    const stored = Array.from(statuses).filter(([, status]) => status === 200);
    await until(() => messages.length === stored.length + 1);
    expect(messages.map(({ id }) => id).sort()).toEqual([after.message?.id, ...stored.map(([id]) => id)].sort());
    await until(async () => (await inbox.stats()).running === 0);
  });

  it("answers 503 while another process locks the file, and works again after that", async () => {
    const file = temporary();
    const { sms, errors, messages, inbox } = router(file);
    const other = opened(file);
    const finish = deferred();
    const started = deferred();
    sms.on("message", ({ text }) => {
      if (text !== "first") return undefined;
      started.resolve();
      return finish.promise;
    });
    await sms.receive(post({ message: "first" }));
    await started.promise;

    other.exec("BEGIN EXCLUSIVE");
    finish.resolve();
    expect(await sms.receive(post({ message: "refused", source: "2" }))).toMatchObject({
      outcome: "failed",
      status: 503,
    });
    expect(errors).toMatchObject([{ event: "inbox", cause: { code: "KALEYRA_SMS_STORE_TIMEOUT" } }]);
    const waiting = sms.receive(post({ message: "waits", source: "3" }));
    await waitFor(50);
    other.exec("COMMIT");
    expect(await waiting).toMatchObject({ outcome: "stored", status: 200 });
    await until(() => messages.length === 2);
    await until(async () => (await inbox.stats()).running === 0);
    expect(messages.map(({ text }) => text)).toEqual(["first", "waits"]);
  });

  it("rejects what it could not store before it was closed", async () => {
    const file = temporary();
    const inbox = separateInbox({ database: opened(file) });
    const { sms } = recorder({ inbox: separateInbox({ database: opened(temporary()) }) });
    const { message } = await sms.receive(post());
    await sms.close();
    if (message === undefined) throw new Error("no message");
    const other = opened(file);
    other.exec("BEGIN EXCLUSIVE");
    const storing = inbox.store(message, new AbortController().signal);
    const stored = expect(storing).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
    await expect(inbox.close()).rejects.toThrow();
    await stored;
    other.exec("COMMIT");
  }, 15_000);

  it("emits error when another process locks the file for long", async () => {
    const file = temporary();
    const { sms, errors } = router(file);
    const other = opened(file);
    await sms.receive(post());
    other.exec("BEGIN EXCLUSIVE");
    await until(() => errors.some(({ event, smsMessage }) => event === "inbox" && smsMessage === undefined), 10_000);
    other.exec("COMMIT");
  }, 15_000);

  describe("after damage to its file", () => {
    it.each([
      ["the file is deleted", (file: string) => rmSync(file)],
      ["the file and its log are deleted", (file: string) => ["", "-wal", "-shm"].forEach((end) => rmSync(file + end))],
      ["the log is deleted", (file: string) => rmSync(`${file}-wal`)],
      ["the shared memory file is deleted", (file: string) => rmSync(`${file}-shm`)],
      ["the log is emptied", (file: string) => truncateSync(`${file}-wal`)],
      ["the log is cut", (file: string) => truncateSync(`${file}-wal`, 5_000)],
      ["the log is overwritten", (file: string) => writeFileSync(`${file}-wal`, Buffer.alloc(40_000))],
      [
        "the file is replaced",
        (file: string) => {
          rmSync(file);
          const another = open(file);
          another.exec("CREATE TABLE orders (id INTEGER)");
          another.close();
        },
      ],
      ["the file is overwritten", (file: string) => writeFileSync(file, Buffer.alloc(20_000, "not a database "))],
      ["the file is emptied", (file: string) => truncateSync(file)],
      ["the file is overwritten with another database", (file: string) => writeFileSync(file, otherDatabase(open))],
    ])(
      "answers 503, and rejects what an operator asks, if %s",
      async (_case, spoil) => {
        const file = temporary();
        const { sms, errors, messages, inbox } = router(file);
        expect(await sms.receive(post())).toMatchObject({ status: 200 });
        await until(() => messages.length === 1);
        spoil(file);
        for (const asked of everything(inbox)) await expect(asked).rejects.toBeDefined();
        for (let n = 0; n < 3; n++) expect(await sms.receive(post())).toMatchObject({ outcome: "failed", status: 503 });
        const refused = errors.filter(({ smsMessage }) => smsMessage !== undefined);
        expect(refused.map(({ event, final }) => [event, final])).toEqual(Array(3).fill(["inbox", true]));
        expect(messages).toHaveLength(1);
      },
      15_000,
    );

    it("works again when a missing file is put back", async () => {
      const file = temporary();
      const { sms, errors, messages } = router(file);
      await sms.receive(post());
      renameSync(file, `${file}-away`);
      expect(await sms.receive(post())).toMatchObject({ status: 503 });
      expect(errors).toContainEqual(
        expect.objectContaining({ cause: expect.objectContaining({ code: "KALEYRA_SMS_INBOX_FILE_LOST" }) as unknown }),
      );
      renameSync(`${file}-away`, file);
      await until(async () => (await sms.receive(post())).status === 200, 10_000);
      await until(() => messages.length > 1);
    }, 15_000);
  });

  it("does not replay an unreadable row", async () => {
    const file = temporary();
    const receiver = router(file, {}, { concurrency: 0 });
    await receiver.sms.receive(post({ source: "1" }));
    receiver.database.exec("UPDATE message SET body = '{'");
    const { errors, inbox } = router(file);
    await until(() => errors.length === 1);
    expect(await inbox.replayAll()).toBe(0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, dead: 0 });
  });

  it.each([
    ["is not JSON", "body = '{'"],
    ["has a field that is not a string", "body = json_set(body, '$.fields.message', 5)"],
    ["has a part that is not a string", "body = json_set(body, '$.parts[0]', json('{}'))"],
    ["has parts that are not an array", "body = json_set(body, '$.parts', 'hello')"],
    ["has an unknown method", "body = json_set(body, '$.method', 'PUT')"],
    ["has an instant that is not a string", "body = json_set(body, '$.triggeredAt', 5)"],
    ["lacks an instant", "body = json_remove(body, '$.receivedAt')"],
    ["lacks a recipient", "body = json_remove(body, '$.recipient')"],
    ["lacks `repaired`", "body = json_remove(body, '$.repaired')"],
    ["has a `damaged` that is no boolean", "body = json_set(body, '$.damaged', 'no')"],
    ["has the key of another message", "body = json_set(body, '$.key', 'another')"],
    ["has the source of another message", "body = json_set(body, '$.source', 'another')"],
    ["has a byte in its text that is not UTF-8", "body = CAST(replace(body, 'spoilt', x'ff') AS TEXT)"],
    ["has a byte in its key that is not UTF-8", "key = CAST(x'ff' AS TEXT)"],
    ["has a byte in its source that is not UTF-8", "source = CAST(x'ff' AS TEXT)"],
  ])("sets a row aside that %s, reports it, and handles all others", async (_case, spoil) => {
    const file = temporary();
    const receiver = router(file, {}, { concurrency: 0 });
    const spoilt = post({ source: "1", message: "spoilt" });
    await receiver.sms.receive(spoilt);
    await receiver.sms.receive(post({ source: "1", message: "behind it" }));
    await receiver.sms.receive(post({ source: "2", message: "beside it" }));
    receiver.database.exec(`UPDATE message SET ${spoil} WHERE source = '1' AND state = 0`);
    const { sms, messages, errors, inbox } = router(file);
    await sms.receive(post({ source: "3", message: "later" }));
    await until(() => messages.length === 3);
    expect(messages.map(({ text }) => text).sort()).toEqual(["behind it", "beside it", "later"]);
    expect(errors).toMatchObject([{ event: "inbox", cause: { code: "KALEYRA_SMS_UNREADABLE" } }]);
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    // When its callback comes again, the row is written anew.
    expect(await receiver.sms.receive(spoilt)).toMatchObject({ outcome: "stored" });
    await until(() => messages.some(({ text }) => text === "spoilt"));
  });

  it("hands out a message that a version without `damaged` has stored: it is not damaged", async () => {
    const file = temporary();
    const receiver = router(file, {}, { concurrency: 0 });
    await receiver.sms.receive(post({ message: "old" }));
    receiver.database.exec("UPDATE message SET body = json_remove(body, '$.damaged')");
    const { messages } = router(file);
    await until(() => messages.length === 1);
    expect(messages).toMatchObject([{ text: "old", damaged: false }]);
  });

  /** Beyond JavaScript's safe integers. */
  const BEYOND = "9223372036854775807";

  it.each([
    `attempts = ${BEYOND}`,
    `attempts = -${BEYOND}`,
    `at = -${BEYOND}`,
    "state = 7",
    "state = -1",
    `state = ${BEYOND}`,
    "state = 1",
    "state = 2, owner = 4711",
    "state = 3, owner = NULL",
  ])("hands out a message whose row has %s, and the messages behind it", async (spoil) => {
    const file = temporary();
    const receiver = router(file, {}, { concurrency: 0 });
    for (const message of ["spoilt", "behind it"]) await receiver.sms.receive(post({ source: "1", message }));
    receiver.database.exec(`UPDATE message SET ${spoil} WHERE source = '1' AND state = 0`);
    const { sms, messages, inbox } = router(file);
    await sms.receive(post({ source: "2", message: "beside it" }));
    await until(() => messages.length === 3);
    const ofOne = messages.filter(({ source }) => source === "1").map(({ text }) => text);
    expect(ofOne).toEqual(["spoilt", "behind it"]);
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
  });

  it.each([
    ["in a dead letter", `UPDATE message SET body = CAST(x'ff' AS TEXT) WHERE source = '2'`, ["1", "3"]],
    [
      "in the reason of a dead letter",
      `UPDATE message SET reason = CAST(x'ff' AS TEXT) WHERE source = '2'`,
      ["1", "2", "3"],
    ],
    ["in the key of a handled message", `UPDATE done SET key = CAST(x'ff' AS TEXT)`, ["1", "2", "3"]],
    [
      "in the numbers of a dead letter",
      `UPDATE message SET at = ${BEYOND}, attempts = ${BEYOND} WHERE source = '2'`,
      ["1", "2", "3"],
    ],
  ])("lists all readable dead letters if bytes %s are damaged", async (_case, spoil, sources) => {
    const file = temporary();
    const first = router(file, { attempts: 1 });
    first.sms.on("message", ({ text }) => (text === "ok" ? undefined : Promise.reject(new Error("no"))));
    await first.sms.receive(post({ source: "0", message: "ok" }));
    for (const source of ["1", "2", "3"]) await first.sms.receive(post({ source }));
    await until(async () => (await first.inbox.stats()).dead === 3);
    first.database.exec(spoil);
    await first.sms.close();
    const { sms, inbox, messages } = router(file);
    expect((await inbox.deadLetters()).map(({ message }) => message.source)).toEqual(sources);
    await sms.receive(post({ source: "4" }));
    await until(() => messages.length === 1);
  });

  it("throws if the file belongs to an inbox of another name", () => {
    const file = temporary();
    separateInbox({ database: opened(file), name: "orders" });
    const given = (name?: string): SeparateOptions => ({ database: opened(file), name });
    separateInbox(given("orders"));
    for (const name of ["votes", undefined]) {
      expect(() => separateInbox(given(name))).toThrow(TypeError);
      expect(() => separateInbox(given(name))).toThrow(/belongs to the inbox named "orders".*a file of its own/);
    }
    for (const name of ["", 1, null, "\ud800"]) {
      expect(() => separateInbox(given(name as string))).toThrow(/options\.name of sqliteInbox takes/);
    }
  });

  it("leaves no number and no text in the log after closing", async () => {
    const file = temporary();
    const { sms, messages, inbox } = router(file);
    for (let n = 0; n < 20; n++) await sms.receive(post({ source: "+919800000001", message: `canary ${n}` }));
    await until(async () => messages.length === 20 && (await inbox.stats()).running === 0);
    expect(readFileSync(`${file}-wal`, "latin1")).toContain("canary");
    await sms.close();
    const kept = readFileSync(file, "latin1") + readFileSync(`${file}-wal`, "latin1");
    expect(kept).not.toContain("canary");
    expect(kept).not.toContain("9800000001");
  });

  it.each(["key", "source", "recipient", "receivedAt", "parts", "fields"])(
    "sets a message aside if its stored text lacks %s",
    async (property) => {
      const file = temporary();
      const receiver = router(file, {}, { concurrency: 0 });
      await receiver.sms.receive(post({ source: "1" }));
      await receiver.sms.receive(post({ source: "2" }));
      receiver.database.exec(`UPDATE message SET body = json_remove(body, '$.${property}') WHERE source = '1'`);
      const { messages, errors, inbox } = router(file);
      await until(() => errors.length > 0 && messages.length > 0);
      expect(messages.map(({ source }) => source)).toEqual(["2"]);
      expect(errors).toMatchObject([{ event: "inbox", cause: { code: "KALEYRA_SMS_UNREADABLE" } }]);
      expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    },
  );

  it("fills a page of dead letters although some between them are unreadable", async () => {
    const { sms, inbox, database } = router(temporary(), { attempts: 1 });
    sms.on("message", () => Promise.reject(new Error("no")));
    for (const source of ["1", "2", "3", "4"]) await sms.receive(post({ source }));
    await until(async () => (await inbox.stats()).dead === 4);
    database.exec("UPDATE message SET body = '{}' WHERE source IN ('2', '3')");
    const sources = async (limit: number): Promise<string[]> =>
      (await inbox.deadLetters({ limit })).map(({ message }) => message.source);
    expect(await sources(1)).toEqual(["1"]);
    expect(await sources(2)).toEqual(["1", "4"]);
    expect(await sources(3)).toEqual(["1", "4"]);
  });

  it("hands out messages that were stored before the clock was set back", async () => {
    const file = temporary();
    const receiver = router(file, {}, { concurrency: 0 });
    await receiver.sms.receive(post({ source: "1" }));
    receiver.database.exec("UPDATE message SET at = at + 3600000");
    const { messages } = router(file);
    await until(() => messages.length === 1);
  });

  it("works with a clock that returns fractions of a millisecond", async () => {
    const clock = Date.now;
    const now = jest.spyOn(Date, "now").mockImplementation(() => clock() + 0.25);
    ended.push(() => now.mockRestore());
    const { sms, inbox, errors } = router(temporary(), { attempts: 2 });
    sms.on("message", ({ text }) => (text === "fails" ? Promise.reject(new Error("no")) : undefined));
    const { message } = await sms.receive(post({ source: "1", message: "fails" }));
    expect(await sms.receive(post({ source: "2" }))).toMatchObject({ outcome: "stored" });
    for (const replay of [() => inbox.replay(message?.key ?? ""), () => inbox.replayAll()]) {
      await until(async () => (await inbox.stats()).dead === 1);
      expect(await replay()).toBe(1);
    }
    await until(async () => (await inbox.stats()).dead === 1);
    expect(await inbox.forget("1")).toBe(1);
    expect(new Set(errors.map(({ event }) => event))).toEqual(new Set(["message"]));
  });

  it("handles messages once after a commit that failed, but may have succeeded", async () => {
    const database = opened(temporary());
    let isBroken = false;
    const handle = {
      prepare: (sql: string) => database.prepare(sql),
      exec: (sql: string) => {
        database.exec(sql);
        if (!isBroken || sql !== "COMMIT") return;
        isBroken = false;
        throw new Error("committed, but the driver does not say so");
      },
    };
    const inbox = separateInbox({ database: handle });
    const { sms, duplicates } = recorder({ inbox, concurrency: 2 });
    ended.push(() => sms.close());
    const sent = ["2", "3", "4"].map((source) => post({ source }));
    const free = deferred();
    const handled: Array<readonly [source: string, attempt: number]> = [];
    let receiving: ReadonlyArray<ReturnType<typeof sms.receive>> = [];
    sms.on("message", ({ source, text }, { attempt }) => {
      handled.push([source, attempt]);
      if (text === "runs meanwhile") return free.promise;
      // Of the messages that come in the turn in which one ends, one runs and the others are held.
      if (text === "first") {
        isBroken = true;
        receiving = sent.map((one) => sms.receive(one));
      }
      return undefined;
    });
    await sms.receive(post({ source: "0", message: "runs meanwhile" }));
    await sms.receive(post({ source: "1", message: "first" }));
    await until(() => handled.length === 5);
    for (const receipt of await Promise.all(receiving)) expect(receipt).toMatchObject({ status: 503 });
    free.resolve();
    await until(async () => (await inbox.stats()).running === 0);
    for (const one of sent) expect(await sms.receive(one)).toMatchObject({ outcome: "duplicate", status: 200 });
    expect(handled.sort()).toEqual(["0", "1", "2", "3", "4"].map((source) => [source, 1]));
    expect(duplicates).toHaveLength(3);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 0, dead: 0 });
  });

  it("begins no transaction while no message is due", async () => {
    const database = opened(temporary());
    let rounds = 0;
    const handle = {
      prepare: (sql: string) => database.prepare(sql),
      exec: (sql: string) => {
        if (sql.startsWith("BEGIN")) rounds++;
        return database.exec(sql);
      },
    };
    const inbox = separateInbox({ database: handle, backoffMs: 60_000 });
    const { sms } = recorder({ inbox });
    ended.push(() => sms.close());
    sms.on("message", ({ text }) => (text === "delayed" ? Promise.reject(new Error("no")) : undefined));
    await sms.receive(post({ message: "handled" }));
    await sms.receive(post({ message: "delayed" }));
    await until(async () => (await inbox.stats()).delayed === 1 && (await inbox.stats()).running === 0);
    rounds = 0;
    await waitFor(300);
    expect(rounds).toBe(0);
  });

  it("does not hand out a held message that another process forgets", async () => {
    const file = temporary();
    const { sms, inbox, database } = router(file, {}, { concurrency: 1 });
    const other = separateInbox({ database: opened(file) });
    const free = deferred();
    const started: string[] = [];
    sms.on("message", ({ source, text }) => {
      started.push(source);
      if (text !== "first") return free.promise;
      // A message that comes in the turn in which another ends is held.
      for (const next of ["+912222222222", "+913333333333", "+914444444444"]) void sms.receive(post({ source: next }));
      return undefined;
    });
    await sms.receive(post({ source: "+911111111111", message: "first" }));
    await until(() => started.length === 2);
    const { held } = database.prepare("SELECT COUNT(*) AS held FROM message WHERE state = 2").get() as { held: number };
    expect(held).toBe(2);
    expect(await other.forget("+913333333333")).toBe(1);
    free.resolve();
    await until(async () => started.length === 3 && (await inbox.stats()).running === 0);
    await waitFor(50);
    expect(started).toEqual(["+911111111111", "+912222222222", "+914444444444"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    await other.close();
  });

  it("leaves a message to the process that runs it after no process could renew its lease", async () => {
    const file = temporary();
    const leaseMs = 300;
    const { sms, inbox } = router(file, { leaseMs });
    const finish = deferred();
    const attempts: number[] = [];
    sms.on("message", (_message, { attempt }) => {
      attempts.push(attempt);
      return finish.promise;
    });
    await sms.receive(post());
    await until(() => attempts.length === 1);
    const { messages } = router(file, { leaseMs });
    const locker = opened(file);
    // Several times: either of the two processes may be the first when the file is free.
    for (let time = 0; time < 4; time++) {
      locker.exec("BEGIN EXCLUSIVE");
      await waitFor(1.5 * leaseMs);
      locker.exec("COMMIT");
      await waitFor(leaseMs);
    }
    finish.resolve();
    await until(async () => (await inbox.stats()).running === 0);
    expect(messages).toEqual([]);
    expect(attempts).toEqual([1]);
  }, 15_000);

  it("keeps the order of a source when another process forgets its running message", async () => {
    const file = temporary();
    const { sms, inbox } = router(file, {}, { concurrency: 1 });
    const other = separateInbox({ database: opened(file) });
    const free = deferred();
    const started: string[] = [];
    let running = 0;
    let most = 0;
    sms.on("message", async ({ source, text = "" }) => {
      started.push(`${source} ${text}`);
      most = Math.max(most, ++running);
      await free.promise;
      running--;
      if (text === "fails") throw new Error("no");
    });
    await sms.receive(post({ source: "+911111111111", message: "fails" }));
    await until(() => started.length === 1);
    expect(await other.forget("+911111111111")).toBe(1);
    expect(await other.forget("+911111111111")).toBe(0);
    await sms.receive(post({ source: "+911111111111", message: "next" }));
    await waitFor(150);
    expect(started).toEqual(["+911111111111 fails"]);
    free.resolve();
    await until(async () => started.length === 2 && (await inbox.stats()).running === 0);
    expect(started).toEqual(["+911111111111 fails", "+911111111111 next"]);
    expect(most).toBe(1);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    await other.close();
  });

  it("writes the last outcome if the file is unlocked soon after closing began", async () => {
    const file = temporary();
    const { sms } = router(file);
    const other = opened(file);
    const started = deferred();
    const finish = deferred();
    sms.on("message", () => {
      started.resolve();
      return finish.promise;
    });
    await sms.receive(post());
    await started.promise;
    other.exec("BEGIN EXCLUSIVE");
    finish.resolve();
    await waitFor(2_200);
    const closing = sms.close();
    await waitFor(100);
    other.exec("COMMIT");
    await closing;
    const after = separateInbox({ database: opened(file) });
    expect(await after.stats()).toMatchObject({ waiting: 0, running: 0 });
    await after.close();
  }, 15_000);

  it("leaves no number and no text of a forgotten subscriber in the file", async () => {
    const file = temporary();
    const { sms, inbox, messages } = router(file, { attempts: 1 });
    sms.on("message", ({ text }) => (text?.startsWith("dead") === true ? Promise.reject(new Error("no")) : undefined));
    const source = "+919800000001";
    for (const message of ["canary-done", "dead canary", `dead ${"canary-".repeat(3_000)}`]) {
      await sms.receive(post({ source, message }));
      await until(async () => (await inbox.stats()).running === 0 && messages.at(-1)?.text === message);
    }
    await sms.receive(post({ source: "+919800000002", message: "stays" }));
    expect(await inbox.forget(source)).toBe(2);
    const kept = ["", "-wal"].map((end) => (existsSync(file + end) ? readFileSync(file + end, "latin1") : "")).join("");
    expect(kept).not.toContain("canary");
    expect(kept).not.toContain("9800000001");
    expect(await inbox.deadLetters()).toEqual([]);
  });

  it("resolves forget only when the texts are erased from the log, too, even if another process reads it", async () => {
    const file = temporary();
    const { sms, inbox } = router(file, { attempts: 1 });
    sms.on("message", () => Promise.reject(new Error("no")));
    const { message } = await sms.receive(post({ message: "canary" }));
    await until(async () => (await inbox.stats()).dead === 1);
    const reader = opened(file);
    reader.exec("BEGIN");
    reader.prepare("SELECT COUNT(*) FROM message").all();
    const forgetting = inbox.forget(message?.source ?? "");
    await until(async () => (await inbox.stats()).dead === 0);
    reader.exec("COMMIT");
    expect(await forgetting).toBe(1);
    const kept = ["", "-wal"].map((end) => readFileSync(file + end, "latin1")).join("");
    expect(kept).not.toContain("canary");
  });

  it("rejects what an operator asks after closing", async () => {
    const { sms, inbox } = router(temporary());
    await sms.close();
    for (const asked of everything(inbox))
      await expect(asked).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
  });

  it("finishes what an operator asked before it closes", async () => {
    const { sms, inbox } = router(temporary());
    const asked = everything(inbox);
    await sms.close();
    expect(await Promise.all(asked)).toHaveLength(7);
  });

  describe("replay and forget", () => {
    /** A router with a dead letter, and a function that calls replay and forget for it. */
    const withDeadLetter = async (file: string) => {
      const recorded = router(file, { attempts: 1 });
      const { sms, inbox } = recorded;
      let isBroken = true;
      sms.on("message", () => (isBroken ? Promise.reject(new Error("no")) : undefined));
      const { message } = await sms.receive(post());
      await until(async () => (await inbox.stats()).dead === 1);
      isBroken = false;
      const asked = () => [inbox.replayAll(), inbox.replay(message?.key ?? ""), inbox.forget(message?.source ?? "")];
      return { ...recorded, asked, source: message?.source ?? "" };
    };

    it("reject if the file can no longer be written", async () => {
      const { inbox, database, messages, asked } = await withDeadLetter(temporary());
      database.exec("PRAGMA query_only = ON");
      for (const one of asked()) await expect(one).rejects.toThrow("readonly");
      database.exec("PRAGMA query_only = OFF");
      expect(await inbox.stats()).toMatchObject({ dead: 1 });
      expect(await inbox.replayAll()).toBe(1);
      await until(() => messages.length === 2);
    });

    it("reject if another process does not release the file", async () => {
      const [held, read] = [temporary(), temporary()];
      const [first, second] = await Promise.all([withDeadLetter(held), withDeadLetter(read)]);
      const others = [opened(held), opened(read)];
      others[0]?.exec("BEGIN EXCLUSIVE");
      others[1]?.exec("BEGIN");
      others[1]?.prepare("SELECT COUNT(*) FROM message").all();
      const settled = await Promise.allSettled([...first.asked(), second.inbox.forget(second.source)]);
      for (const other of others) other.exec("COMMIT");
      expect(settled.map(({ status }) => status)).toEqual(Array(4).fill("rejected"));
      expect(settled[3]).toMatchObject({ reason: { code: "KALEYRA_SMS_INBOX_BUSY" } });
      expect(await first.inbox.stats()).toMatchObject({ dead: 1 });
    }, 30_000);
  });

  it("removes keys after retentionMs, and handles a message again after that", async () => {
    const { sms, messages, inbox, database } = router(temporary(), { retentionMs: 60_000 });
    const sent = post();
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    database.exec("UPDATE done SET at = at - 30000");
    await waitFor(1_100);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
    database.exec("UPDATE done SET at = at - 60000");
    // Keys are removed once a second.
    await waitFor(1_100);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 2);
    const { rows } = database
      .prepare("SELECT (SELECT COUNT(*) FROM message) + (SELECT COUNT(*) FROM done) AS rows")
      .get() as { rows: number };
    expect(rows).toBe(1);
  });

  describe("a message of a dead process", () => {
    const children: ChildProcess[] = [];
    afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

    /** Starts a process on the file, and kills it while it handles a message. */
    async function dies(file: string, leaseMs: number): Promise<void> {
      const child = spawn(process.execPath, [join(__dirname, "dies.cjs"), name, file, String(leaseMs)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      await untilPrinted(child.stdout, "running");
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
    }

    it("is taken over after the end of the lease, as another attempt", async () => {
      const file = temporary();
      const receiver = router(file, {}, { concurrency: 0 });
      await receiver.sms.receive(post({ source: "1" }));
      await dies(file, 600);
      const { sms } = router(file, { leaseMs: 600 });
      const attempts: number[] = [];
      sms.on("message", (_message, { attempt }) => attempts.push(attempt));
      expect(await receiver.inbox.stats()).toMatchObject({ running: 1 });
      await until(() => attempts.length > 0);
      expect(attempts).toEqual([2]);
    }, 20_000);

    it("is taken over within three leases", async () => {
      const file = temporary();
      const leaseMs = 3_000;
      const receiver = router(file, {}, { concurrency: 0 });
      await receiver.sms.receive(post());
      await dies(file, leaseMs);
      const { messages } = router(file, { leaseMs });
      await until(() => messages.length > 0, 3 * leaseMs);
    }, 20_000);

    const HOUR_MS = 3_600_000;
    /** The lease of the dead process, as if its clock had been ahead. */
    const AHEAD = `UPDATE process SET until = until + ${HOUR_MS} WHERE id IN (SELECT owner FROM message)`;

    it("is taken over although its lease was written while the clock was ahead", async () => {
      const file = temporary();
      const leaseMs = 200;
      const receiver = router(file, {}, { concurrency: 0 });
      await receiver.sms.receive(post());
      await dies(file, leaseMs);
      receiver.database.exec(AHEAD);
      const { messages } = router(file, { leaseMs });
      await until(() => messages.length > 0, 15_000);
    }, 30_000);

    it("is taken over by a process that has run since the clock was ahead", async () => {
      const leaseMs = 200;
      const { now } = Date;
      const ahead = jest.spyOn(Date, "now").mockImplementation(() => now() + HOUR_MS);
      ended.push(() => ahead.mockRestore());
      const { sms, database } = router(temporary(), { leaseMs });
      const started = deferred();
      const finish = deferred();
      const attempts: number[] = [];
      sms.on("message", (_message, { attempt }) => {
        attempts.push(attempt);
        started.resolve();
        return attempt === 1 ? finish.promise : undefined;
      });
      await sms.receive(post());
      await started.promise;
      // As if the message belonged to another process, which is dead.
      database.exec(`INSERT INTO process (until) VALUES (${Date.now() + leaseMs})`);
      database.exec("UPDATE message SET owner = (SELECT MAX(id) FROM process)");
      ahead.mockRestore();
      finish.resolve();
      await until(() => attempts.length === 2, 15_000);
      expect(attempts).toEqual([1, 2]);
    }, 30_000);

    it("is set aside and reported if it is unreadable", async () => {
      const file = temporary();
      const receiver = router(file, {}, { concurrency: 0 });
      const sent = post({ source: "1" });
      await receiver.sms.receive(sent);
      await dies(file, 300);
      receiver.database.exec("UPDATE message SET body = '{'");
      const { messages, errors, inbox } = router(file, { leaseMs: 300 });
      await until(() => errors.length > 0);
      expect(errors).toMatchObject([{ event: "inbox", cause: { code: "KALEYRA_SMS_UNREADABLE" } }]);
      expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, dead: 0 });
      expect(await receiver.sms.receive(sent)).toMatchObject({ outcome: "stored" });
      await until(() => messages.length === 1);
    }, 20_000);

    it("becomes a dead letter if its process died in each attempt", async () => {
      const file = temporary();
      const receiver = router(file, {}, { concurrency: 0 });
      const { message } = await receiver.sms.receive(post({ source: "1", message: "STOP" }));
      await receiver.sms.receive(post({ source: "1", message: "START" }));
      await dies(file, 300);
      const { errors, inbox, messages } = router(file, { leaseMs: 300, attempts: 1 });
      await until(() => messages.length > 0);
      expect(messages.map(({ text }) => text)).toEqual(["START"]);
      expect(errors).toMatchObject([
        { event: "inbox", smsMessage: message, cause: { code: "KALEYRA_SMS_CUT_SHORT" }, attempt: 1, final: true },
      ]);
      expect(await inbox.deadLetters()).toMatchObject([{ message, attempts: 1 }]);
    }, 20_000);
  });

  it("lets several processes open a new file at once", async () => {
    const file = temporary();
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [join(__dirname, "dies.cjs"), name, file, "1000", "opens"], {
        stdio: ["ignore", "ignore", "inherit"],
      }),
    );
    const codes = await Promise.all(children.map((child) => new Promise((resolve) => child.once("close", resolve))));
    expect(codes).toEqual([0, 0, 0, 0]);
  }, 20_000);

  it("closes even if it cannot write the last outcome", async () => {
    const file = temporary();
    const { sms } = router(file);
    const started = deferred();
    const finish = deferred();
    sms.on("message", () => {
      started.resolve();
      return finish.promise;
    });
    await sms.receive(post());
    await started.promise;
    appendFileSync(file, "");
    rmSync(file);
    finish.resolve();
    await sms.close();
  }, 15_000);
});

/** The bytes of a database that is not an inbox. */
function otherDatabase(open: (file: string) => OpenDatabase): Buffer {
  const file = temporary();
  const database = open(file);
  database.exec("CREATE TABLE orders (id INTEGER, text TEXT)");
  database.close();
  return readFileSync(file);
}
