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

type Groups = Pick<KeywordMatch, "captures" | "groups">;

const NO_GROUPS: Groups = { captures: Object.freeze([]) };

/** @param end - `undefined` if the text does not begin with the keyword */
export function matchOf(
  keyword: string,
  by: KeywordMatch["by"],
  message: SmsMessage,
  typed: Typed,
  end: End | undefined,
): KeywordMatch {
  return matchUpTo(end && endOfMarks(typed.text.text, end), { keyword, by }, message, typed, NO_GROUPS);
}

/** The match of a RegExp, which says itself which marks it matches. */
export function patternMatch(regExp: RegExp, message: SmsMessage, typed: Typed): KeywordMatch | undefined {
  regExp.lastIndex = 0;
  const found = regExp.exec(typed.text.text);
  if (found === null) return undefined;
  const [keyword, ...captures] = found;
  const end = found.index > skipWhiteSpace(typed.text.text, 0) ? undefined : found.index + keyword.length;
  const named = found.groups && { groups: Object.freeze({ ...found.groups }) };
  const groups = { captures: Object.freeze(captures), ...named };
  return matchUpTo(end, { keyword, by: "text" }, message, typed, groups);
}

function matchUpTo(
  end: End | undefined,
  found: Pick<KeywordMatch, "keyword" | "by">,
  message: SmsMessage,
  typed: Typed,
  groups: Groups,
): KeywordMatch {
  const { source, recipient, text } = message;
  const whole = typed.text.text;
  const rest = end === undefined ? whole : whole.slice(skipWhiteSpace(whole, end));
  const args = end === undefined ? message.parts : Object.freeze(splitWords(rest));
  const { keyword, by } = found;
  const match: KeywordMatch = { keyword, by, message, args, rest, ...groups, source, recipient };
  return Object.freeze(text === undefined ? match : Object.assign(match, { text }));
}
