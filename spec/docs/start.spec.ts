// docs/start.md: its project is made as printed, its test passes, and its app replies and keeps strangers out.

import { execFileSync, spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { freePort } from "../support/free-port";
import { until } from "../support/recorder";
import { readPage, ROOT } from "./page";

const PAGE = readPage("docs/start.md");
const FILES = ["sms.js", "send.js", "server.js", "sms.test.js", "try.js"];
const COMMAND = `"${process.execPath}" "${join(ROOT, "dist/command/main.js")}"`;

let root: string;
let folder: string;
let port: string;

/** The file that a line of the page introduces: `NAME` ... */
function file(name: string): string {
  const [, code] = new RegExp(`^\`${name}\` [^]*?\n\`\`\`js\n([^]*?)^\`\`\`$`, "m").exec(PAGE.text) ?? [];
  if (code === undefined) throw new Error(`The page has no ${name}.`);
  return code;
}

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "start-")));
  folder = join(root, "sms-app");
  port = String(await freePort());
  // As printed, except that nothing is installed, and that it drains for a moment only.
  const commands = PAGE.block("sh", "npm init").replace(/^npm install .*\n/m, "");
  execFileSync("sh", ["-ec", commands], { cwd: root, stdio: "ignore" });
  mkdirSync(join(folder, "node_modules"));
  for (const name of ["express", "libsql", "express-kaleyra-sms"])
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  for (const name of FILES)
    writeFileSync(join(folder, name), file(name).replaceAll("3000", port).replace("10_000", "100"));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** Starts the app by the script of its package.json. */
function start(env: Readonly<Record<string, string>>): ChildProcessByStdio<null, Readable, Readable> {
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    scripts: { start: string; test: string };
  };
  expect(scripts.test).toBe("node --test");
  const [, ...args] = scripts.start.split(" ");
  return spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NODE_ENV: undefined, CALLBACK_TOKEN: undefined, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function listens(): Promise<boolean> {
  try {
    return (await fetch(`http://localhost:${port}/sms`, { method: "OPTIONS" })).ok;
  } catch {
    return false;
  }
}

describe("the project", () => {
  it("has a test that passes, without a warning of the package", () => {
    const { status, stdout } = spawnSync(process.execPath, ["--test", "--test-reporter=tap"], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout).toContain("# pass 1\n");
    expect(stdout).not.toContain("KALEYRA_SMS_");
    expect(status).toBe(0);
  });

  it("says which keywords a text matches", () => {
    const line = PAGE.block("sh", " try ").replace("npx express-kaleyra-sms", COMMAND);
    const env = { ...process.env, CALLBACK_TOKEN: undefined };
    const { status, stdout, stderr } = spawnSync("sh", ["-c", line], { cwd: folder, env, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^stop by tomorrow at five +POSSIBLE_OPT_OUT/);
  });

  it("replies to what is sent as printed, passes its check, rejects strangers, and ends by itself", async () => {
    const server = start({});
    try {
      while (!(await listens())) expect(server.exitCode).toBe(null);
      const reply = PAGE.block("", "SMS to ");
      const replied = until(server.stdout, reply);
      const commands = PAGE.block("sh", " send ")
        .replaceAll("3000", port)
        .replace("send ", `send --url http://localhost:${port}/sms `)
        .replaceAll("npx express-kaleyra-sms", COMMAND);
      const checked = spawnSync("sh", ["-c", commands], { cwd: folder, encoding: "utf8" });
      expect([checked.status, checked.stdout]).toEqual([0, expect.stringMatching(/^200 in [^]*secret/i)]);
      await replied;
      expect((await fetch(`http://localhost:${port}/sms`, { method: "POST" })).status).toBe(403);
      expect((await fetch(`http://localhost:${port}/simulator/`)).status).toBe(200);
      expect(await (await fetch(`http://localhost:${port}/health`)).json()).toMatchObject({ ready: true });
    } finally {
      server.kill("SIGTERM");
    }
    expect(await new Promise((resolve) => server.on("exit", (code, signal) => resolve(code ?? signal)))).toBe(0);
  }, 90_000); // the check waits for a body that never ends

  it("does not reply in production before the API is called: the message waits", async () => {
    const server = start({ NODE_ENV: "production" });
    try {
      while (!(await listens())) expect(server.exitCode).toBe(null);
      const failed = until(server.stderr, "Message ");
      const [, token = ""] = /=(.*)/.exec(readFileSync(join(folder, ".env"), "utf8")) ?? [];
      const query = "id=1&source=919876500002&recipient=5050&message=HOURS";
      const answer = await fetch(`http://localhost:${port}/sms?${query}`, { headers: { "X-Callback-Token": token } });
      expect(answer.status).toBe(200);
      expect(await failed).toMatch(/^Message \S+: /m);
      expect((await fetch(`http://localhost:${port}/simulator/`)).status).toBe(404);
    } finally {
      server.kill("SIGKILL");
    }
  });
});
