// Reads the fields of a JSON body. One pass over the text finds what JSON.parse hides: duplicate keys, and the digits
// with which a number was written. It also rejects most texts that are not JSON; JSON.parse decides about the others.

import { isRecord } from "../../base/record.js";
import { fieldsOf, type FieldsRead } from "./reading.js";

export interface JsonRead {
  readonly read: FieldsRead;
  /** Every key, including those of absent fields. */
  readonly names: readonly string[];
}

/** Reads the fields of a JSON object. `not-json`: the text is not valid JSON, or not an object. */
export function readJson(text: string): JsonRead | "not-json" | "duplicate-key" {
  const members = findMembers(text);
  const parsed = members === undefined ? undefined : parse(text);
  if (members === undefined || !isRecord(parsed)) return "not-json";
  const names = Object.keys(parsed);
  if (members.count !== names.length) return "duplicate-key";
  for (const { key, digits } of members.numbers) parsed[JSON.parse(key) as string] = digits;
  return { read: fieldsOf(parsed), names };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Members {
  readonly count: number;
  /** The values that are numbers: the key, with its quotes, and the digits as written. */
  readonly numbers: ReadonlyArray<{ readonly key: string; readonly digits: string }>;
}

const NO_NUMBERS: Members["numbers"] = [];

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Finds the members of an object; `undefined` if the text is clearly not JSON. Most texts that are not JSON are
 * rejected here, because JSON.parse takes longer to throw than everything else together.
 */
function findMembers(text: string): Members | undefined {
  let count = 0;
  let numbers: Array<Members["numbers"][number]> | undefined;
  let at = skipWhiteSpace(text, 0);
  if (text.charCodeAt(at) !== OPENING_BRACE) return undefined;
  at = skipWhiteSpace(text, at + 1);
  if (text.charCodeAt(at) === CLOSING_BRACE) at++;
  else {
    for (let mark = COMMA; mark === COMMA; at++) {
      const key = skipWhiteSpace(text, at);
      const keyEnd = text.charCodeAt(key) === QUOTE ? endOfString(text, key) : text.length;
      const colon = skipWhiteSpace(text, keyEnd);
      if (text.charCodeAt(colon) !== COLON) return undefined;
      const value = skipWhiteSpace(text, colon + 1);
      const end = endOfValue(text, value);
      if (isNumber(text.charCodeAt(value)))
        (numbers ??= []).push({ key: text.slice(key, keyEnd), digits: text.slice(value, end) });
      count++;
      at = skipWhiteSpace(text, end);
      mark = text.charCodeAt(at);
      if (mark !== COMMA && mark !== CLOSING_BRACE) return undefined;
    }
  }
  return skipWhiteSpace(text, at) === text.length ? { count, numbers: numbers ?? NO_NUMBERS } : undefined;
}

function isNumber(first: number): boolean {
  return first === MINUS || (first >= ZERO && first <= NINE);
}

function skipWhiteSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** The end of the value that begins at `from`; the end of the text if the value has none. */
function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return endOfString(text, from);
  if (first === OPENING_BRACE || first === OPENING_BRACKET) return endOfNested(text, from);
  let at = from;
  while (at < text.length && !",} \t\n\r".includes(text.charAt(at))) at++;
  return at;
}

/** The end of the string with its opening quote at `from`: after the first unescaped quote, or the end of the text. */
function endOfString(text: string, from: number): number {
  let at = text.indexOf('"', from + 1);
  while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at === -1 ? text.length : at + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const character = text.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    if (character === OPENING_BRACE || character === OPENING_BRACKET) depth++;
    else if (character === CLOSING_BRACE || character === CLOSING_BRACKET) depth--;
    at++;
  } while (depth > 0 && at < text.length);
  return at;
}
