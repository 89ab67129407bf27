// docs/api/: made by typedoc from the comments in lib/. Everything that the package exports has one.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { ROOT } from "./pages";

const api = (folder: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [join(folder, "docs/api.mjs")], { encoding: "utf8" });

describe("docs/api", () => {
  it("has a page for each module of the package, and a list of them", () => {
    const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { exports: object };
    const modules = Object.keys(exports).filter((name) => !name.endsWith(".json"));
    const pages = modules.map((name) => (name === "." ? "express-kaleyra-sms.md" : `${name.slice(2)}.md`));
    expect(readdirSync(join(ROOT, "docs/api")).sort()).toEqual([...pages, "README.md"].sort());
    const list = readFileSync(join(ROOT, "docs/api/README.md"), "utf8");
    expect(pages.filter((page) => !list.includes(`](${page})`))).toEqual([]);
  });

  it("is up to date: `npm run docs` makes the same", () => {
    expect(api(ROOT)).toMatchObject({ status: 0, stdout: "" });
  }, 300_000);

  it("needs a comment on everything that is exported, and follows each", () => {
    const folder = mkdtempSync(join(tmpdir(), "api-"));
    const edit = (path: string, from: string, to: string): void => {
      const text = readFileSync(join(folder, path), "utf8");
      expect(text).toContain(from);
      writeFileSync(join(folder, path), text.replace(from, to));
    };
    try {
      for (const path of ["lib", "docs", "package.json", "tsconfig.json", "tsconfig.build.json"])
        cpSync(join(ROOT, path), join(folder, path), { recursive: true });
      for (const name of ["dist", "node_modules"]) symlinkSync(join(ROOT, name), join(folder, name), "junction");
      edit("lib/watch/health.ts", "Whether callbacks should be sent here.", "Whether this is changed.");
      expect(api(folder)).toMatchObject({
        status: 1,
        stdout: "docs/api/express-kaleyra-sms.md differs: run `npm run docs`.\n",
      });
      edit("lib/watch/health.ts", "/** Whether this is changed. */", "");
      expect(api(folder)).toMatchObject({ status: 1, stdout: expect.stringContaining("Health.ready (Property)") });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 300_000);
});
