// What is generated between markers on the pages: it is what the code declares, and a change by hand is noticed.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

import { ROOT } from "./pages";

const NAMES = ["options", "events", "fields", "metrics", "verbs", "house"];
const marked = (name: string, content = "old"): string =>
  `<!-- generated: ${name} -->\n\n${content}\n\n<!-- /generated -->\n`;

/** Runs the script that fills the pages of a folder. */
function tables(folder: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(folder, "docs/tables.mjs"), ...args], { encoding: "utf8" });
}

it("is up to date on every page: `npm run docs` makes the same", () => {
  expect(tables(ROOT)).toMatchObject({ status: 0, stdout: "" });
});

describe("in a folder of its own", () => {
  let folder: string;
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const edit = (path: string, from: string, to: string): void => {
    expect(read(path)).toContain(from);
    write(path, read(path).replace(from, to));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tables-"));
    cpSync(join(ROOT, "lib"), join(folder, "lib"), { recursive: true });
    for (const name of ["declared", "house", "tables"])
      cpSync(join(ROOT, `docs/${name}.mjs`), join(folder, `docs/${name}.mjs`));
    for (const name of ["dist", "node_modules"]) symlinkSync(join(ROOT, name), join(folder, name), "junction");
    write("CONTRIBUTING.md", `# Contributing\n\n${marked("house")}`);
    write("README.md", `# Readme\n\nA line.\n\n${marked("verbs")}\nAnother line.\n`);
    write("docs/all.md", `# All\n\n${NAMES.map((name) => marked(name)).join("\n")}\n### \`ack\`\n`);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("fills all markers, and leaves the rest of a page as it is", () => {
    expect(tables(folder)).toMatchObject({
      status: 1,
      stdout: ["README.md", "CONTRIBUTING.md", "docs/all.md"]
        .map((path) => `${path} differs: run \`npm run docs\`.\n`)
        .join(""),
    });
    expect(tables(folder, "--write")).toMatchObject({ status: 0, stderr: "" });
    expect(tables(folder)).toMatchObject({ status: 0, stdout: "" });
    expect(read("README.md")).toMatch(
      /^# Readme\n\nA line.\n\n<!-- generated: verbs -->\n\n\| verb [^]*\nAnother line.\n$/,
    );
    expect(read("README.md")).toMatch(/^\| \[`inbox stats`\]\(docs\/command\.md#inbox-stats\) +\| Counts /m);
    const all = read("docs/all.md");
    for (const row of [
      /^\| `bodyLimit` +\| `number` +\| 163,840 +\| The maximum size of a body in bytes, after decompression\. +\|$/m,
      /^\| \[`ack`\]\(#ack\) +\| `\{ status\?: number; body\?: string; headers\?: Record<string, string> \}` +\| `\{ status: 200, /m,
      /^\| `escaping` +\| `"auto" \\\| "none" \\\| "json"` +\| `"auto"` /m,
      /^\| `busy` +\| `BusyCallback` +\| For a callback that gets a 503 without being handled\. +\|$/m,
      /^\| `message` +\| under POST \| What the subscriber typed; may be empty/m,
      /^\| `inbox_errors_total\{operation\}` +\| Failures to store /m,
      /^\| \[`inbox stats`\]\(command\.md#inbox-stats\) +\| Counts /m,
      /^ {2}http\/ +HTTP, and nothing else$/m,
      /^stages\.ts +\S/m,
    ])
      expect(all).toMatch(row);
  });

  it.each([
    [
      "a default that a comment states and that is none",
      "lib/options.ts",
      "Default: 163,840.",
      "Default: 163,841.",
      "bodyLimit",
    ],
    ["a folder of lib/ that nobody describes", "docs/house.mjs", "watch:", "watching:", "watch, watching"],
    ["a file of lib/ that does not say what it is for", "lib/http/send.ts", "// ", "//", "lib/http/send.ts"],
    ["a name that nothing generates", "README.md", "generated: verbs", "generated: verb", 'nothing generates "verb"'],
  ])("names %s", (_what, path, from, to, named) => {
    edit(path, from, to);
    const { status, stderr } = tables(folder, "--write");
    expect(status).toBe(1);
    expect(stderr).toContain(named);
  });

  it("follows the code: a comment that changes is a page that differs", () => {
    tables(folder, "--write");
    edit("lib/handlers/events.ts", "Emitted for every valid callback.", "Emitted for each.");
    edit("lib/http/send.ts", "// ", "// A new sentence. ");
    expect(tables(folder)).toMatchObject({
      status: 1,
      stdout: "CONTRIBUTING.md differs: run `npm run docs`.\ndocs/all.md differs: run `npm run docs`.\n",
    });
  });
});
