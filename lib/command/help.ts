// `--help`: of the command, and of each verb, from the table of verbs.

import { COMMON_OPTIONS, type Option, type Verb } from "./verb.js";

const COMMAND = "express-kaleyra-sms";
const WIDTH = 80;

export function helpOfCommand(verbs: readonly Verb[]): string {
  const list = verbs.map(({ name, summary }) => [name, firstSentence(summary)] as const);
  return [
    `Usage: ${COMMAND} VERB [...]`,
    "",
    "Verbs:",
    ...table(list),
    "",
    `${COMMAND} VERB --help has its options and examples.`,
    "Exit codes: 0 done, 1 a fault was found, 2 wrong use, 3 out of reach, 130 interrupted.",
  ].join("\n");
}

export function helpOfVerb({ name, summary, operands = [], options, examples, notes = [] }: Verb): string {
  const all: Readonly<Record<string, Option>> = { ...options, ...COMMON_OPTIONS };
  return [
    `Usage: ${[COMMAND, name, ...operands, "[OPTIONS]"].join(" ")}`,
    "",
    ...wrap(summary, WIDTH),
    "",
    "Options:",
    ...table(Object.entries(all).map(([option, one]) => [spellingOf(option, one), helpOf(one)] as const)),
    ...notes.flatMap((note) => ["", ...wrap(note, WIDTH)]),
    "",
    "Examples:",
    ...examples.flatMap(({ line, does }) => [`  ${COMMAND} ${line}`, `      ${does}`]),
  ].join("\n");
}

/** As it is typed: `--header NAME=VALUE`. */
export function spellingOf(name: string, { value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** What an option does, with what goes for all of its kind. */
export function helpOf({ help, multiple, secret }: Option): string {
  const also = [multiple && "Several times.", secret && "Also env:NAME or @FILE."];
  return [help, ...also.filter((one) => typeof one === "string")].join(" ");
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}

function table(rows: ReadonlyArray<readonly [string, string]>): string[] {
  const width = Math.min(24, Math.max(...rows.map(([left]) => left.length)));
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, WIDTH - width - 4);
    const indent = " ".repeat(width + 4);
    const [first = "", ...others] = lines;
    const head = left.length > width ? [`  ${left}`, `${indent}${first}`] : [`  ${left.padEnd(width)}  ${first}`];
    return [...head, ...others.map((line) => `${indent}${line}`)];
  });
}

/** Breaks a text into lines between its words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
