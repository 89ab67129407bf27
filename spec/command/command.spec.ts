// What every verb of the command has in common: help, JSON, streams, colours and exit codes.

import { execFile, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { command, commandJson, MAIN, startCommand } from "../support/command";

const ROOT = join(__dirname, "..", "..");
const VERBS = (
  JSON.parse(execFileSync(process.execPath, [MAIN, "--help", "--json"], { encoding: "utf8" })) as {
    data: { verbs: string[] };
  }
).data.verbs;

/** An endpoint that takes requests and never answers. */
let silent: Server;
let url = "";

beforeAll(async () => {
  silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/sms`;
});

afterAll(() => {
  silent.closeAllConnections();
  silent.close();
});

/** Runs it on a terminal of its own. */
async function onTerminal(args: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const line = `'${process.execPath}' '${MAIN}' ${args}`;
  const { stdout } = await promisify(execFile)("script", ["-qec", line, "/dev/null"], {
    env: { ...process.env, NO_COLOR: undefined, TERM: "xterm", ...env },
  }).catch((failed: unknown) => failed as { stdout: string });
  return stdout;
}

describe("docs/command.md", () => {
  it("is up to date with the table of verbs: `npm run docs` makes the same page", () => {
    const page = readFileSync(join(ROOT, "docs", "command.md"), "utf8");
    expect(execFileSync(process.execPath, [join(ROOT, "docs", "command.mjs")], { encoding: "utf8" })).toBe(page);
  });
});

describe("every verb", () => {
  it.each(VERBS)("has help with two examples: %s", async (name) => {
    const { code, stdout, stderr } = await command([...name.split(" "), "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\nExamples:\n")[1]?.match(/^ {2}express-kaleyra-sms /gm)?.length).toBeGreaterThanOrEqual(2);
    expect(stdout.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  it.each(VERBS)("rejects an unknown option with exit code 2, in JSON too: %s", async (name) => {
    const plain = await command([...name.split(" "), "--jsn"]);
    expect([plain.code, plain.stdout]).toEqual([2, ""]);
    expect(plain.stderr).toContain("Did you mean --json?");
    const { code, json, stderr } = await commandJson([...name.split(" "), "--no-such-option-at-all"]);
    expect([code, stderr]).toEqual([2, ""]);
    expect(json).toEqual({
      ok: false,
      error: { code: "wrong-use", message: expect.any(String), next: expect.any(String) },
    });
  });
});

describe("the command", () => {
  it.each([
    [[], "A verb is missing."],
    [["sned"], "Did you mean send?"],
    [["send"], "either TEXT or --from"],
    [["send", "a", "b"], "goes in quotes"],
    [["no-such-verb"], "There is no verb no-such-verb."],
    [["send", "a", "--url", "http://user:pw@localhost/sms"], "--basic"],
    [["send", "a", "--url", "http://localhost\\@example.com/sms"], "--url takes"],
    [["new", "a", "b"], "There are more words than it takes"],
    [["send", "a", "--url"], "--url takes a value"],
    [["send", "a", "--url="], "--url takes a value"],
    [["send", "a", "--show=yes"], "--show takes no value"],
    [["send", "a", "--method", "GET", "--method", "POST"], "more than once"],
    [["send", "a", "--method", "PUT"], "GET or POST"],
    [["send", "a", "--count", "-1"], "--count"],
    [["send", "a", "--bearer", "env:NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE"],
    [["send", "a", "--bearer", "@/no/such/file"], "cannot be read"],
    [["send", "a", "--header", "novalue"], "NAME=VALUE"],
    [["send", "a", "--header", "A b=c"], "no name of a header"],
    [["send", "a", "--bearer", "x", "--basic", "u:p"], "twice"],
    [["send", "a", "--url", "ftp://localhost/"], "http or https"],
    [["send", "a", "--profile", "no-such.mjs"], "no file"],
  ])("exits with 2 if it is used wrongly, and says what to do: %j", async (args, says) => {
    const { code, stdout, stderr } = await command(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
  });

  it("takes the options of every verb before the verb too", async () => {
    const { code, stdout } = await command(["--json", "send", "--help"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, data: { help: expect.stringContaining("Usage:") } });
  });

  it("takes a text that begins with a hyphen, and one that looks like an option, behind --", async () => {
    const { code, stdout } = await command(["send", "--curl", "--", "--json"]);
    expect(code).toBe(0);
    expect(stdout).toContain('"message": "--json"');
  });

  it("takes a secret from a file, without its last line end", async () => {
    const { stdout } = await command(["send", "a", "--curl", "--header", `X-Token=@${join(ROOT, ".nvmrc")}`]);
    expect(stdout).toContain(`'X-Token: '"$(cat '${join(ROOT, ".nvmrc")}')"`);
    expect((await command(["send", "a", "--show", "--bearer", "@/dev/null"])).code).toBe(2);
  });

  it("colours nothing unless it writes to a terminal, nor under NO_COLOR", async () => {
    const ESC = "\u001b[";
    const wrong = ["send", "a", "--method", "PUT"];
    expect((await command(wrong)).stderr).not.toContain(ESC);
    expect(await onTerminal(wrong.join(" "))).toContain(ESC);
    expect(await onTerminal(wrong.join(" "), { NO_COLOR: "1" })).not.toContain(ESC);
    expect(JSON.parse(await onTerminal(`${wrong.join(" ")} --json`))).toMatchObject({ ok: false });
  });

  it("prints its version", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await command(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("does not take a full disk for a closed stdout", async () => {
    const line = `'${process.execPath}' '${MAIN}' new --list > /dev/full; echo "exit $?"`;
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", line]);
    expect([stdout, stderr]).toEqual(["exit 3\n", expect.stringContaining("ENOSPC")]);
  });

  it("ends quietly when stdout is closed", async () => {
    const line = `'${process.execPath}' '${MAIN}' send --help; echo "exit $?" >&2`;
    const child = spawn("sh", ["-c", `(${line}) | head -1`], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    expect(stderr).toBe("exit 0\n");
  });

  it.each([
    ["an answer", ["send", "a"]],
    ["many answers", ["send", "a", "--count", "5"]],
  ])("ends with 130 when it is interrupted while it waits for %s", async (_for, args) => {
    const asked = new Promise((resolve) => silent.once("request", resolve));
    const { child, ended } = startCommand([...args, "--url", url, "--json"]);
    await asked;
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([130, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "interrupted" } });
  });
});
