// Reads the fields of a JSON body. JSON.parse decides what is proper JSON; one pass over the same text sees what JSON.parse
// hides: that a key is repeated, and the digits in which a number was written.

import { isRecord } from "../record.js";
import { fieldsOf, type FieldsRead } from "./reading.js";

export interface JsonRead {
  readonly read: FieldsRead;
  /** Every key, also of what is absent. */
  readonly names: readonly string[];
}

/** The fields of a JSON object. `improper`: the text is not proper JSON, or not an object. `repeated`: it holds a key more than once. */
export function readJson(text: string): JsonRead | "improper" | "repeated" {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return "improper";
  }
  if (!isRecord(parsed)) return "improper";
  const names = Object.keys(parsed);
  return restoreNumbers(text, parsed) === names.length ? { read: fieldsOf(parsed), names } : "repeated";
}

/**
 * Puts the digits as written in the place of each number, and counts the members, which are more than the keys where one is repeated.
 * `text` is known to be proper JSON, and `parsed` what it holds. Linear in its length.
 */
function restoreNumbers(text: string, parsed: Record<string, unknown>): number {
  let members = 0;
  for (let key = text.indexOf('"'); key !== -1; members++) {
    const keyEnd = endOfString(text, key);
    const value = skipWhiteSpace(text, text.indexOf(":", keyEnd) + 1);
    const end = endOfValue(text, value);
    if (isNumber(text.charCodeAt(value)))
      parsed[JSON.parse(text.slice(key, keyEnd)) as string] = text.slice(value, end);
    key = text.indexOf('"', end);
  }
  return members;
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

function isNumber(first: number): boolean {
  return first === MINUS || (first >= ZERO && first <= NINE);
}

function skipWhiteSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** Where the value that begins at `from` ends. */
function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first === "{" || first === "[") return endOfNested(text, from);
  let at = from;
  while (!",} \t\n\r".includes(text.charAt(at))) at++;
  return at;
}

/** Where the string whose opening quote stands at `from` ends: behind the first quote that no backslash escapes. */
function endOfString(text: string, from: number): number {
  let at = text.indexOf('"', from + 1);
  while (isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at + 1;
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
    if (character === 0x7b || character === 0x5b) depth++;
    else if (character === 0x7d || character === 0x5d) depth--;
    at++;
  } while (depth > 0);
  return at;
}
