// The table of lines as people read it: a group's title, its lines, and what to do beneath those that need it.

import { wrap } from "../help.js";
import type { Output } from "../output.js";
import type { AskedLine } from "./asked.js";

const WORDS = { holds: ["green", "holds"], fails: ["red", "fails"], "not proven": ["yellow", "not proven"] } as const;

const WORD_WIDTH = "not proven".length;
const INDENT = " ".repeat(WORD_WIDTH + 4);
const WIDTH = 100;

export function tableOf(lines: readonly AskedLine[], output: Output): string {
  const rows = lines.flatMap(({ group, name, result, seen, next }, index) => {
    const [style, word] = WORDS[result];
    const following = lines[index + 1];
    // What several lines in a row have in common stands beneath the last of them.
    const isSaidBelow = following?.group === group && following.next === next;
    return [
      ...(lines[index - 1]?.group === group ? [] : ["", output.paint("bold", group)]),
      `  ${output.paint(style, word.padEnd(WORD_WIDTH))}  ${name}${seen === undefined ? "" : ` (${seen})`}`,
      ...(next === undefined || isSaidBelow ? [] : wrap(next, WIDTH - INDENT.length).map((part) => INDENT + part)),
    ];
  });
  return rows.slice(1).join("\n");
}
