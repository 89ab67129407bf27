// docs/testing.md: its test passes, its saved callback is read, and its commands run.

import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { fixture } from "express-kaleyra-sms/testing";

import { temporaryFolder } from "../inbox/temporary";
import { command } from "../support/command";
import { closeServers, listen, recorder } from "../support/recorder";
import { readPage, ROOT } from "./page";

const PAGE = readPage("docs/testing.md");
const NPX = "npx express-kaleyra-sms ";
afterAll(closeServers);

/** Runs a test in a folder that has the package installed. */
function tested(code: string): { status: number | null; stdout: string; stderr: string } {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "express-kaleyra-sms"));
  writeFileSync(join(folder, "sms.test.mjs"), code);
  return spawnSync(process.execPath, ["--test", "--test-reporter=tap"], { cwd: folder, encoding: "utf8" });
}

describe("the test to paste", () => {
  const code = PAGE.block("js", 'from "node:test"');

  it("passes without a warning", () => {
    const { status, stdout, stderr } = tested(code);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("# pass 1\n");
    expect(stdout).not.toContain("KALEYRA_SMS_");
  });

  it.each([
    ["a person would be asked", "await settled(", 'await asha.text("Where does the bus stop?"); await settled('],
    ["nobody opted out", '"Stop, please"', '"Hello"'],
  ])("fails if %s", (_case, from, to) => {
    expect(code).toContain(from);
    expect(tested(code.replace(from, to))).toMatchObject({ status: 1, stdout: expect.stringContaining("# fail 1\n") });
  });
});

it("shows a saved callback that fixture reads", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "callback.json");
  writeFileSync(file, PAGE.block("json", '"body"'));
  const { sms } = recorder();
  expect((await sms.receive(fixture(file))).message?.text).toBe("Stop");
});

it("has commands that test a running app", async () => {
  const { sms, messages } = recorder({
    path: "/sms",
    authenticate: { header: "X-Callback-Token", value: "s3cret" },
  });
  const url = `http://127.0.0.1:${await listen(sms)}/sms`;
  const lines = PAGE.block("sh", " check ").trim().split("\n");
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    const words = line.slice(NPX.length).replaceAll('"', "").split(" ");
    const args = words.map((word) => (word === "http://localhost:3000/sms" ? url : word));
    if (!args.includes(url)) args.push("--url", url);
    const { code, stderr } = await command(args, { env: { CALLBACK_TOKEN: "s3cret" } });
    expect({ line, code, stderr }).toMatchObject({ line, code: 0 });
  }
  expect(messages[0]).toMatchObject({ text: "STOP" });
  expect(messages.length).toBeGreaterThan(2);
});
