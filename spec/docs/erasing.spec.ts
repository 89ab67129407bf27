// docs/erasing.md: its commands print what the page quotes, and leave no number and no text.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { incomingSms, type Inbox } from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { ended, temporaryFolder } from "../inbox/temporary";
import { until } from "../inbox/waiting";
import { command } from "../support/command";
import { describeWithRedis, redisServer, type RedisServer } from "../support/redis";
import { readPage } from "./page";

jest.setTimeout(30_000);

const PAGE = readPage("docs/erasing.md");
const NPX = "npx express-kaleyra-sms ";
const NUMBER = "9876543210";
const TEXT = "canary";
const LINES = PAGE.blocks("sh").flatMap((block) => block.trim().split("\n"));
const COMMANDS = LINES.filter((line) => line.startsWith(NPX)).map((line) => line.slice(NPX.length).split(" "));

/** Stores an SMS of the page's subscriber in an inbox, whose router hands nothing out. It is closed after the spec. */
async function storing(inbox: Inbox): Promise<void> {
  const logger = { warn: () => undefined, error: () => undefined };
  const sms = incomingSms({ inbox, authenticate: false, concurrency: 0, logger });
  ended.push(() => sms.close());
  const body = { id: "1", source: `91${NUMBER}`, recipient: "5050", message: TEXT };
  expect((await sms.receive({ method: "POST", body })).outcome).toBe("stored");
}

it("erases an SMS from a file beside the running app, so that no byte of it is left", async () => {
  const cwd = temporaryFolder();
  const written = (): string =>
    readdirSync(cwd)
      .map((name) => readFileSync(join(cwd, name), "latin1"))
      .join("\n");
  await storing(sqliteInbox({ file: join(cwd, "inbox.db") }));
  expect(written().includes(TEXT)).toBe(true);
  const printed: string[] = [];
  for (const args of COMMANDS) {
    const { code, stdout } = await command(args, { cwd });
    expect(code).toBe(0);
    printed.push(stdout);
  }
  expect(printed).toEqual(PAGE.blocks(""));
  expect([TEXT, NUMBER].filter((word) => written().includes(word))).toEqual([]);
});

describeWithRedis("in Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(() => redis.remove());

  it("has the append-only file rewritten", async () => {
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    await storing(bullmqInbox({ connection: env.REDIS_URL }));
    const erase = COMMANDS[1]?.join(" ").replace("--sqlite inbox.db", "--redis env:REDIS_URL").split(" ") ?? [];
    expect(PAGE.text).toContain("`--redis env:REDIS_URL`");
    expect((await command(erase, { env })).stdout).toBe("1 message erased.\n");
    expect(redis.written().includes(TEXT)).toBe(true);
    const sh = (line: string): string =>
      execFileSync("sh", ["-c", line], { env: { ...process.env, ...env }, encoding: "utf8" });
    const [rewrite = "", look = ""] = LINES.filter((line) => line.startsWith("redis-cli"));
    sh(rewrite);
    await until(() => PAGE.text.includes(`\`${sh(look).trim()}\``));
    expect([TEXT, NUMBER].filter((word) => redis.written().includes(word))).toEqual([]);
  });
});
