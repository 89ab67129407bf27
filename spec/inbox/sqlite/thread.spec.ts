// The thread that reads and writes the file: it ends, hangs and fails, and the process that waits for it goes on.

import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { inspect } from "node:util";
import { buildSync } from "esbuild";
import { describe, expect, it, jest } from "@jest/globals";
import { sqliteInbox, type SqliteDriver } from "express-kaleyra-sms/sqlite";

import { post } from "../../support/callbacks";
import { deferred, recorder } from "../../support/recorder";
import { DRIVERS } from "../drivers";
import { separateInbox, separately } from "../separate";
import { ended, temporary, temporaryFolder } from "../temporary";
import { until, waitFor } from "../waiting";

const ROOT = join(__dirname, "../../..");
const [driver] = DRIVERS;
if (driver === undefined) throw new Error("There is no driver.");

interface Order {
  readonly at: string;
  readonly when?: "before" | "after";
  /** How the thread ends, or the SQL that it runs. */
  readonly how: string;
  readonly isKept?: boolean;
  /** How many such statements come before. */
  readonly others?: number;
}

/** A router whose inbox has a thread with a driver that obeys. */
function obedient(others: Parameters<typeof recorder>[0] = {}, options: { readonly leaseMs?: number } = {}) {
  const file = temporary();
  // The thread finds the driver by the environment, this process by jest.
  const { NODE_PATH } = process.env;
  process.env.NODE_PATH = join(__dirname, "dying-driver");
  const real = createRequire(__filename)(join(__dirname, "dying-driver/better-sqlite3")) as unknown;
  jest.doMock("better-sqlite3", () => real, { virtual: true });
  const inbox = sqliteInbox({ file, driver: "better-sqlite3", backoffMs: 20, ...options });
  const recorded = recorder({ inbox, storeTimeoutMs: 2_000, ...others });
  ended.push(async () => {
    rmSync(`${file}-order`, { force: true });
    await recorded.sms.close();
    jest.dontMock("better-sqlite3");
    if (NODE_PATH === undefined) delete process.env.NODE_PATH;
    else process.env.NODE_PATH = NODE_PATH;
  });
  const order = ({ when = "before", ...rest }: Order) =>
    writeFileSync(`${file}-order`, JSON.stringify({ when, ...rest }));
  const starts = () => readFileSync(`${file}-starts`, "utf8").trimEnd().split("\n").map(Number);
  return { ...recorded, inbox, file, order, starts };
}

const THREAD_ENDED = "KALEYRA_SMS_INBOX_THREAD_ENDED";

describe("when its thread ends", () => {
  it.each([
    ["exits before a commit", { at: "COMMIT", when: "before", how: "exit" }, "stored", "exit code 3"],
    ["exits after a commit", { at: "COMMIT", when: "after", how: "exit" }, "duplicate", "exit code 3"],
    ["throws what nobody catches", { at: "COMMIT", when: "after", how: "throw" }, "duplicate", "has ended: "],
  ] as const)(
    "answers 503, reports it, starts it again and handles everything once, if it %s",
    async (_how, command, after, why) => {
      const { sms, errors, messages, inbox, order, starts } = obedient({}, { leaseMs: 300 });
      const finish = deferred();
      const attempts: number[] = [];
      sms.on("message", ({ text }, { attempt }) => {
        if (text !== "runs meanwhile") return undefined;
        attempts.push(attempt);
        return finish.promise;
      });
      await sms.receive(post({ source: "1", message: "runs meanwhile" }));
      await until(() => attempts.length === 1);
      // Nothing else is to be written when the callback comes.
      await until(async () => (await inbox.stats()).running === 1);
      order(command);
      const sent = post({ source: "2", message: "at the end" });
      const receipt = await sms.receive(sent);
      expect(receipt).toMatchObject({ outcome: "failed", status: 503 });
      // The first of them may be a heartbeat that came while the thread started.
      const error = errors.find(({ smsMessage }) => smsMessage !== undefined);
      expect(error).toMatchObject({ event: "inbox", cause: { code: THREAD_ENDED } });
      expect(String(error?.cause)).toContain(why);
      expect(inspect(errors, { depth: 9 })).not.toContain("secret");
      let again = await sms.receive(sent);
      while (again.status === 503) again = await sms.receive(sent);
      expect(again.outcome).toBe(after);
      // For longer than a lease and the time after which its owner passes for dead.
      await waitFor(600);
      finish.resolve();
      await until(async () => messages.length === 2 && (await inbox.stats()).running === 0);
      expect(attempts).toEqual([1]);
      expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
      expect(starts()).toHaveLength(2);
    },
    60_000,
  );

  it("answers 503 if its file was replaced by another meanwhile, until it is put back", async () => {
    const { sms, errors, order, file, messages } = obedient();
    const other = obedient();
    await until(async () => (await other.sms.receive(post())).status === 200);
    await other.sms.close();
    await until(async () => (await sms.receive(post())).status === 200);
    await until(() => messages.length === 1);
    order({ at: "COMMIT", how: "later" });
    await until(async () => (await sms.receive(post())).status === 200);
    const files = ["", "-wal", "-shm"].map((end) => `${file}${end}`);
    for (const one of files) renameSync(one, `${one}.away`);
    copyFileSync(other.file, file);
    // The thread ends, and another one starts as soon as it may.
    await waitFor(500);
    expect(await sms.receive(post())).toMatchObject({ status: 503 });
    expect(errors.at(-1)).toMatchObject({ cause: { code: "KALEYRA_SMS_INBOX_FILE_LOST" } });
    for (const one of files) renameSync(`${one}.away`, one);
    await until(async () => (await sms.receive(post())).status === 200);
  });

  it("handles what its thread has taken in its first commit, and did not report, without waiting for a lease", async () => {
    const { sms, order, messages } = obedient();
    const sent = post();
    const first = sms.receive(sent);
    // The thread begins only now: it makes the tables in one transaction, and writes the first round in another.
    order({ at: "COMMIT", when: "after", how: "exit", others: 1 });
    expect(await first).toMatchObject({ outcome: "failed", status: 503 });
    await until(async () => (await sms.receive(sent)).outcome === "duplicate");
    // By default, a lease is 15 s.
    await until(() => messages.length === 1);
  });

  it("reports an end at which nothing was to be written", async () => {
    const { sms, errors, order } = obedient();
    order({ at: "COMMIT", how: "later" });
    await sms.receive(post());
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ event: "inbox", cause: { code: THREAD_ENDED } }]);
    expect(await sms.receive(post())).toMatchObject({ status: 200 });
  });

  it("starts it again after growing pauses, and rejects what an operator asks meanwhile", async () => {
    const { inbox, order, starts, file, sms } = obedient();
    await inbox.stats();
    writeFileSync(`${file}-starts`, "");
    // Ends the one that runs as soon as it writes, and every one after it.
    order({ at: "", how: "exit", isKept: true });
    expect(await sms.receive(post())).toMatchObject({ status: 503 });
    const asked: unknown[] = [];
    // Asked all the time: nothing but the pause keeps it from being started.
    const isStartedOften = async () => {
      await inbox.stats().catch((error: unknown) => asked.push(error));
      return starts().length >= 5;
    };
    await until(isStartedOften, 20_000);
    expect(asked.length).toBeGreaterThan(starts().length);
    for (const error of asked) expect(error).toMatchObject({ code: THREAD_ENDED });
    // At least: how long a thread takes to start depends on the machine.
    const pauses = starts().map((at, n, all) => at - (all[n - 1] ?? 0));
    for (const [n, atLeast] of [100, 200, 400, 800].entries()) expect(pauses[n + 1]).toBeGreaterThanOrEqual(atLeast);
    rmSync(`${file}-order`);
    await until(async () => (await sms.receive(post())).status === 200, 20_000);
  }, 60_000);
});

describe("when its thread hangs", () => {
  it("answers 503 after storeTimeoutMs while the event loop goes on, and works again after that", async () => {
    const { sms, errors, messages, file, order } = obedient({ storeTimeoutMs: 100 });
    await until(async () => (await sms.receive(post())).status === 200);
    await until(() => messages.length > 0);
    order({ at: "BEGIN IMMEDIATE", how: "hang" });
    const held = post({ source: "held" });
    expect(await sms.receive(held)).toMatchObject({ outcome: "failed", status: 503 });
    expect(errors.at(-1)).toMatchObject({ event: "inbox", cause: { code: "KALEYRA_SMS_STORE_TIMEOUT" } });
    rmSync(`${file}-order`);
    await until(async () => (await sms.receive(held)).status === 200);
    await until(() => messages.filter(({ source }) => source === "held").length === 1);
  });

  it("does not keep the messages meanwhile for which nobody waits any more", async () => {
    const { inbox, order, file } = obedient();
    const { message } = await recorder().sms.receive(post());
    if (message === undefined) throw new Error("The sample was not read.");
    order({ at: "BEGIN IMMEDIATE", how: "hang" });
    let dropped = 0;
    const store = (n: number) =>
      inbox.store({ ...message, key: `${n}` }, AbortSignal.abort("nobody waits")).catch(() => dropped++);
    const first = inbox.store(message, new AbortController().signal);
    await waitFor(100);
    for (let n = 0; n < 5_000; n++) void store(n);
    await waitFor(0);
    expect(dropped).toBeGreaterThan(3_000);
    rmSync(`${file}-order`);
    expect(await first).toBe("stored");
  });

  it.each([
    ["runs on without an end", "hang"],
    ["waits for the system, and nothing can end it", "block"],
  ])(
    "closes the router in time, and the inbox some seconds later, when it %s",
    async (_why, how) => {
      const { sms, inbox, order, file } = obedient({ storeTimeoutMs: 100, handlerTimeoutMs: 100 });
      await until(async () => (await sms.receive(post())).status === 200);
      const pipe = `${file}-order-pipe`;
      spawnSync("mkfifo", [pipe]);
      // The thread goes on, and ends.
      if (how === "block") ended.push(() => closeSync(openSync(pipe, "r+")));
      order({ at: "BEGIN IMMEDIATE", how });
      expect(await sms.receive(post())).toMatchObject({ status: 503 });
      const begun = performance.now();
      await sms.close();
      expect(performance.now() - begun).toBeLessThan(5_000);
      await expect(inbox.close()).rejects.toMatchObject({ code: THREAD_ENDED });
    },
    40_000,
  );
});

it("hands out nothing more when it is closed while messages are taken out", async () => {
  const { sms, inbox, order, file } = obedient({ concurrency: 0 });
  const { message: sample } = await sms.receive(post());
  order({ at: "COMMIT", how: "hang" });
  const handed: unknown[] = [];
  void inbox.start({
    concurrency: 1,
    handle: ({ key }) => {
      handed.push(key);
      return { outcome: "handled" };
    },
    failed: () => undefined,
  });
  await waitFor(200);
  const closed = inbox.close();
  rmSync(`${file}-order`);
  await closed;
  expect(handed).toEqual([]);
  const after = sqliteInbox({ file, thread: false, driver: driver.name as SqliteDriver });
  ended.push(() => after.close());
  expect(await after.get(sample?.key ?? "")).toMatchObject({ state: "waiting", attempts: 0 });
});

it("answers 503 with SQLite's code while its disk is full, and sends nothing of the message with it", async () => {
  const { sms, errors, order } = obedient();
  await until(async () => (await sms.receive(post())).status === 200);
  order({ at: "BEGIN IMMEDIATE", how: "PRAGMA max_page_count = 1" });
  const long = "x".repeat(40_000);
  await until(async () => (await sms.receive(post({ message: long }))).status === 503);
  expect(errors.at(-1)).toMatchObject({
    code: "KALEYRA_SMS_INBOX_FILE_FAILED",
    cause: {
      message: expect.stringContaining("SQLITE_FULL") as unknown,
      cause: { code: expect.anything() as unknown },
    },
  });
  expect(errors.filter(({ message, cause }) => `${message}${String(cause)}`.includes("xxxx"))).toEqual([]);
});

describe.each(DRIVERS)("with $name", ({ name, open }) => {
  const router = (others: Parameters<typeof recorder>[0] = {}) => {
    const file = temporary();
    const inbox = separately(() => sqliteInbox({ file, driver: name as SqliteDriver, backoffMs: 20 }));
    const recorded = recorder({ inbox, storeTimeoutMs: 500, ...others });
    ended.push(() => recorded.sms.close());
    const database = open(file);
    ended.push(() => database.close());
    return { ...recorded, inbox, database, file };
  };

  it("does not hand out a held message that another process forgets", async () => {
    const { sms, inbox, database } = router({ concurrency: 1 });
    const other = separateInbox({ database });
    ended.push(() => other.close());
    const free = deferred();
    const started: string[] = [];
    sms.on("message", ({ source, text }) => {
      started.push(source);
      if (text !== "first") return free.promise;
      // Messages that come with the end of another are held.
      for (const next of ["+912222222222", "+913333333333", "+914444444444"]) void sms.receive(post({ source: next }));
      return undefined;
    });
    await sms.receive(post({ source: "+911111111111", message: "first" }));
    await until(() => started.length === 2);
    const held = () =>
      (database.prepare("SELECT COUNT(*) AS held FROM message WHERE state = 2").get() as { held: number }).held;
    await until(() => held() === 2);
    expect(await other.forget("+913333333333")).toBe(1);
    free.resolve();
    await until(async () => started.length === 3 && (await inbox.stats()).running === 0);
    expect(started).toEqual(["+911111111111", "+912222222222", "+914444444444"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
  });

  it("waits for a lock, and stores when it is released", async () => {
    const { sms, messages, database, errors } = router();
    await until(async () => (await sms.receive(post())).status === 200);
    database.exec("BEGIN EXCLUSIVE");
    const waiting = sms.receive(post({ source: "waits" }));
    await waitFor(50);
    database.exec("COMMIT");
    expect(await waiting).toMatchObject({ outcome: "stored" });
    await until(() => messages.some(({ source }) => source === "waits"));
    expect(errors).toEqual([]);
  });

  it("answers 503, and rejects what an operator asks, if its file is deleted", async () => {
    const { sms, file, inbox, errors } = router();
    await until(async () => (await sms.receive(post())).status === 200);
    rmSync(file);
    expect(await sms.receive(post())).toMatchObject({ status: 503 });
    expect(errors).toContainEqual(
      expect.objectContaining({ cause: expect.objectContaining({ code: "KALEYRA_SMS_INBOX_FILE_LOST" }) as unknown }),
    );
    for (const asked of [inbox.stats(), inbox.replayAll(), inbox.get("1")])
      await expect(asked).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_FILE_LOST" });
  });

  const APP = `
    const { incomingSms } = require("express-kaleyra-sms");
    const { sqliteInbox } = require("express-kaleyra-sms/sqlite");
    const inbox = sqliteInbox({ file: process.argv[2], driver: ${JSON.stringify(name)} });
    const sms = incomingSms({ inbox, authenticate: false, logger: { warn() {}, error() {} } });
    sms.on("error", ({ cause }) => console.log("error", cause));
    const body = ${JSON.stringify(post({ message: "hello" }).body)};`;
  const HANDLED = `${APP}
    sms.on("message", async () => { setImmediate(() => sms.close().then(() => console.log("closed"))); });
    void sms.receive({ method: "POST", body }).then(({ outcome }) => console.log(outcome));`;

  const app = (code: string, flags: readonly string[] = [], env: Record<string, string> = {}) => {
    const main = join(temporaryFolder(), "app.cjs");
    writeFileSync(main, code);
    const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, main, temporary()], {
      encoding: "utf8",
      env: { ...process.env, NODE_PATH: join(ROOT, "node_modules"), ...env },
      timeout: 20_000,
    });
    return { stdout: stdout.trim().split("\n"), stderr, status, main };
  };

  it("lets the process end by itself once the router is closed", () => {
    expect(app(HANDLED)).toMatchObject({ stdout: ["stored", "closed"], status: 0 });
  });

  it("lets a process end by itself that only receives, when what came is stored", () => {
    const code = `${APP} void sms.receive({ method: "POST", body }).then(({ outcome }) => console.log(outcome));`;
    expect(app(code.replace("authenticate", "concurrency: 0, authenticate"))).toMatchObject({
      stdout: ["stored"],
      status: 0,
    });
  });

  it("lets a process end by itself that only opens the file", () => {
    const code = `require("express-kaleyra-sms/sqlite").sqliteInbox({ file: process.argv[2], driver: ${JSON.stringify(name)} });
      console.log("opened");`;
    expect(app(code)).toMatchObject({ stdout: ["opened"], status: 0 });
  });

  it("runs nothing of the app's in its thread: neither --require nor NODE_OPTIONS", () => {
    const hook = join(temporaryFolder(), "hook.cjs");
    writeFileSync(hook, `console.log("hook", require("node:worker_threads").isMainThread);`);
    expect(app(HANDLED, ["--require", hook]).stdout).toEqual(["hook true", "stored", "closed"]);
    expect(app(HANDLED, [], { NODE_OPTIONS: `--require ${hook}` }).stdout).toEqual(["hook true", "stored", "closed"]);
  });

  it("runs the hook of Plug'n'Play in its thread: nothing is found without it", () => {
    const folder = temporaryFolder();
    const hook = join(folder, "hook.cjs");
    writeFileSync(
      hook,
      `Object.defineProperty(process.versions, "pnp", { value: "3", enumerable: true });
       process.env.NODE_PATH = ${JSON.stringify(join(ROOT, "node_modules"))};
       require("node:module").Module._initPaths();
       delete process.env.NODE_PATH;
       console.log("hook", require("node:worker_threads").isMainThread);`,
    );
    const { stdout } = app(HANDLED, [], { NODE_OPTIONS: `--require ${hook}`, NODE_PATH: "" });
    expect(stdout.toSorted()).toEqual(["closed", "hook false", "hook true", "stored"]);
  });

  it("runs in the process and warns once if the file of the thread is missing, as in a bundle", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "app.cjs"), HANDLED);
    buildSync({
      ...{
        entryPoints: [join(folder, "app.cjs")],
        outfile: join(folder, "bundle.cjs"),
        bundle: true,
        platform: "node",
      },
      ...{ external: ["better-sqlite3", "bullmq", "libsql"], nodePaths: [join(ROOT, "node_modules")] },
      logLevel: "error",
    });
    const { stdout, stderr } = app(`require(${JSON.stringify(join(folder, "bundle.cjs"))});`);
    expect(stdout).toEqual(["stored", "closed"]);
    expect(stderr.match(/\[KALEYRA_SMS_NO_THREAD\]/g)).toHaveLength(1);
  });

  it("starts its thread again when it has no memory left, and ends no app with it", () => {
    const code = HANDLED.replace(JSON.stringify(name), '"better-sqlite3"').replace(
      /void sms.receive.*/,
      `require("node:fs").writeFileSync(
        process.argv[2] + "-order",
        JSON.stringify({ at: "COMMIT", when: "before", how: "memory" }),
      );
      const send = async () => {
        const { outcome } = await sms.receive({ method: "POST", body });
        console.log(outcome);
        if (outcome === "failed") await send();
      };
      void send();`,
    );
    const paths = [join(ROOT, "node_modules"), join(__dirname, "dying-driver")].join(delimiter);
    const { stdout, status } = app(code, ["--max-old-space-size=40"], { NODE_PATH: paths });
    const lines = stdout.filter((line) => !line.startsWith(" "));
    expect(lines.slice(-2)).toEqual(["stored", "closed"]);
    expect(lines).toContain("failed");
    expect(stdout.join("\n")).toContain("has ended: ERR_WORKER_OUT_OF_MEMORY");
    expect(status).toBe(0);
  });

  it("throws if the process may not start a thread", () => {
    const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
    const { status, stderr } = app(HANDLED, [flag, "--allow-fs-read=*", "--allow-fs-write=*", "--no-warnings"]);
    expect(status).toBe(1);
    expect(stderr).toContain("options.thread of sqliteInbox needs a thread, which this process may not start");
  });
});

it("can be opened again after its thread could not be started", async () => {
  const threads = createRequire(__filename)("node:worker_threads") as { Worker(): unknown };
  const options = { file: temporary(), driver: driver.name as SqliteDriver };
  const starts = jest.spyOn(threads, "Worker").mockImplementation(() => {
    throw new Error("There are too many threads.");
  });
  expect(() => sqliteInbox(options)).toThrow("There are too many threads.");
  starts.mockRestore();
  await sqliteInbox(options).close();
});

it.each<readonly [given: Record<string, unknown>, says: string]>([
  [{ file: "inbox.db", thread: "yes" }, "options.thread of sqliteInbox takes true or false"],
  [{ database: {}, thread: false }, "options.thread of sqliteInbox goes with options.file"],
])("throws for %j", (given, says) => {
  expect(() => sqliteInbox(given as never)).toThrow(TypeError);
  expect(() => sqliteInbox(given as never)).toThrow(says);
});
