// The texts that `capture` asks a person to send from a phone, and what a text that came shows of them.

import { randomInt } from "node:crypto";

/** The texts to send. The nonce tells them apart from what others send at the same time. */
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

export function askedWith(nonce: string): Asked {
  return { nonce, awkward: `${nonce} "a" \\b {c} \u00e9 \u{1f600}`, lines: `${nonce} up\ndown` };
}

/** Whether a text is one of those asked for. Phones write a capital at the beginning. */
export function isAsked(text: string, { nonce }: Asked): boolean {
  return text.toLowerCase().includes(nonce);
}

/** Whether it is the text of two lines, whatever became of the line break. */
export function isLines(text: string, { nonce }: Asked): boolean {
  return new RegExp(`${nonce} up(?:\\s|\\\\r|\\\\n|%0[ad])*down`, "i").test(text);
}

/** Whether a text is exactly the one that was asked for. A keyword may stand before it. */
export function isExact(text: string, asked: Asked): boolean {
  const wanted = isLines(text, asked) ? asked.lines : asked.awkward;
  return text.toLowerCase().trimEnd().endsWith(wanted);
}

/** A backslash that no other one escapes. */
const BACKSLASHED = /(?<!\\)\\b(?!\S)/i;

/**
 * Whether a text has the backslash as it was to be typed. In the body of a provider that escapes, only what a parser reads
 * has it; in that of one that does not, only the bytes themselves. A text without it decides nothing, whatever its quotes:
 * a relay that drops backslashes makes escaped quotes look like quotes that were never escaped.
 */
export function isDecisive(text: string, asked: Asked): boolean {
  return isAsked(text, asked) && BACKSLASHED.test(text);
}

/** Whether the quotes stand in a body as they do in JSON. */
export function hasEscapedQuotes(raw: string): boolean {
  return raw.includes('\\"a\\"');
}

/** What differs in an awkward text that came, in words. */
export function differences(text: string): readonly string[] {
  const says: string[] = [];
  if (/[\u201c\u201d\u201e\u00ab\u00bb]/.test(text)) says.push("typographic quotes came in place of straight ones");
  else if (text.includes("&quot;")) says.push("the quotes came as &quot;");
  else if (!text.includes('"')) says.push("the quotes are missing");
  if (!text.includes("\\")) says.push("the backslash is missing");
  else if (text.includes("\\\\") || text.includes('\\"')) says.push("there are more backslashes than were asked for");
  if (!text.includes("{") || !text.includes("}")) says.push("the braces are missing");
  if (!text.normalize("NFC").includes("é")) says.push("the \u00e9 did not arrive");
  if (!text.includes("\u{1f600}")) says.push("the emoji did not arrive");
  return says;
}
