// docs/speed.md and what other pages quote of it: made from bench/results.json, so that no figure is typed by hand.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

const ROOT = join(__dirname, "..");

/** Runs the script that makes the pages, in a copy of what it reads and writes. */
function speed(folder: string, ...args: string[]): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [join(folder, "docs/speed.mjs"), ...args], { encoding: "utf8" });
}

describe("the figures", () => {
  let folder: string;
  const edit = (path: string, from: RegExp, to: string): void => {
    const text = readFileSync(join(folder, path), "utf8");
    expect(text).toMatch(from);
    writeFileSync(join(folder, path), text.replace(from, to));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "speed-"));
    for (const path of ["docs", "README.md"]) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    cpSync(join(ROOT, "bench"), join(folder, "bench"), {
      recursive: true,
      filter: (source) => !source.includes("node_modules"),
    });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("are those of bench/results.json: `npm run docs` makes the same pages", () => {
    expect(speed(ROOT)).toMatchObject({ status: 0, stdout: "" });
  });

  it.each([
    ["docs/speed.md", /of a handler written by hand +\| +\d/, "of a handler written by hand | 9"],
    ["README.md", /of a handler written by hand +\| +\d/, "of a handler written by hand | 9"],
    ["docs/decisions/promises.md", /(?<=<!-- speed: async-handlers -->)\d/, "9"],
    ["docs/limits.md", /(?<=<!-- speed: hostile-body -->)\d/, "99"],
  ])("are not accepted in %s if one is changed by hand", (path, from, to) => {
    edit(path, from, to);
    expect(speed(folder)).toMatchObject({ status: 1, stdout: `${path} differs: run \`npm run docs\`.\n` });
  });

  it("are renewed on every page if the results change", () => {
    edit("bench/results.json", /"date": "[\d-]+"/, '"date": "2001-02-03"');
    expect(speed(folder, "--write").status).toBe(0);
    expect(readFileSync(join(folder, "docs/speed.md"), "utf8")).toContain("2001-02-03");
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("2001-02-03");
    expect(speed(folder)).toMatchObject({ status: 0, stdout: "" });
  });

  it("are all there: a row without a result is an error", () => {
    edit("bench/results.json", /"express-get": /, '"express-got": ');
    expect(speed(folder).status).not.toBe(0);
  });

  it("are all that the README's section on speed has", () => {
    const [, section = ""] = readFileSync(join(ROOT, "README.md"), "utf8").split("\n## Speed\n");
    const [text = ""] = section.split("\n## ");
    expect(text.replace(/<!-- speed: summary -->[^]*<!-- \/speed -->/, "").trim()).toBe("");
  });
});
