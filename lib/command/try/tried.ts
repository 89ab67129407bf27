// What one text would match: for `--json`, and as a line for people.

import type { MatchesOf } from "../../pipeline/matches-of.js";
import { printable } from "../printable.js";

interface TriedMatch {
  /** What was registered: the keyword, a RegExp, or `POSSIBLE_OPT_OUT`. */
  readonly pattern: string;
  readonly keyword: string;
  readonly by: "text" | "rest" | "field";
  readonly rest: string;
  readonly captures: ReadonlyArray<string | undefined>;
}

export interface Tried {
  /** The number of the line. */
  readonly line: number;
  readonly text: string;
  readonly matches: readonly TriedMatch[];
  /** Whether there are keywords, and none matched. */
  readonly unmatched: boolean;
  readonly optOut: boolean;
  /** The words that may be an opt-out. */
  readonly possibleOptOut?: string;
  /** RegExps that threw. */
  readonly failed?: readonly string[];
  /** The code of `invalid`, if the router would reject the callback. */
  readonly invalid?: string;
}

export function triedOf(line: number, text: string, found: ReturnType<MatchesOf>): Tried {
  if ("invalid" in found)
    return { line, text, matches: [], unmatched: false, optOut: false, invalid: found.invalid.code };
  const { matches, failed, isUnmatched, optOut, possibleOptOut } = found;
  return {
    line,
    text,
    matches: matches.map(({ pattern, keyword, by, rest, captures }) => ({ pattern, keyword, by, rest, captures })),
    unmatched: isUnmatched,
    optOut,
    ...(possibleOptOut && { possibleOptOut: possibleOptOut.keyword }),
    ...(failed.length > 0 && { failed }),
  };
}

/** How many characters of a text are shown. */
const WIDTH = 40;

export function lineOf({ text, matches, unmatched, optOut, possibleOptOut, failed = [], invalid }: Tried): string {
  const found = [
    ...matches.map(matchText),
    ...failed.map((pattern) => `${pattern} fails`),
    ...(unmatched ? ["unmatched"] : []),
    ...(optOut ? ["an opt-out"] : []),
    ...(possibleOptOut === undefined ? [] : [`perhaps an opt-out: ${possibleOptOut}`]),
    ...(invalid === undefined ? [] : [`invalid: ${invalid}`]),
  ];
  return `${short(text).padEnd(WIDTH)}  ${found.length === 0 ? "no keywords" : found.join("; ")}`;
}

function matchText({ pattern, keyword, by, rest }: TriedMatch): string {
  const what = pattern === keyword ? printable(keyword) : `${printable(pattern)} as "${short(keyword)}"`;
  return `${what} by ${by}${rest === "" ? "" : `, rest "${short(rest)}"`}`;
}

function short(text: string): string {
  return printable(text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text);
}
