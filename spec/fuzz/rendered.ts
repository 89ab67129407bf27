// Compares accepted fields with the body or query that was sent. Independent of the readers, so that it shares none of
// their mistakes.

import type { SmsMessage } from "express-kaleyra-sms";

type Fields = SmsMessage["fields"];

/** Whether a value stands for no value: it is empty or a placeholder. */
const isNoValue = (value: string): boolean => value === "" || /^<[^<>"]*>$/.test(value);

/**
 * Whether the body is a template with these fields: each of its members once, in any order, with any white space
 * between the marks.
 *
 * @param names - the members of the template
 * @param literals - the members with a text of the template's own
 */
export function isBodyOf(
  body: string,
  fields: Fields,
  names: readonly string[],
  literals: ReadonlyMap<string, string>,
): boolean {
  const left = new Set(names);
  let at = 0;
  const skipWhiteSpace = (): void => {
    while (" \t\r\n".includes(body[at] ?? "x")) at++;
  };
  const skipMark = (one: string): boolean => {
    skipWhiteSpace();
    if (!body.startsWith(one, at)) return false;
    at += one.length;
    return true;
  };
  const skipValue = (name: string): boolean => {
    const literal = literals.get(name);
    const sent = literal === undefined ? fields[name] : JSON.stringify(literal).slice(1, -1);
    if (!skipMark('"')) return false;
    if (sent === undefined) {
      const end = body.indexOf('"', at);
      const noValue = body.slice(at, end);
      at = end + 1;
      return end !== -1 && name !== "message" && isNoValue(noValue);
    }
    if (!body.startsWith(`${sent}"`, at)) return false;
    at += sent.length + 1;
    return true;
  };

  if (!skipMark("{")) return false;
  do {
    if (!skipMark('"')) return false;
    const end = body.indexOf('"', at);
    const name = body.slice(at, end);
    at = end + 1;
    const isPart = /^parts\[(n|\d+)\]$/.test(name);
    if (end === -1 || (!left.delete(name) && !(isPart && !names.includes(name)))) return false;
    if (!skipMark(":") || !skipValue(name)) return false;
  } while (skipMark(","));
  if (!skipMark("}")) return false;
  skipWhiteSpace();
  return at === body.length && left.size === 0;
}

/** Whether the fields are those of the JSON object: scalars as written, and absent values left out. */
export function isJsonOf(body: string, fields: Fields): boolean {
  const parsed = JSON.parse(body) as Record<string, unknown>;
  if (countKeys(body) !== Object.keys(parsed).length) return false;
  const expected = Object.entries(parsed).flatMap(([name, value]): Array<[string, string]> => {
    if (value === null || typeof value === "object") return [];
    // The digits must be in the body. `value` may have lost some.
    const sent =
      typeof value === "number" ? (fields[name] ?? "") : typeof value === "string" ? value : JSON.stringify(value);
    if (typeof value === "number" && (!body.includes(sent) || Number(sent) !== value)) return [[name, "other digits"]];
    return isKnownNoValue(name, sent) ? [] : [[name, sent]];
  });
  return JSON.stringify(sorted(expected)) === JSON.stringify(sorted(Object.entries(fields)));
}

/** Counts the keys of the object, including duplicates. */
function countKeys(body: string): number {
  const marks = body.replace(/"(?:[^"\\]|\\.)*"/g, "").replace(/[^{}[\]:]/g, "");
  let depth = 0;
  let keys = 0;
  for (const mark of marks) {
    if (mark === ":") keys += depth === 1 ? 1 : 0;
    else depth += mark === "{" || mark === "[" ? 1 : -1;
  }
  return keys;
}

/** Whether the value is empty or a placeholder of the provider. Any other `<x>` is a value. */
function isKnownNoValue(name: string, value: string): boolean {
  if (name === "message") return false;
  return value === "" || (isNoValue(value) && /^<(source|status|keyword|operator|message)>$/.test(value));
}

function sorted(entries: Array<[string, string]>): Array<[string, string]> {
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Whether the fields are exactly those of the query. It is read as in the URL standard, except for the provider's
 * quotes and plus.
 */
export function isQueryOf(query: string, fields: Fields): boolean {
  // After a broken escape, URLSearchParams reads non-ASCII characters as bytes.
  const ascii = query.replace(/^\?/, "").replace(/[^\0-\x7f]+/g, (some) => encodeURIComponent(some.toWellFormed()));
  const variables = new URLSearchParams(ascii);
  // The standard replaces an escape that is no character with U+FFFD; the package keeps the escape.
  if (variables.toString().includes("%EF%BF%BD")) return true;
  const isQuoted = (value: string): boolean => /^".*"$/s.test(value);
  const isTextQuoted = variables.getAll("id").some(isQuoted);
  /** The possible values of a name; none if each of its values is absent. */
  const readings = (name: string): string[] => {
    const isText = name === "message" || name.startsWith("parts[");
    return variables.getAll(name).flatMap((one) => {
      const sent = isQuoted(one) && (isTextQuoted || !isText) ? one.slice(1, -1) : one;
      if (isKnownNoValue(name, sent)) return [];
      return /^(source|recipient|to)$/.test(name) ? [sent, sent.replace(/^ /, "+")] : [sent];
    });
  };
  const names = [...new Set(variables.keys())].filter((name) => readings(name).length > 0);
  return (
    JSON.stringify(names.sort()) === JSON.stringify(Object.keys(fields).sort()) &&
    Object.entries(fields).every(([name, value]) => readings(name).includes(value))
  );
}
