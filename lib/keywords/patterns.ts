// The patterns of keywords: their types, their check, and the lists of consent.

import { types } from "node:util";

import { invalidArgument } from "../base/errors.js";
import {
  HELP_WORDS,
  OPT_IN_WORDS,
  OPT_OUT_WORDS,
  POSSIBLE_OPT_OUT_STEMS,
  POSSIBLE_OPT_OUT_WORDS,
  type Condition,
  type ConsentRow,
} from "./consent.js";
import { unifyPhrase } from "./fold.js";

/** A pattern, or several. A string is a word or a phrase; a RegExp is tried against the text. */
export type KeywordPattern = string | RegExp | KeywordList | readonly KeywordPattern[];

/** Recognizes a list of another copy of this package, too. */
const PATTERNS = Symbol.for("express-kaleyra-sms: keyword list");

/** Words with a rule of their own: `alone(...)`, `OPT_OUT`, `POSSIBLE_OPT_OUT`, `OPT_IN` and `HELP`. */
export interface KeywordList {
  /** Its words. What may stand before and after each is in docs/keywords.md. */
  readonly words: readonly string[];
  /** @internal @hidden */
  readonly [PATTERNS]: readonly Pattern[];
}

/** A phrase at one of the three places where keywords are looked for. */
export interface Phrase {
  readonly phrase: string;
  /** What must follow it. Without a condition, courtesies before it are not skipped. */
  readonly condition?: Condition;
  /** Whether it opts out: a word of `OPT_OUT`, or one that extends it. */
  readonly isOptOut?: true;
}

/** One pattern, as it is looked for. `possible`: the words of `POSSIBLE_OPT_OUT`, anywhere in the text. */
export type Pattern = Phrase | RegExp | "possible";

function listOf(patterns: readonly Pattern[], words: readonly string[]): KeywordList {
  return Object.freeze({ words: Object.freeze([...words]), [PATTERNS]: Object.freeze([...patterns]) });
}

function isList(value: unknown): value is KeywordList {
  return typeof value === "object" && value !== null && PATTERNS in value;
}

function consent(rows: readonly ConsentRow[], isOptOut?: true): KeywordList {
  const patterns = rows.flatMap(({ follows, words }) =>
    words.map((phrase): Phrase => ({ phrase, condition: follows, ...(isOptOut && { isOptOut }) })),
  );
  return listOf(
    patterns,
    patterns.map(({ phrase }) => phrase),
  );
}

/**
 * The words with which a subscriber certainly opts out: `sms.keyword(OPT_OUT, ({ source }) => optOut(source))`.
 *
 * STOP in a sentence, as in "stop by tomorrow at five", is not certain: register `POSSIBLE_OPT_OUT` for those. An array
 * adds words of your own: `[OPT_OUT, "BAND KARO"]`.
 */
export const OPT_OUT: KeywordList = consent(OPT_OUT_WORDS, true);

/**
 * Words anywhere in the text with which a subscriber may want to opt out, if `OPT_OUT` does not match: let a person
 * read it.
 */
export const POSSIBLE_OPT_OUT: KeywordList = listOf(
  ["possible"],
  [...new Set<string>([...POSSIBLE_OPT_OUT_WORDS, ...POSSIBLE_OPT_OUT_STEMS.map(({ word }) => word)])],
);

/**
 * The words with which a subscriber opts in, if nothing else was typed. YES is not one of them: register `alone("YES")`
 * where you asked.
 */
export const OPT_IN: KeywordList = consent(OPT_IN_WORDS);

/** The words with which a subscriber asks for help: HELP, and INFO and AIDE if nothing else was typed. */
export const HELP: KeywordList = consent(HELP_WORDS);

/**
 * Words or phrases that match only if nothing else was typed, apart from marks, emoji, thanks and courtesies such as
 * "please".
 *
 * @throws TypeError if a word is not a string, or is empty
 * @example
 * sms.keyword(alone("YES", "Y"), ({ source }) => confirm(source));
 */
export function alone(...words: readonly string[]): KeywordList {
  if (words.length === 0) throw invalidArgument("alone() needs at least one word.");
  for (const word of words) assertWord(word);
  return listOf(
    words.map((phrase) => ({ phrase, condition: "nothing" })),
    words,
  );
}

/** @throws TypeError if a pattern is empty, or none of the patterns that there are */
export function patternsOf(given: KeywordPattern): readonly Pattern[] {
  if (isList(given)) return given[PATTERNS];
  if (types.isRegExp(given)) return [given];
  if (Array.isArray(given)) {
    if (given.length === 0) throw invalidArgument("An array of keywords needs at least one element.");
    const all = (given as readonly KeywordPattern[]).flatMap(patternsOf);
    return all.some(isOptOut) ? all.map(asOptOut) : all;
  }
  return [{ phrase: assertWord(given) }];
}

/** Whether it is a word of `OPT_OUT`, or one that extends it. */
export function isOptOut(pattern: Pattern): boolean {
  return typeof pattern === "object" && "phrase" in pattern && pattern.isOptOut === true;
}

/** A word beside `OPT_OUT` in an array extends it. */
function asOptOut(pattern: Pattern): Pattern {
  const isWord = typeof pattern === "object" && "phrase" in pattern && pattern.condition === undefined;
  return isWord ? { ...pattern, isOptOut: true } : pattern;
}

function assertWord(word: unknown): string {
  if (typeof word !== "string") {
    const kind = word === null ? "null" : typeof word;
    throw invalidArgument(`A keyword is a string, a RegExp or an array of these, not ${kind}.`);
  }
  if (unifyPhrase(word).length === 0) throw invalidArgument("A keyword needs at least one character that can be seen.");
  return word;
}
