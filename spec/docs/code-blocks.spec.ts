// Every block of code in every page: it compiles, parses or is compared, or a comment in front of it says why not. Such a
// block parses all the same, and compiles as far as the packages that it imports are there.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parseAllDocuments } from "yaml";

import { parseLine, verbOf } from "../../dist/command/parse";
import { VERBS } from "../../dist/command/verbs";
import { blocksOf, PAGES, ROOT, type Block } from "./pages";
import { typeCheck } from "./type-check";

const BLOCKS = PAGES.flatMap(blocksOf);
const placeOf = ({ page, line }: Block): string => `${page}:${line}`;
const inLanguage = (...languages: readonly string[]): Block[] =>
  BLOCKS.filter(({ language }) => languages.includes(language));

/** Blocks as `it.each` takes them. */
const rows = (blocks: readonly Block[]): Array<[string, Block]> => blocks.map((block) => [placeOf(block), block]);

/** The specs, by their text. */
const SPECS = readdirSync(join(ROOT, "spec"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".spec.ts"))
  .map((name) => ({ name, text: readFileSync(join(ROOT, "spec", name), "utf8") }));

/** The specs that read a page. Those compare what is no code: what is printed, statements, files of other programs. */
const specsOf = (page: string): string[] =>
  SPECS.filter(({ text }) => {
    const parts = page.split("/");
    return text.includes(`"${page}"`) || text.includes(parts.map((part) => `"${part}"`).join(", "));
  }).map(({ name }) => name);

describe("a block of TypeScript or JavaScript", () => {
  it("compiles", () => {
    const blocks = inLanguage("ts", "js", "mjs", "cjs");
    expect(blocks.length).toBeGreaterThan(15);
    expect(typeCheck(blocks)).toEqual([]);
  }, 120_000);

  it("is not accepted if it uses a name, a property or a package that is not there", () => {
    const block = (code: string, language = "ts"): Block => ({
      page: "README.md",
      line: 1,
      language,
      code,
      notRun: undefined,
    });
    const codes = [
      'sms.on("mesage", () => undefined);',
      'import { createSms } from "./sms.js";\ncreateSms().on("message", ({ txt }) => txt);',
      "// sms.ts\nexport const createSms = () => incomingSms();",
      'import none from "no-such-package";',
    ];
    const found = typeCheck([...codes.map((code) => block(code)), block("(none, other) => none + nowhere", "js")]);
    expect(found.map((text) => /\((\d+)\)$/.exec(text)?.[1])).toEqual(["2345", "2339", "2307", "2304"]);
  }, 120_000);
});

describe("a block for a shell", () => {
  const shells = inLanguage("sh", "bash");

  it.each(rows(shells))("parses: %s", (_place, { code }) => {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: code, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  const COMMAND =
    /(?:^|[\s(])npx (?:--\S+ )*express-kaleyra-sms ((?:'[^']*'|"[^"]*"|\\\n|[^\s#|&;<>)]|(?<=\S)#|[ \t](?!#))+)/gm;
  const lines = shells.flatMap((block) =>
    Array.from(block.code.matchAll(COMMAND), ([, line = ""]) => [placeOf(block), line.replaceAll("\\\n", " ").trim()]),
  ) as Array<[string, string]>;

  it.each(lines)("has the command's own verbs and options: %s %s", (_place, line) => {
    const words = Array.from(line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g), ([word]) => word.replaceAll(/['"]/g, ""));
    if (words.length === 1 && /^--(?:help|version)$/.test(words[0] ?? "")) return;
    const { verb, rest } = verbOf(words, VERBS);
    expect(verb).toBeDefined();
    if (verb !== undefined) expect(() => parseLine(verb, rest)).not.toThrow();
  });

  it("is found", () => {
    expect(lines.length).toBeGreaterThan(30);
  });
});

describe("a block of data", () => {
  it.each(rows(inLanguage("json")))("is JSON: %s", (_place, { code }) => {
    expect(() => JSON.parse(code) as unknown).not.toThrow();
  });

  const yaml = inLanguage("yaml", "yml");
  it.each(rows(yaml))("is YAML: %s", (_place, { code }) => {
    const documents = parseAllDocuments(code);
    expect([...documents].flatMap(({ errors }) => errors)).toEqual([]);
  });
});

describe("any other block", () => {
  const CHECKED = ["ts", "js", "mjs", "cjs", "sh", "bash", "json", "yaml", "yml"];
  const others = BLOCKS.filter(({ language, notRun }) => !CHECKED.includes(language) && notRun === undefined);

  it.each(rows(others))("is compared by a spec of its page: %s", (_place, { page }) => {
    expect(specsOf(page)).not.toEqual([]);
  });
});

it("says why, in each comment that excepts a block", () => {
  const comments = PAGES.flatMap(({ text }) => text.match(/<!-- not run/g) ?? []);
  const reasons = BLOCKS.flatMap(({ notRun }) => (notRun === undefined ? [] : [notRun]));
  expect(reasons).toHaveLength(comments.length);
  expect(reasons.filter((reason) => !/\w+ \w+/.test(reason))).toEqual([]);
});
