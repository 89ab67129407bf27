// Reads the fields of a query string or a form: percent-decoding, the provider's quotes, and variables that come twice.

import { isAbsent, isPart, isTableField } from "./fields.js";
import type { Issue } from "./invalid.js";
import { knownName, type Reading } from "./reading.js";

/** One variable as it came, decoded, its quotes still around it. */
type Variable = readonly [name: string, value: string];

/** Whether a pair of quotes around a value may be the provider's own, as in its GET sample, or belongs to the value. */
export type Values = "in quotes" | "bare";

const NONE: readonly Issue[] = [];

/** Reads `a=1&b=2`, as it stands behind the `?` of a URL or in a form's body. */
export function readQuery(query: string, values: Values): Reading {
  const variables: Variable[] = [];
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    variables.push([name, equals === -1 ? "" : decodeValue(name, pair.slice(equals + 1))]);
  }
  return readVariables(variables, values);
}

/** Reads variables that were decoded before; a name may come more than once. */
export function readVariables(variables: readonly Variable[], values: Values): Reading {
  const textIsQuoted = variables.some(([name, value]) => name === "id" && isQuoted(value));
  const mayBeQuoted = (name: string): boolean => values === "in quotes" && (textIsQuoted || !isText(name));
  const fields: Record<string, string> = {};
  const repeated: Issue[] = [];
  for (const [name, sent] of variables) {
    const value = isQuoted(sent) && mayBeQuoted(name) ? sent.slice(1, -1) : sent;
    if (isAbsent(name, value)) continue;
    if (!Object.hasOwn(fields, name)) set(fields, name, value);
    else if (fields[name] !== value && (isTableField(name) || name === "to")) {
      repeated.push({
        field: knownName(name),
        message: "must come once, or each time with the same value",
        rule: "repeated",
      });
    }
  }
  if (repeated.length > 0) {
    return {
      refusal: {
        code: "duplicate-field",
        detail: "A field was sent more than once, with different values.",
        issues: repeated,
      },
    };
  }
  return { fields, unreadable: NONE };
}

function set(fields: Record<string, string>, name: string, value: string): void {
  if (name !== "__proto__") fields[name] = value;
  else Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** What the subscriber typed: there a quote is more likely a quote. */
function isText(name: string): boolean {
  return name === "message" || isPart(name);
}

function isQuoted(value: string): boolean {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"');
}

const NUMBERS: ReadonlySet<string> = new Set(["source", "recipient", "to"]);
const LEADING_PLUS = /^("|%22)?\+/;

/** Everywhere but at the head of a number, where it is a plus, a `+` is a space. */
function decodeValue(name: string, value: string): string {
  return decode(NUMBERS.has(name) ? value.replace(LEADING_PLUS, "$1%2B") : value);
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(ESCAPED_CHARACTER, decodeCharacter);
  }
}

/** The escapes of one UTF-8 character, by the length that its first byte announces. */
const ESCAPED_CHARACTER =
  /%[0-7][0-9a-f]|%[cd][0-9a-f](?:%[89ab][0-9a-f])|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%f[0-7](?:%[89ab][0-9a-f]){3}/gi;

/** Keeps escapes that stand for no character as they are. */
function decodeCharacter(escapes: string): string {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return escapes;
  }
}
