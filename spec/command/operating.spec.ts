// docs/operating.md: the commands to type at night run as printed, and print the words that the page quotes.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { ended, temporaryFolder } from "../inbox/temporary";
import { command, type Ran } from "../support/command";
import { freePort } from "../support/free-port";
import { CANARIES, providerApi, SID, type ProviderStandIn } from "../support/provider-api";
import { copyOut } from "../watch/app-process";

jest.setTimeout(60_000);

const ROOT = join(__dirname, "..", "..");
const PAGE = readFileSync(join(ROOT, "docs", "operating.md"), "utf8");
const NPX = "npx express-kaleyra-sms ";

/** The command lines of the page, each once. */
const LINES = [
  ...new Set(
    Array.from(PAGE.matchAll(/^ *```sh\n([^]*?)^ *```$/gm), ([, block = ""]) => block.trim().split("\n"))
      .flat()
      .map((line) => line.trim())
      .filter((line) => line.startsWith(NPX)),
  ),
];

const logger = { warn: () => undefined, error: () => undefined };

/** A folder with an inbox in which one message is a dead letter, and its key. */
async function folderOfInbox(): Promise<{ cwd: string; key: string }> {
  const cwd = temporaryFolder();
  const inbox = sqliteInbox({ file: join(cwd, "inbox.db"), attempts: 1 });
  const sms = incomingSms({ inbox, authenticate: false, logger }).on("message", () => {
    throw new TypeError("canary");
  });
  const body = { id: "1", source: "919876500001", recipient: "5050", message: "canary" };
  const { message } = await sms.receive({ method: "POST", body });
  const key = message?.key ?? "";
  while ((await inbox.get(key))?.state !== "dead") await new Promise((resolve) => setImmediate(resolve));
  await sms.close();
  return { cwd, key };
}

/** Runs a line of the page, in the folder of an app. The rest of what it names is here, on this machine. */
function run(line: string, cwd: string, replaced: Readonly<Record<string, string>> = {}, env = {}): Promise<Ran> {
  const words = line.slice(NPX.length).match(/"[^"]*"|\S+/g) ?? [];
  const args = words.map((word) => word.replaceAll('"', "")).flatMap((word) => (replaced[word] ?? word).split(" "));
  return command(args, { cwd, env });
}

/** Expects the page to have the first line of what was printed, or all of it. */
function expectQuoted(printed: string, { whole = false } = {}): void {
  const said = whole ? printed.trim() : (printed.split("\n")[0] ?? "");
  expect(said).not.toBe("");
  expect(PAGE).toContain(said);
}

/** The lines that contain a text. */
function linesWith(text: string): string[] {
  const found = LINES.filter((line) => line.includes(text));
  expect(found).not.toEqual([]);
  return found;
}

/** An app of the example durable in which a handler fails, then the disk is full, and then has room again. */
const FAILS = `
  import { sqliteInbox } from "express-kaleyra-sms/sqlite";
  import { memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";
  import Database from "libsql";
  import { createSms } from "./sms.js";

  const app = { optOut: () => { throw new TypeError("canary") } };
  console.error = console.warn = console.log;
  const failing = createSms({ inbox: memoryInbox({ attempts: 1 }), app, authenticate: false });
  await subscriber(failing).text("STOP");
  await settled(failing);
  await failing.close();

  const database = new Database("inbox.db");
  const sms = createSms({
    inbox: sqliteInbox({ database }),
    app,
    authenticate: false,
    log: { error: (line) => (console.log(line), line.includes("again") && process.exit()) },
  });
  database.exec("PRAGMA max_page_count = " + database.prepare("PRAGMA page_count").get().page_count);
  const receive = (id, text) => subscriber(sms).text(text, { id });
  await receive("1", "canary ".repeat(10_000));
  database.exec("PRAGMA max_page_count = 1000000");
  setInterval(() => receive("2", "now there is room"), 100);
`;

const beginningWith = (text: string): RegExp => new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}`);

describe("docs/operating.md", () => {
  let api: ProviderStandIn;
  beforeAll(async () => {
    api = await providerApi();
  });
  afterAll(() => api.close());

  it("has no command line that no spec here runs", () => {
    const known = [
      "--sqlite inbox.db",
      "--postgres env:DATABASE_URL",
      "--redis env:REDIS_URL",
      "profile verify",
      'send "TEST"',
    ];
    expect(LINES.filter((line) => !known.some((text) => line.includes(text)))).toEqual([]);
  });

  it.each(linesWith("--sqlite inbox.db"))("runs on an inbox: %s", async (line) => {
    const { cwd, key } = await folderOfInbox();
    const { code, stderr } = await run(line, cwd, { KEY: key });
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("quotes what a dead letter prints, and none", async () => {
    const { cwd, key } = await folderOfInbox();
    const dead = `${NPX}inbox dead --sqlite inbox.db`;
    const [head = "", letter] = (await run(dead, cwd)).stdout.split("\n");
    for (const column of head.split(/ {2,}/)) expect(PAGE).toContain(column);
    expect(letter).toContain(`${key}  +91…01  1 `);
    expect((await run(`${NPX}inbox replay --all --sqlite inbox.db`, cwd)).stdout).toBe("1 message replayed.\n");
    expectQuoted((await run(dead, cwd)).stdout);
  });

  it.each(linesWith("--redis env:REDIS_URL"))("says that Redis is away: %s", async (line) => {
    const env = { REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    const { code, stderr } = await run(line, temporaryFolder(), {}, env);
    expect(code).toBe(3);
    expectQuoted(stderr);
  });

  it.each(linesWith("--postgres env:DATABASE_URL"))("says that PostgreSQL is away: %s", async (line) => {
    const env = { DATABASE_URL: `postgres://app@127.0.0.1:${await freePort()}/app` };
    const { code, stderr } = await run(line, temporaryFolder(), {}, env);
    expect(code).toBe(3);
    expectQuoted(stderr);
  });

  it("quotes what is printed of a file that is not there", async () => {
    const { code, stderr } = await run(`${NPX}inbox stats --sqlite inbox.db`, temporaryFolder());
    expect(code).toBe(2);
    expectQuoted(stderr);
  });

  it("finds in the log what an app made of an example prints of each kind, and quotes it", () => {
    const [, filter = ""] = /^journalctl -u sms .*\| (grep .*)$/m.exec(PAGE) ?? [];
    expect(PAGE).toContain(`kubectl logs -l app=sms --prefix --tail=-1 --since=15m | ${filter}\n`);
    const cwd = copyOut("durable");
    writeFileSync(join(cwd, "fails.js"), FAILS);
    const env = { PATH: process.env.PATH, NODE_NO_WARNINGS: "1" };
    const printed = execFileSync(process.execPath, ["fails.js"], { cwd, env, encoding: "utf8" });
    const found = execFileSync("sh", ["-c", filter], { input: printed, encoding: "utf8" }).split("\n");
    const own = found.filter((line) => !/^express-kaleyra-sms: |^$/.test(line));
    expect(found.some((line) => line.startsWith("express-kaleyra-sms: "))).toBe(true);
    expect(found.filter((line) => line.includes("canary"))).toEqual([]);
    // A key, an attempt and a place differ; what is long ends with what to do.
    const plain = (line: string): string =>
      line.replace(/Message \S+, attempt \d/, "").replace(/file:\/\/\S+:\d+:\d+/, "");
    const quoted = /^```\n(Message [^]*?)\n```$/m.exec(PAGE)?.[1]?.split("\n").map(plain) ?? [];
    expect(quoted).toHaveLength(3);
    expect(own.map(plain)).toEqual(quoted.map((line) => expect.stringMatching(beginningWith(line)) as unknown));
  });

  const itWithProc = existsSync("/proc/self/fd") ? it : it.skip;
  itWithProc.each([
    ["its log, too", ["", "-wal", "-shm"]],
    ["the file alone", [""]],
  ])("saves what waits in a deleted file: %s", async (_case, ends) => {
    const blocks = Array.from(PAGE.matchAll(/^```sh\n([^]*?)^```$/gm), ([, block = ""]) => block);
    const [copy = "", place = ""] = blocks.filter((block) => block.includes("rescued/"));
    const cwd = temporaryFolder();
    const file = join(cwd, "inbox.db");
    const sms = incomingSms({ inbox: sqliteInbox({ file }), concurrency: 0, authenticate: false, logger });
    const body = { id: "1", source: "919876500001", recipient: "5050", message: "STOP" };
    expect(await sms.receive({ method: "POST", body })).toMatchObject({ outcome: "stored" });
    for (const end of ends) rmSync(file + end);

    const sh = (script: string): string => execFileSync("sh", ["-ec", script], { cwd, encoding: "utf8" });
    const fds = readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [[fd, readlinkSync(`/proc/self/fd/${fd}`).replace(" (deleted)", "")] as const];
      } catch {
        return []; // the one of this look
      }
    });
    const fdOf = (path: string): string => fds.find(([, to]) => to === path)?.[0] ?? "none";
    const own = copy.replaceAll("PID", `${process.pid}`);
    expect(sh(own.replace("/N ", `/${fdOf(file)} `).replace("/M ", `/${fdOf(`${file}-wal`)} `))).toContain(file);
    await sms.close();
    sh(place);

    const inbox = sqliteInbox({ file });
    ended.push(() => inbox.close());
    expect(await inbox.stats()).toMatchObject({ waiting: 1 });
  });

  it.each(linesWith("profile verify"))("says that the profile was switched off: %s", async (line) => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "dist"));
    const profile = `callbackProfile({ method: "POST", url: "https://your.domain/sms", headers: { "X-Callback-Token": "a" } })`;
    const build = JSON.stringify(join(ROOT, "dist", "index.js"));
    writeFileSync(join(cwd, "dist/profile.js"), `exports.profile = require(${build}).${profile};`);
    const { profile_id } = api.add({ status: 2 });
    const here = { SG_1a2b: profile_id, "--region": "--api", in: api.url };
    const env = { KALEYRA_SID: SID, KALEYRA_API_KEY: CANARIES.key, CALLBACK_TOKEN: "a" };
    const { code, stdout } = await run(line, cwd, here, env);
    expect(code).toBe(1);
    expectQuoted(stdout, { whole: true });
  });

  describe.each(linesWith('send "TEST"'))("%s", (line) => {
    const send = async (secret: string): Promise<Ran> => {
      const authenticate = { header: "X-Callback-Token", value: "right" };
      const sms = incomingSms({ authenticate, logger, path: "/sms" }).on("message", () => undefined);
      const server = createServer(sms).listen(0, "127.0.0.1");
      ended.push(() => server.close());
      await new Promise((resolve) => server.once("listening", resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sms`;
      const here = { "https://your.domain/sms": url, "http://localhost:3000/sms": url };
      return run(line, temporaryFolder(), here, { CALLBACK_TOKEN: secret });
    };

    it("is answered 200", async () => {
      const { code, stdout } = await send("right");
      expect([code, stdout]).toEqual([0, expect.stringMatching(/200/)]);
    });

    it("says with a wrong secret what the page quotes", async () => {
      const { code, stderr } = await send("wrong");
      expect(code).toBe(1);
      expectQuoted(stderr, { whole: true });
    });
  });
});
