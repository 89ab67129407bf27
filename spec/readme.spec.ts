// The README: it is short, its code runs as printed, and it leads to the pages that answer what a new user asks.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";
import { subscriber } from "express-kaleyra-sms/testing";

import { readPage, ROOT } from "./docs/page";
import { longSentences } from "./docs/prose";
import { command } from "./support/command";
import { freePort } from "./support/free-port";
import { recorder, until } from "./support/recorder";

const PAGE = readPage("README.md");

/** Runs something in a folder that has the package installed, and what the package finds in the repository. */
function inProject<Result>(run: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(ROOT, join(folder, "node_modules", "express-kaleyra-sms"));
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the first example", () => {
  const example = PAGE.block("js", "app.listen(3000)");

  it("prints the README's output in production, if the README's curl command is pasted into a shell", async () => {
    const port = String(await freePort());
    const curl = PAGE.block("sh", "curl -i").replaceAll("3000", port);
    const env = { ...process.env, NODE_ENV: "production", CALLBACK_TOKEN: "try-me" };
    const code = example.replaceAll("3000", port);
    const server = spawn(process.execPath, ["--input-type=module", "-e", code], { cwd: ROOT, env });
    try {
      while (!(await listens(port))) expect(server.exitCode).toBe(null);
      const printed = until(server.stdout, " typed Stop, please\n");
      expect(execFileSync("sh", ["-c", curl], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })).toMatch(
        /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\n$/,
      );
      expect(await printed).toBe(PAGE.block("", "no more messages to +"));
    } finally {
      server.kill();
    }
  });

  it.each(["production", "development"])("says what to do if the secret is not set, in %s", (NODE_ENV) => {
    const env = { ...process.env, NODE_ENV, CALLBACK_TOKEN: undefined };
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", example], {
      cwd: ROOT,
      env,
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toContain("options.authenticate.value");
    expect(stderr).toContain("set it there before the app starts: `openssl rand -hex 32` makes a secret.");
  });

  async function listens(port: string): Promise<boolean> {
    try {
      return (await fetch(`http://localhost:${port}/sms`, { method: "OPTIONS" })).ok;
    } catch {
      return false;
    }
  }
});

describe("the snippets", () => {
  it("print what to paste into the console", async () => {
    const [, args = ""] = /^npx express-kaleyra-sms (.*)$/m.exec(PAGE.block("sh", "profile print")) ?? [];
    const { code, stdout } = await command(args.split(" "), { env: { CALLBACK_TOKEN: "try-me" } });
    expect(code).toBe(0);
    expect(stdout).toContain("Enter Endpoint:\nhttps://your.domain/sms\n");
    expect(stdout).toContain("X-Callback-Token: (the value of CALLBACK_TOKEN)");
  });

  it("match keywords as the README says", async () => {
    const { sms } = recorder();
    const called: unknown[] = [];
    const caller =
      (name: string) =>
      (...args: unknown[]): unknown =>
        called.push([name, ...args]);
    runInNewContext(PAGE.block("js", '"BALANCE"'), {
      sms,
      join: caller("join"),
      sendBalance: caller("sendBalance"),
      forwardToAPerson: caller("forward"),
    });
    sms.keyword(OPT_OUT, ({ text }) => called.push(["optOut", text]));
    sms.keyword(POSSIBLE_OPT_OUT, ({ text }) => called.push(["possible", text]));
    const texts = Array.from(PAGE.text.matchAll(/"(join gold|Join, GOLD|JOIN... gold 🙏)"/g), ([, text = ""]) => text);
    expect(texts).toHaveLength(3);
    for (const text of [...texts, "bal", "please stop", "stop by tomorrow at five"]) await subscriber(sms).text(text);
    const source = "+919876543210";
    expect(called).toEqual([
      ["join", source, "gold"],
      ["join", source, "GOLD"],
      ["join", source, "gold"],
      ["sendBalance", source],
      ["optOut", "please stop"],
      ["possible", "stop by tomorrow at five"],
    ]);
    expect(PAGE.text).toContain(
      '`OPT_OUT` matches "please stop"; `POSSIBLE_OPT_OUT` matches "stop by tomorrow at five"',
    );
  });

  it("reply, but not to a message that opts out", async () => {
    const { sms } = recorder();
    const sent: unknown[] = [];
    const sendSms = (reply: unknown, signal: unknown): unknown => sent.push([reply, signal instanceof AbortSignal]);
    runInNewContext(PAGE.block("js", "sendSms("), { sms, sendSms });
    const { message } = await subscriber(sms).text("hours?");
    await subscriber(sms).text("HOURS STOP", { keyword: "HOURS" });
    const reply = { to: "+919876543210", text: "We are open from 9 to 18.", idempotencyKey: message?.key };
    expect(sent).toEqual([[reply, true]]);
  });

  it("have a test that passes without a warning, and can fail", () => {
    const code = PAGE.block("js", 'from "node:test"');
    const results = [code, code.replace("Where does the bus stop?", "Stop")].map((test) =>
      inProject((folder) => {
        writeFileSync(join(folder, "sms.test.mjs"), test);
        return spawnSync(process.execPath, ["--test", "--test-reporter=tap"], { cwd: folder, encoding: "utf8" });
      }),
    );
    expect(results.map(({ status, stderr }) => [status, stderr])).toEqual([
      [0, ""],
      [1, ""],
    ]);
    expect(results[0]?.stdout).toContain("# pass 1\n");
    expect(results[0]?.stdout).not.toContain("KALEYRA_SMS_");
  });

  it("open an inbox in a file", () => {
    const code = `${PAGE.block("js", "sqliteInbox")}
      import { subscriber } from "express-kaleyra-sms/testing";
      console.log((await subscriber(sms).text("Hello")).outcome);
      await sms.close();`;
    const printed = inProject((folder) =>
      execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", code], {
        cwd: folder,
        env: { ...process.env, CALLBACK_TOKEN: "try-me" },
        encoding: "utf8",
      }),
    );
    expect(printed).toContain("stored\n");
  });
});

describe("the page", () => {
  it("has at most 200 lines and 1,500 words", () => {
    expect(PAGE.text.trimEnd().split("\n").length).toBeLessThanOrEqual(200);
    expect(PAGE.text.trim().split(/\s+/).length).toBeLessThanOrEqual(1_500);
  });

  it("has one sentence a line, of at most 25 words", () => {
    expect(longSentences(PAGE.text)).toEqual([]);
    expect(longSentences("One. Two.\nSee [one](a.md).")).toEqual(["One. Two."]);
  });

  it("goes from what it is to where to read on", () => {
    const headings = Array.from(PAGE.text.matchAll(/^## (.*)$/gm), ([, heading]) => heading);
    expect(headings).toEqual([
      "Install",
      "Receive a first SMS",
      "Mount it first of all",
      "Point the provider at it",
      "Keywords",
      "Reply",
      "Test",
      "Nothing lost",
      "Questions",
      "Speed",
      "What it is not",
    ]);
  });

  // Each is a link: the page behind it answers.
  it.each([
    "reply",
    "two numbers",
    "test",
    "local development",
    "nothing arrives",
    "proxy",
    "STOP in my language",
    "lost when Redis is down",
    "upgrade",
    "erase a customer",
  ])("has a link for a user who asks: %s", (words) => {
    const links = Array.from(
      PAGE.text.matchAll(/\[([^\]]+)\]\(docs\/[\w/-]+\.md(?:#[\w-]+)?\)/g),
      ([, text = ""]) => text,
    );
    expect(links.filter((text) => text.toLowerCase().includes(words.toLowerCase()))).not.toEqual([]);
  });
});
