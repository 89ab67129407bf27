// The codes of errors, warnings and answers: docs/codes.md lists them all, and is made from the tables in lib/base.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { callbackProfile, incomingSms } from "express-kaleyra-sms";

import { packedFiles } from "./support/packed-files";

const ROOT = join(__dirname, "..");
const PAGE = readFileSync(join(ROOT, "docs", "codes.md"), "utf8");
const TABLES = ["base/error-messages.ts", "base/answer-messages.ts"];

/** The source files, without the tables. */
const SOURCES = readdirSync(join(ROOT, "lib"), { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".ts") && !TABLES.includes(name))
  .map((name) => ({ name, code: readFileSync(join(ROOT, "lib", name), "utf8") }));
const HEADINGS = Array.from(PAGE.matchAll(/^### `(.+)`$/gm), ([, code = ""]) => code);

describe("docs/codes.md", () => {
  it("is up to date with the tables: `npm run docs` makes the same page", () => {
    expect(execFileSync(process.execPath, [join(ROOT, "docs", "codes.mjs")], { encoding: "utf8" })).toBe(PAGE);
  });

  it("is in the published package", () => {
    expect(packedFiles(ROOT)).toContain("docs/codes.md");
  });

  it("has a paragraph for each code that the package uses, and for no other", () => {
    expect(HEADINGS.length).toBeGreaterThan(40);
    const isUsed = (code: string): boolean => SOURCES.some((source) => source.code.includes(`"${code}"`));
    const handlers = /^handler-of-(\w+)-failed$/;
    expect(HEADINGS.filter((code) => !isUsed(handlers.exec(code)?.[1] ?? code))).toEqual([]);
    const codes = SOURCES.flatMap(({ code }) => code.match(/"KALEYRA_SMS_(?!CALLBACK")[A-Z_]+"/g) ?? []);
    expect(codes.map((code) => JSON.parse(code) as string).filter((code) => !HEADINGS.includes(code))).toEqual([]);
  });
});

describe("an error", () => {
  it.each<[string, () => unknown]>([
    ["KALEYRA_SMS_INVALID_OPTION", () => incomingSms({ methods: [] })],
    ["KALEYRA_SMS_INVALID_OPTION", () => callbackProfile({ method: "POST", url: "" })],
    ["KALEYRA_SMS_INVALID_ARGUMENT", () => incomingSms().on("mesage" as never, () => undefined)],
    ["KALEYRA_SMS_INVALID_ARGUMENT", () => incomingSms().keyword("", () => undefined)],
  ])("has the code %s, and ends with the path of its paragraph", (code, cause) => {
    const end = `See node_modules/express-kaleyra-sms/docs/codes.md#${code.toLowerCase()}`;
    expect(cause).toThrow(expect.objectContaining({ code, message: expect.stringMatching(new RegExp(`\\. ${end}$`)) }));
    expect(HEADINGS).toContain(code);
  });
});
