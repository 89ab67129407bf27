// The texts that `capture` asks a person to send from a phone, and what a text that came shows of them.

import { randomInt } from "node:crypto";

/** The texts to send. The nonce distinguishes them from what others send at the same time. */
export interface Asked {
  readonly nonce: string;
  /** With everything that a template can break on, but a line break. */
  readonly awkward: string;
  /** Two lines. */
  readonly lines: string;
}

/** Characters that nobody confuses on a phone's screen. */
const LETTERS = "abcdefhkmnprtwxyz";
const DIGITS = "2345679";

export const NONCE = new RegExp(`^(?:[${LETTERS}][${DIGITS}]){2}$`);

export function newNonce(): string {
  return [LETTERS, DIGITS, LETTERS, DIGITS].map((from) => from.charAt(randomInt(from.length))).join("");
}

/**
 * All that a template, an encoding or a phone can change: both kinds of quotes, a backslash, braces, the signs of HTML
 * and of queries, two spaces, capitals, and letters beyond ASCII. It fits in one SMS.
 */
export function askedWith(nonce: string): Asked {
  return {
    nonce,
    awkward: `${nonce} "A" 'b' \\b {c} <d> &  5%41+1 \u00c9 \u{1f600}`,
    lines: `${nonce} up\ndown`,
  };
}

/** Whether a text is one of those asked for, whatever became of it. */
export function isAsked(text: string, { nonce }: Asked): boolean {
  return text.toLowerCase().includes(nonce);
}

/** Whether it is the text of two lines, whatever became of the line break. */
export function isLines(text: string, { nonce }: Asked): boolean {
  return new RegExp(`${nonce} up[^]{0,12}?down`, "i").test(text);
}

/** A keyword of the console's may stand before the text, with a space. */
const KEYWORD = /^(?:[^"'\\\r\n]{1,30} )?$/;

/** Whether a text is exactly the one that was asked for. A keyword may stand before it, and spaces after it. */
export function isExact(text: string, asked: Asked): boolean {
  const wanted = isLines(text, asked) ? asked.lines : asked.awkward;
  const came = text.replace(/(?<! ) +$/, "");
  const start = Math.max(came.length - wanted.length, 0);
  return KEYWORD.test(came.slice(0, start)) && asTyped(came.slice(start)) === wanted;
}

/** Phones write a capital at the beginning of a text and of a line. */
function asTyped(text: string): string {
  return text.replace(/^\w|(?<=\n)D/, (first) => first.toLowerCase()).replace("\nDown", "\ndown");
}

/** A backslash that no other one escapes. */
const BACKSLASHED = /(?<!\\)\\b(?!\S)/i;
const BACKSLASHED_TWICE = /(?<!\\)\\\\b(?!\S)/i;

/** Straight quotes, neither escaped nor doubled. */
const QUOTED = /(?<!["\\])"a"(?!")/i;
const ESCAPED_QUOTES = /(?<!\\)\\"a\\"/i;

/** Whether the backslash is there, alone or doubled. */
export function hasBackslash(text: string): boolean {
  return /\\b(?!\S)/i.test(text);
}

/** How the backslash and the quotes stand in a text: as they were to be typed, or with a backslash before each. */
export interface Marks {
  readonly backslash: "plain" | "escaped" | undefined;
  readonly quotes: "plain" | "escaped" | undefined;
}

export function marksOf(text: string | undefined, asked: Asked): Marks {
  if (text === undefined || !isAsked(text, asked)) return { backslash: undefined, quotes: undefined };
  return {
    backslash: BACKSLASHED.test(text) ? "plain" : BACKSLASHED_TWICE.test(text) ? "escaped" : undefined,
    quotes: QUOTED.test(text) ? "plain" : ESCAPED_QUOTES.test(text) ? "escaped" : undefined,
  };
}

/**
 * Whether a text has the backslash and both quotes as they were to be typed. In the body of a provider that escapes,
 * only what a parser reads has them; in that of one that does not, only the bytes themselves. Neither alone decides: a
 * provider may escape the one and not the other, and a relay that drops backslashes makes escaped quotes look plain.
 */
export function isDecisive(text: string, asked: Asked): boolean {
  const { backslash, quotes } = marksOf(text, asked);
  return backslash === "plain" && quotes === "plain";
}
