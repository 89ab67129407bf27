// A page of the documentation, as its specs read it: code blocks and tables.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(__dirname, "..", "..");

export interface Page {
  readonly text: string;
  /** The code blocks of a language. */
  blocks(language: string): string[];
  /** The only code block of a language that contains a text. */
  block(language: string, text: string): string;
  /** The rows of the first table after a text, such as a heading: the cells of each, without the head. */
  table(after: string): string[][];
}

/** @param path - from the root of the repository */
export function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), "utf8");
  const blocks = (language: string): string[] =>
    Array.from(text.matchAll(/^```(\S*)\n([^]*?)^```$/gm))
      .filter(([, name]) => name === language)
      .map(([, , code = ""]) => code);
  return {
    text,
    blocks,
    block: (language, part) => {
      const [found, ...more] = blocks(language).filter((code) => code.includes(part));
      if (found === undefined || more.length > 0)
        throw new Error(`${path} must have exactly one ${language} block with ${part}.`);
      return found;
    },
    table: (after) => {
      const [, rest] = text.split(after);
      if (rest === undefined) throw new Error(`${path} has no ${after}.`);
      const [table = ""] = /^\|[^]*?^(?!\|)/m.exec(rest) ?? [];
      return table
        .trim()
        .split("\n")
        .slice(2)
        .map((row) =>
          row
            .split(/(?<!\\)\|/)
            .slice(1, -1)
            .map((cell) => cell.trim()),
        );
    },
  };
}

/** What stands in back quotes in the first cells. */
export function names(rows: readonly string[][]): string[] {
  return rows.flatMap(([first = ""]) => Array.from(first.matchAll(/`([^`]+)`/g), ([, name]) => name ?? ""));
}

/** Runs code as a module in a process of its own, and returns what it prints. */
export function run(code: string): string {
  const args = ["--no-warnings", "--input-type=module", "-e", code];
  return execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
}
