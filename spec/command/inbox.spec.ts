// `inbox`: looks into an inbox and repairs it, as a process of its own beside the running app.

import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { incomingSms, type IncomingSms, type OperableInbox } from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { Pool } from "pg";

import { command, commandJson, startCommand } from "../support/command";
import { freePort } from "../support/free-port";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../support/postgres";
import { describeWithRedis, redisServer, type RedisServer } from "../support/redis";
import { DRIVERS } from "../inbox/drivers";
import { ended, temporary, temporaryFolder } from "../inbox/temporary";

/** Each spec runs several processes. */
jest.setTimeout(60_000);

const SOURCE = "919876500001";
const TEXT = "canary-text";

interface App {
  readonly sms: IncomingSms;
  /** Stores a message. Resolves with its key when it is a dead letter. */
  readonly fail: (id: string, source?: string) => Promise<string>;
  /** From now on, handlers succeed. Resolves when each of the keys is handled. */
  readonly handled: (...keys: string[]) => Promise<void>;
}

const logger = { warn: () => undefined, error: () => undefined };

/** An app whose handlers fail at first, and whose messages have one attempt. */
function startApp(inbox: OperableInbox): App {
  const sms = incomingSms({ inbox, authenticate: false, logger });
  ended.push(() => sms.close());
  let fails = true;
  const done = new Set<string>();
  const dead = new Set<string>();
  let look = (): void => undefined;
  const whenIn = (set: ReadonlySet<string>, keys: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (keys.every((key) => set.has(key))) resolve();
      };
      look();
    });
  sms.on("message", ({ key }) => {
    if (fails) throw new Error(TEXT);
    done.add(key);
    look();
  });
  sms.on("error", ({ final, smsMessage }) => {
    if (final && smsMessage !== undefined) dead.add(smsMessage.key);
    // The inbox writes the end of the attempt in a later turn.
    setImmediate(look);
  });
  return {
    sms,
    fail: async (id, source = SOURCE) => {
      const { message } = await sms.receive({ method: "POST", body: { id, source, recipient: "5050", message: TEXT } });
      const key = message?.key ?? "";
      await whenIn(dead, [key]);
      while ((await inbox.get(key))?.state !== "dead") await new Promise((resolve) => setImmediate(resolve));
      return key;
    },
    handled: (...keys) => {
      fails = false;
      return whenIn(done, keys);
    },
  };
}

/** The id of a callback whose key begins with a hyphen, as one in 64 does. */
async function idOfHyphen(): Promise<string> {
  const sms = incomingSms({ authenticate: false, deduplicate: false, logger }).on("message", () => undefined);
  for (let id = 0; ; id++) {
    const body = { id: `${id}`, source: SOURCE, recipient: "5050", message: TEXT };
    const { message } = await sms.receive({ method: "POST", body });
    if (message?.key.startsWith("-") === true) return `${id}`;
  }
}

interface Place {
  readonly open: () => OperableInbox;
  /** The options that name it. */
  readonly options: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The specs of every engine. */
function itOperates(placeOf: () => Place): void {
  const started = (): { readonly app: App; readonly inbox: (...args: string[]) => ReturnType<typeof commandJson> } => {
    const { open, options, env = {} } = placeOf();
    return {
      app: startApp(open()),
      inbox: (...args) => commandJson(["inbox", ...args, ...options], { env }),
    };
  };

  it("counts the messages of a running app, and lists dead letters by pages, without number and text", async () => {
    const { app, inbox } = started();
    const keys = [await app.fail("1"), await app.fail("2"), await app.fail("3", "919876500002")];
    const stats = await inbox("stats");
    expect([stats.code, stats.stderr]).toEqual([0, ""]);
    expect(stats.json).toEqual({
      ok: true,
      data: { waiting: 0, running: 0, delayed: 0, dead: 3, oldestWaitingMs: 0 },
    });

    const first = await inbox("dead", "--limit", "2");
    expect(first.json).toEqual({
      ok: true,
      data: {
        deadLetters: keys.slice(0, 2).map((key) => ({
          key,
          source: "+91…01",
          attempts: 1,
          failedAt: expect.any(String),
          reason: expect.stringContaining("Error at "),
        })),
        next: keys[1],
      },
    });
    const second = await inbox("dead", "--limit", "2", "--after", keys[1] ?? "");
    expect(second.json).toMatchObject({ data: { deadLetters: [{ key: keys[2] }] } });
    expect(second.json).not.toHaveProperty("data.next");
    expect(first.stdout + second.stdout).not.toContain(TEXT);
    expect(first.stdout + second.stdout).not.toContain(SOURCE);
  });

  it("shows one message whole, also if its key begins with a hyphen", async () => {
    const { app, inbox } = started();
    const key = await app.fail(await idOfHyphen());
    expect((await inbox("show", key)).json).toMatchObject({
      ok: true,
      data: { state: "dead", attempts: 1, message: { key, source: `+${SOURCE}`, text: TEXT } },
    });
  });

  it("replays one dead letter, or all of them, which the running app then handles", async () => {
    const { app, inbox } = started();
    const [one, ...others] = [await app.fail("1"), await app.fail("2", "919876500002"), await app.fail("3", "5")];
    expect((await inbox("replay", one, "--dry-run")).json).toEqual({ ok: true, data: { messages: 1, dryRun: true } });
    expect((await inbox("replay", "--all", "--dry-run")).json).toMatchObject({ data: { messages: 3 } });
    expect((await inbox("stats")).json).toMatchObject({ data: { dead: 3 } });

    const handled = app.handled(one);
    expect((await inbox("replay", one)).json).toEqual({ ok: true, data: { messages: 1, dryRun: false } });
    await handled;
    const rest = app.handled(...others);
    expect((await inbox("replay", "--all")).json).toMatchObject({ data: { messages: 2 } });
    await rest;
  });

  it("discards and erases only with --yes, and says before what would change", async () => {
    const { app, inbox } = started();
    const keys = [await app.fail("1"), await app.fail("2"), await app.fail("3", "919876500002")];
    for (const args of [
      ["discard", keys[0] ?? ""],
      ["forget", SOURCE],
    ]) {
      const refused = await inbox(...args);
      expect([refused.code, refused.json]).toEqual([
        2,
        expect.objectContaining({ error: expect.objectContaining({ code: "not-confirmed" }) }),
      ]);
    }
    expect((await inbox("discard", keys[0] ?? "", "--dry-run")).json).toMatchObject({ data: { messages: 1 } });
    expect((await inbox("forget", `00${SOURCE}`, "--dry-run")).json).toMatchObject({ data: { messages: 2 } });
    expect((await inbox("stats")).json).toMatchObject({ data: { dead: 3 } });

    expect((await inbox("discard", keys[0] ?? "", "--yes")).json).toMatchObject({ data: { messages: 1 } });
    const forgotten = await inbox("forget", `00${SOURCE}`, "--yes");
    expect(forgotten.json).toEqual({ ok: true, data: { messages: 1, dryRun: false } });
    expect(forgotten.stdout).not.toContain(SOURCE);
    expect((await inbox("dead")).json).toMatchObject({ data: { deadLetters: [{ key: keys[2] }] } });
  });

  it("exits with 1 for a key that is not there", async () => {
    const { app, inbox } = started();
    const key = await app.fail("1");
    for (const args of [["show"], ["replay"], ["discard", "--yes"]]) {
      const { code, json } = await inbox(...args, `${key}x`);
      expect([args, code, json]).toEqual([
        args,
        1,
        expect.objectContaining({ error: expect.objectContaining({ code: "no-message" }) }),
      ]);
    }
    expect((await inbox("stats")).json).toMatchObject({ data: { dead: 1 } });
  });
}

describe("inbox --sqlite", () => {
  const file = (): string[] => ["--sqlite", temporary()];

  itOperates(() => {
    const options = file();
    return { options, open: () => sqliteInbox({ file: options[1] ?? "", attempts: 1 }) };
  });

  it("exits with 1 for a message that is no dead letter, and says what it is", async () => {
    const [option = "", path = ""] = file();
    const inbox = sqliteInbox({ file: path });
    const sms = incomingSms({ inbox, authenticate: false, logger });
    ended.push(() => sms.close());
    const body = { id: "1", source: SOURCE, recipient: "5050", message: TEXT };
    const { message } = await sms.receive({ method: "POST", body });
    for (const args of [["replay"], ["replay", "--dry-run"], ["discard", "--yes"]]) {
      const { code, json } = await commandJson(["inbox", ...args, message?.key ?? "", option, path]);
      expect([code, json]).toMatchObject([
        1,
        { error: { code: "no-dead-letter", message: expect.stringContaining("waiting") } },
      ]);
    }
    expect((await inbox.stats()).waiting).toBe(1);
  });

  it("makes no file, and no inbox of a file that is none", async () => {
    const folder = temporaryFolder();
    const missing = join(folder, "missing.db");
    const empty = join(folder, "empty.db");
    const text = join(folder, "notes.txt");
    const tables = join(folder, "tables.db");
    writeFileSync(empty, "");
    writeFileSync(text, "no database");
    mkdirSync(join(folder, "folder"));
    const database = DRIVERS[0]?.open(tables);
    database?.exec("CREATE TABLE orders (id INTEGER)");
    database?.close();
    for (const path of [missing, empty, text, tables, join(folder, "folder"), ":memory:"]) {
      const { code, json } = await commandJson(["inbox", "stats", "--sqlite", path]);
      expect([path, code, json]).toEqual([
        path,
        2,
        {
          ok: false,
          error: { code: "no-inbox", message: expect.stringMatching(/^--sqlite takes/), next: expect.any(String) },
        },
      ]);
    }
    expect(existsSync(missing)).toBe(false);
    expect(readFileSync(empty, "utf8") + readFileSync(text, "utf8")).toBe("no database");
  });

  it("exits with 3 if the file is damaged, and names SQLite's result code", async () => {
    const path = temporary();
    const inbox = sqliteInbox({ file: path });
    const sms = incomingSms({ inbox, concurrency: 0, authenticate: false, logger });
    const message = TEXT.repeat(1_000);
    for (const id of ["1", "2", "3", "4"])
      await sms.receive({ method: "POST", body: { id, source: SOURCE, recipient: "5050", message } });
    await sms.close();
    // Its first page says what it is.
    writeFileSync(path, readFileSync(path).fill(0xfe, 4_096));
    const { code, stderr } = await command(["inbox", "stats", "--sqlite", path]);
    expect([code, stderr]).toEqual([3, expect.stringContaining("The inbox's file cannot be used (SQLITE_CORRUPT).")]);
  });

  it("exits with 2 if the file has another name, and opens it by its own", async () => {
    const path = temporary();
    const inbox = sqliteInbox({ file: path, name: "orders" });
    ended.push(() => inbox.close());
    const { code, json } = await commandJson(["inbox", "stats", "--sqlite", path]);
    expect([code, json]).toMatchObject([
      2,
      { error: { code: "no-inbox", message: expect.stringContaining("--name") } },
    ]);
    expect((await command(["inbox", "stats", "--sqlite", path, "--name", "orders"])).code).toBe(0);
  });

  it("takes its options before the second word too, as a script fixes them", async () => {
    const path = temporary();
    const inbox = sqliteInbox({ file: path, name: "dead" });
    ended.push(() => inbox.close());
    const { code, stdout } = await command(["inbox", "--sqlite", path, "--name", "dead", "stats"]);
    expect([code, stdout]).toEqual([0, "waiting: 0\nrunning: 0\ndelayed: 0\ndead: 0\n"]);
  });

  it("leaves no lease and no lock behind", async () => {
    const path = temporary();
    const inbox = sqliteInbox({ file: path, attempts: 1 });
    const app = startApp(inbox);
    await app.fail("1");
    const database = DRIVERS[0]?.open(path);
    ended.push(() => database?.close());
    const leases = (): unknown => database?.prepare("SELECT id FROM process ORDER BY id").all();
    const before = leases();
    for (const args of [["stats"], ["replay", "--all"], ["forget", "5", "--yes"]])
      expect((await command(["inbox", ...args, "--sqlite", path])).code).toBe(0);
    expect(leases()).toEqual(before);
    database?.exec("BEGIN IMMEDIATE; ROLLBACK");
  });

  it.each([
    [["stats"], "One of --sqlite FILE, --redis URL and --postgres URL"],
    [["stats", "--sqlite", "a", "--redis", "redis://a"], "One of --sqlite FILE, --redis URL and --postgres URL"],
    [["stats", "--redis", "redis://a", "--postgres", "postgres://a"], "One of --sqlite FILE"],
    [["stats", "--sqlite", "a", "--schema", "sms"], "--schema is for --postgres only"],
    [["replay", "--sqlite", "a"], "either KEY or --all"],
    [["replay", "KEY", "--all", "--sqlite", "a"], "either KEY or --all"],
    [["dead", "--limit", "0", "--sqlite", "a"], "--limit takes"],
    [["show", "--sqlite", "a"], "KEY is missing"],
    [["stats", "--redis", "localhost:6379"], "--redis takes a URL"],
    [["stats", "--redis", "redis://localhost", "--name", "a:b"], "--name takes"],
    [["stats", "--postgres", "localhost:5432"], "--postgres takes a URL"],
    [["stats", "--postgres", "postgres://localhost:99999/app"], "--postgres takes a URL"],
    [["stats", "--postgres", "redis://localhost"], "--postgres takes a URL"],
    [["stats", "--postgres", "postgres://localhost", "--name", ""], "--name takes"],
    [["stats", "--postgres", "postgres://localhost", "--schema", ""], "--schema takes"],
  ])("exits with 2 if it is used wrongly, and says what to do: %j", async (args, says) => {
    const { code, stdout, stderr } = await command(["inbox", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
  });

  it("prints nothing that could steer a terminal", async () => {
    const path = temporary();
    const sms = incomingSms({ inbox: sqliteInbox({ file: path }), authenticate: false, logger });
    ended.push(() => sms.close());
    const body = { id: "1", source: SOURCE, recipient: "5050", message: "\u001b[31m\u009b31m\u202e" };
    const { message } = await sms.receive({ method: "POST", body });
    const { stdout } = await command(["inbox", "show", message?.key ?? "", "--sqlite", path]);
    expect(stdout).toContain("\\u001b[31m\\u009b31m\\u202e");
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });
});

describeWithRedis("inbox --redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(() => redis.remove());

  let queues = 0;
  itOperates(() => {
    const url = `redis://127.0.0.1:${redis.port}`;
    const name = `queue-${++queues}`;
    return {
      options: ["--redis", "env:REDIS_URL", "--name", name],
      env: { REDIS_URL: url },
      open: () => bullmqInbox({ connection: url, name, attempts: 1 }),
    };
  });

  it("says on stderr if nothing was ever stored under the name", async () => {
    const url = `redis://127.0.0.1:${redis.port}`;
    const { code, json, stderr } = await commandJson(["inbox", "stats", "--redis", url, "--name", "mistyped"]);
    expect([code, json]).toMatchObject([0, { data: { waiting: 0, dead: 0 } }]);
    expect(stderr).toContain("Nothing was ever stored under this name");
  });

  it("exits with 3 if Redis is away, and never prints its password", async () => {
    const url = `redis://:canary-password@127.0.0.1:${await freePort()}`;
    const { code, json, stdout, stderr } = await commandJson(["inbox", "stats", "--redis", url]);
    expect([code, json]).toMatchObject([3, { error: { code: "KALEYRA_SMS_INBOX_UNREACHABLE" } }]);
    expect(stdout + stderr).not.toContain("canary");
  });

  it("exits with 130 if it is interrupted while Redis does not answer", async () => {
    await expectInterrupted("--redis", (port) => `redis://127.0.0.1:${port}`);
  });
});

describeWithPostgres("inbox --postgres", () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => {
    server = await postgresServer();
    url = await server.createDatabase();
  }, 30_000);
  afterAll(() => server.remove());

  const pool = (of = url): Pool => {
    const opened = new Pool({ connectionString: of });
    ended.push(() => opened.end());
    return opened;
  };
  /** The tables of a database, and its schemas. */
  const made = (of: string) =>
    server.query(
      "SELECT table_schema, table_name FROM information_schema.tables " +
        "WHERE table_schema <> ALL ('{pg_catalog,information_schema}')",
      of,
    );

  let inboxes = 0;
  itOperates(() => {
    const name = `inbox-${++inboxes}`;
    const shared = pool();
    return {
      options: ["--postgres", "env:DATABASE_URL", "--schema", 'Sms of "us"', "--name", name],
      env: { DATABASE_URL: url },
      open: () => postgresInbox({ pool: shared, schema: 'Sms of "us"', name, attempts: 1 }),
    };
  });

  it("finds the inbox of an app that gives it neither schema nor name, by a URL in a file", async () => {
    const app = startApp(postgresInbox({ pool: pool(), attempts: 1 }));
    await app.fail("1");
    const file = join(temporaryFolder(), "url.txt");
    writeFileSync(file, `${url}\n`);
    expect((await commandJson(["inbox", "stats", "--postgres", `@${file}`])).json).toMatchObject({ data: { dead: 1 } });
    const { code, json, stderr } = await commandJson(["inbox", "stats", "--postgres", url, "--name", "mistyped"]);
    expect([code, json]).toMatchObject([0, { data: { waiting: 0, dead: 0 } }]);
    expect(stderr).toContain("Nothing was ever stored under this name");
  });

  it("takes a URL whose host is a parameter, as that of a socket is", async () => {
    const own = `postgres://postgres@/postgres?host=127.0.0.1&port=${server.port}`;
    const { code, json } = await commandJson(["inbox", "stats", "--postgres", own]);
    expect([code, json]).toMatchObject([
      2,
      { error: { code: "no-inbox", message: expect.stringContaining("has none") } },
    ]);
  });

  it("makes no tables and no schema: exits with 2 where there are none", async () => {
    const empty = await server.createDatabase();
    await server.query("CREATE SCHEMA bare", empty);
    const verbs = [["stats"], ["dead"], ["show", "KEY"], ["replay", "--all"], ["discard", "KEY", "--yes"]];
    for (const args of [...verbs, ["stats", "--schema", "bare"]]) {
      const { code, json } = await commandJson(["inbox", ...args, "--postgres", empty]);
      expect([args, code, json]).toMatchObject([args, 2, { error: { code: "no-inbox" } }]);
    }
    expect(await made(empty)).toEqual([]);
  });

  it("exits with 3 if PostgreSQL is away or refuses the password, and never prints the password", async () => {
    const away = `postgres://user:canary-password@127.0.0.1:${await freePort()}/app`;
    const missing = `postgres://postgres:canary-password@127.0.0.1:${server.port}/canary-database`;
    const refused = `postgres://canary-user:canary-password@127.0.0.1:${server.port}/postgres`;
    for (const given of [away, missing, refused]) {
      const { code, json, stdout, stderr } = await commandJson(["inbox", "stats", "--postgres", given]);
      expect([code, json]).toMatchObject([3, { error: { code: "KALEYRA_SMS_INBOX_UNREACHABLE" } }]);
      expect(json).toMatchObject({ error: { next: expect.stringContaining("PostgreSQL") } });
      expect(stdout + stderr).not.toContain("canary");
    }
  });

  it("exits with 3 if PostgreSQL does not answer", async () => {
    const silent = await silentServer();
    const { code, json } = await commandJson(["inbox", "stats", "--postgres", `postgres://a@127.0.0.1:${silent}/a`]);
    expect([code, json]).toMatchObject([3, { error: { code: "KALEYRA_SMS_INBOX_UNREACHABLE" } }]);
  });

  it("exits with 130 if it is interrupted while PostgreSQL does not answer", async () => {
    await expectInterrupted("--postgres", (port) => `postgres://a:b@127.0.0.1:${port}/a`);
  });

  it("exits with 2 if the role may not use the tables, and says what to run", async () => {
    const own = await server.createDatabase();
    await startApp(postgresInbox({ pool: pool(own), attempts: 1 })).fail("1");
    await server.query("CREATE ROLE stranger LOGIN", own);
    const { code, json } = await commandJson(["inbox", "stats", "--postgres", own.replace("postgres@", "stranger@")]);
    expect([code, json]).toMatchObject([2, { error: { message: expect.stringContaining("GRANT USAGE") } }]);
  });

  it.each([
    [0, "an older express-kaleyra-sms than this one, which needs version 1. Start the app with this"],
    [99, "a newer express-kaleyra-sms than this one, which knows version 1. Update express-kaleyra-sms"],
  ])("exits with 2 if the tables have version %d, and says what to do", async (version, says) => {
    const own = await server.createDatabase();
    await startApp(postgresInbox({ pool: pool(own), attempts: 1 })).fail("1");
    await server.query(`UPDATE express_kaleyra_sms.sms_version SET version = ${version}`, own);
    const { code, json } = await commandJson(["inbox", "stats", "--postgres", own]);
    expect([code, json]).toMatchObject([
      2,
      { error: { code: "KALEYRA_SMS_INBOX_DATABASE_UNFIT", message: expect.stringContaining(says) } },
    ]);
  });

  it("leaves no lease behind", async () => {
    const own = await server.createDatabase();
    const app = startApp(postgresInbox({ pool: pool(own), attempts: 1 }));
    await app.fail("1");
    const leases = () => server.query("SELECT count(*) FROM express_kaleyra_sms.sms_process", own);
    const before = await leases();
    for (const args of [["stats"], ["replay", "--all"], ["forget", "5", "--yes"]])
      expect((await command(["inbox", ...args, "--postgres", own])).code).toBe(0);
    expect(await leases()).toEqual(before);
  });

  it("says what to install if pg is not installed", async () => {
    const folder = temporaryFolder();
    const hook = join(folder, "hook.cjs");
    writeFileSync(
      hook,
      `const Module = require("node:module");
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => {
        if (name !== "pg") return resolve(name, ...rest);
        throw Object.assign(new Error("Cannot find module 'pg'"), { code: "MODULE_NOT_FOUND" });
      };`,
    );
    const { code, json } = await commandJson(["inbox", "stats", "--postgres", url], {
      env: { NODE_OPTIONS: `--require ${hook}` },
    });
    expect([code, json]).toMatchObject([
      2,
      { error: { code: "KALEYRA_SMS_PEER_MISSING", message: "--postgres needs pg: npm install pg." } },
    ]);
  });
});

/** Starts a server that accepts connections and never answers. Resolves with its port. */
async function silentServer(connected = (): void => undefined): Promise<number> {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    connected();
  }).listen(0, "127.0.0.1");
  ended.push(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(silent, "listening");
  return (silent.address() as AddressInfo).port;
}

async function expectInterrupted(option: string, urlOf: (port: number) => string): Promise<void> {
  const port = await silentServer(() => running.child.kill("SIGINT"));
  const running = startCommand(["inbox", "stats", option, urlOf(port)]);
  expect(await running.ended).toMatchObject({ code: 130, stdout: "" });
}
