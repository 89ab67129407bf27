// docs/inbox.md and the pages of the inboxes: their code runs as printed, and their tables list the options that there are.

import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { memoryInbox } from "express-kaleyra-sms/testing";

import { temporaryFolder } from "../inbox/temporary";
import { command } from "../support/command";
import { describeWithRedis, redisServer } from "../support/redis";
import { names, readPage, run } from "./page";

const PAGE = readPage("docs/inbox.md");
const NPX = "npx express-kaleyra-sms ";

/** A dead letter in the file of a folder: the page's first example, whose handler fails. */
function withDeadLetter(folder: string, then: string): string {
  const example = PAGE.block("ts", "sqliteInbox({")
    .replace('file: "inbox.db"', `file: ${JSON.stringify(join(folder, "inbox.db"))}, attempts: 1`)
    .replace("process.env.CALLBACK_TOKEN", '"s3cret"')
    .replace("console.error(error)", "failed(error)");
  return run(`
    console.info = () => undefined;
    let failed;
    const failure = new Promise((resolve) => (failed = resolve));
    const forwardToAPerson = () => Promise.reject(new TypeError("down"));
    ${example}
    const body = { id: "1", source: "919876543210", recipient: "5050", message: "Stop, please" };
    const { outcome } = await sms.receive({ method: "POST", body });
    const { event, final } = await failure;
    while ((await inbox.stats()).dead === 0) await new Promise((resolve) => setImmediate(resolve));
    console.log(outcome, event, final);
    ${then}
    await sms.close();`);
}

describe("docs/inbox.md", () => {
  it("has an example that acknowledges what it stores, and calls for dead letters that do what they say", () => {
    const calls = PAGE.block("ts", "replayAll").replace("inbox.replayAll()", "inbox.replay('none')");
    const [stored, deadLetter, ...stats] = withDeadLetter(temporaryFolder(), calls).split("\n");
    expect(stored).toBe("stored message true");
    expect(deadLetter).toMatch(/^[\w-]{43} 1 TypeError at /);
    // `forget` has erased it.
    expect(stats.join("")).toMatch(/waiting: 0.*running: 0.*delayed: 0.*dead: 0.*oldestWaitingMs/);
  });

  it("has commands that do the same", async () => {
    const cwd = temporaryFolder();
    withDeadLetter(cwd, "");
    const ran: string[] = [];
    for (const line of PAGE.block("sh", "inbox dead").trim().split("\n")) {
      const { code, stdout, stderr } = await command(line.slice(NPX.length).split(" "), { cwd });
      expect({ line, code, stderr }).toMatchObject({ line, code: 0 });
      ran.push(stdout);
    }
    expect(ran[0]).toContain("TypeError at ");
    expect(ran[1]).toContain("1");
  });

  it("lists the options of every inbox", () => {
    expect(names(PAGE.table("## Options of every inbox"))).toEqual(optionsOf(() => memoryInbox(UNKNOWN)));
  });
});

const UNKNOWN: object = { "?": 1 };

/** The options that the error for an unknown one lists. */
function optionsOf(make: () => unknown): string[] {
  try {
    make();
  } catch (error) {
    return /The options are (.*?)\. See/.exec((error as Error).message)?.[1]?.split(", ") ?? [];
  }
  return [];
}

it.each([
  ["docs/inbox-sqlite.md", "## Options", () => sqliteInbox({ ...UNKNOWN, file: "none.db" })],
  ["docs/inbox-redis.md", "## Options", () => bullmqInbox({ ...UNKNOWN, connection: "redis://none" })],
  ["docs/inbox-engines.md", "### Options of `postgresInbox`", () => postgresInbox({ ...UNKNOWN, pool: {} as never })],
])("%s lists the options that its inbox has beside those of every inbox", (path, heading, make) => {
  const shared = optionsOf(() => memoryInbox(UNKNOWN));
  const own = optionsOf(make).filter((name) => !shared.includes(name));
  expect(own.length).toBeGreaterThan(2);
  expect(names(readPage(path).table(heading)).toSorted()).toEqual(own.toSorted());
});

/** What a page's example prints if it gets an SMS, and a handler of its own. */
function storedAndHandled(code: string, env: Readonly<Record<string, string>>): string {
  return run(
    `console.info = () => undefined;
    Object.assign(process.env, ${JSON.stringify({ CALLBACK_TOKEN: "s3cret", ...env })});
    ${code}
    const handled = new Promise((resolve) => sms.on("message", ({ text }) => resolve(text)));
    const body = { id: "1", source: "919876543210", recipient: "5050", message: "hello" };
    const { outcome } = await sms.receive({ method: "POST", body });
    console.log(outcome, await handled);
    await sms.close();`,
  );
}

it("docs/inbox-sqlite.md has an example that runs", () => {
  const file = JSON.stringify(join(temporaryFolder(), "inbox.db"));
  const code = readPage("docs/inbox-sqlite.md").block("ts", "sqliteInbox({").replace('"inbox.db"', file);
  expect(storedAndHandled(code, {})).toBe("stored hello\n");
});

describeWithRedis("docs/inbox-redis.md", () => {
  it("has an example that runs without a warning, with the settings of its table", async () => {
    const page = readPage("docs/inbox-redis.md");
    const settings = names(page.table("## Settings of Redis")).map((line) => line.split(" "));
    expect(settings).toHaveLength(3);
    const server = await redisServer(Object.fromEntries(settings) as Record<string, string>);
    try {
      const code = `process.on("warning", ({ code }) => console.log(code));\n${page.block("ts", "bullmqInbox({")}`;
      const env = { REDIS_URL: `redis://127.0.0.1:${server.port}` };
      expect(storedAndHandled(code, env)).toBe("stored hello\n");
    } finally {
      await server.remove();
    }
  });
});
