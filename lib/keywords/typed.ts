// The typed text in which keywords are looked for, and the match of one that was found.

import type { SmsMessage } from "../callback/message.js";
import { nextWord, skipWhiteSpace, splitWords } from "../callback/words.js";
import { isSameButAccents } from "./accents.js";
import type { FoldedWord } from "./fold.js";
import type { KeywordMatch } from "./keyword-match.js";
import { endOfMarks, TypedText } from "./typed-text.js";

/** The offset in a text at which a keyword ends. */
export type End = number;

/** The typed text, or the part of it that the callback has. */
export interface Typed {
  readonly text: TypedText;
  /** Whether it is the message's text, not the single words that a GET callback passes instead. */
  readonly isText: boolean;
}

export function typedBy({ text, parts }: SmsMessage): Typed {
  return text !== undefined && nextWord(text, 0) !== undefined
    ? { text: new TypedText(text), isText: true }
    : { text: new TypedText(parts.join(" ")), isText: false };
}

/** The end of a phrase at the head of a text; `undefined` if the text begins otherwise. */
export function endOfPhrase(text: TypedText, phrase: readonly FoldedWord[]): End | undefined {
  let end: End | undefined;
  for (const wanted of phrase) {
    const typed = text.wordAfter(end ?? 0);
    if (typed === undefined) return undefined;
    if ((wanted.glue !== "" && wanted.glue !== typed.glue) || !isSameButAccents(typed.word, wanted.word))
      return undefined;
    end = typed.end;
  }
  return end;
}

type Found = Pick<KeywordMatch, "keyword" | "by" | "captures">;
type Groups = KeywordMatch["groups"];

const NO_CAPTURES: KeywordMatch["captures"] = Object.freeze([]);

/** @param end - `undefined` if the text does not begin with the keyword */
export function matchOf(
  keyword: string,
  by: KeywordMatch["by"],
  message: SmsMessage,
  typed: Typed,
  end: End | undefined,
): KeywordMatch {
  const found = { keyword, by, captures: NO_CAPTURES };
  return matchUpTo(end && endOfMarks(typed.text.text, end), found, message, typed, undefined);
}

/** The match of a RegExp, which says itself which marks it matches. */
export function patternMatch(regExp: RegExp, message: SmsMessage, typed: Typed): KeywordMatch | undefined {
  regExp.lastIndex = 0;
  const found = regExp.exec(typed.text.text);
  if (found === null) return undefined;
  const [keyword, ...captures] = found;
  const end = found.index > skipWhiteSpace(typed.text.text, 0) ? undefined : found.index + keyword.length;
  const groups = found.groups && Object.freeze({ ...found.groups });
  return matchUpTo(end, { keyword, by: "text", captures: Object.freeze(captures) }, message, typed, groups);
}

function matchUpTo(
  end: End | undefined,
  { keyword, by, captures }: Found,
  message: SmsMessage,
  typed: Typed,
  groups: Groups,
): KeywordMatch {
  const { source, recipient, text } = message;
  const whole = typed.text.text;
  const rest = end === undefined ? whole : whole.slice(skipWhiteSpace(whole, end));
  const args = end === undefined ? message.parts : Object.freeze(splitWords(rest));
  const match: Draft = { keyword, by, message, args, rest, captures, source, recipient };
  if (groups !== undefined) match.groups = groups;
  if (text !== undefined) match.text = text;
  return Object.freeze(match);
}

type Draft = { -readonly [Property in keyof KeywordMatch]: KeywordMatch[Property] };
