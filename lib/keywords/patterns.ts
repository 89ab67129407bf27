// The patterns of keywords: their type, their check, and the industry's words for opt-out, opt-in and help.

import { types } from "node:util";

import { invalidArgument } from "../base/errors.js";
import { unifyPhrase } from "./fold.js";

/** A pattern, or several. A string is a word or a phrase; a RegExp is tried against the text. */
export type KeywordPattern = string | RegExp | ReadonlyArray<string | RegExp>;

/** The words with which a subscriber opts out: `sms.keyword(OPT_OUT, ({ message }) => optOut(message.source))`. */
export const OPT_OUT = Object.freeze(["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"] as const);

/** The words with which a subscriber opts in again. */
export const OPT_IN = Object.freeze(["START", "YES", "UNSTOP"] as const);

/** The words with which a subscriber asks for help. */
export const HELP = Object.freeze(["HELP", "INFO"] as const);

/** @throws TypeError if the pattern is empty, or not a string, a RegExp or an array of these */
export function patternsOf(pattern: KeywordPattern): ReadonlyArray<string | RegExp> {
  const patterns: readonly unknown[] = Array.isArray(pattern) ? pattern : [pattern];
  if (patterns.length === 0) throw invalidArgument("An array of keywords needs at least one element.");
  return patterns.map((one) => {
    if (types.isRegExp(one)) return one;
    if (typeof one !== "string") {
      const kind = one === null ? "null" : typeof one;
      throw invalidArgument(`A keyword is a string, a RegExp or an array of these, not ${kind}.`);
    }
    if (unifyPhrase(one).length === 0)
      throw invalidArgument("A keyword needs at least one character that can be seen.");
    return one;
  });
}
