// Renders what was accepted back, and compares it with what was sent. Written apart from the readers, so that it shares none of their mistakes.

import type { SmsMessage } from "express-kaleyra-sms";

type Fields = SmsMessage["fields"];

/** What stands for no value. */
const isNothing = (value: string): boolean => value === "" || /^<[^<>"]*>$/.test(value);

/**
 * Whether the fields, written into a template, are the body: each of its members once, in any order, with any white space between the marks.
 *
 * @param literals - the members that hold a text of the template's own
 */
export function isRenderedTo(
  body: string,
  fields: Fields,
  names: readonly string[],
  literals: ReadonlyMap<string, string>,
): boolean {
  const left = new Set(names);
  let at = 0;
  const white = (): void => {
    while (" \t\r\n".includes(body[at] ?? "x")) at++;
  };
  const mark = (one: string): boolean => {
    white();
    if (!body.startsWith(one, at)) return false;
    at += one.length;
    return true;
  };
  const value = (name: string): boolean => {
    const literal = literals.get(name);
    const sent = literal === undefined ? fields[name] : JSON.stringify(literal).slice(1, -1);
    if (!mark('"')) return false;
    if (sent === undefined) {
      const end = body.indexOf('"', at);
      const nothing = body.slice(at, end);
      at = end + 1;
      return end !== -1 && name !== "message" && isNothing(nothing);
    }
    if (!body.startsWith(`${sent}"`, at)) return false;
    at += sent.length + 1;
    return true;
  };

  if (!mark("{")) return false;
  do {
    if (!mark('"')) return false;
    const end = body.indexOf('"', at);
    const name = body.slice(at, end);
    at = end + 1;
    const isPart = /^parts\[(n|\d+)\]$/.test(name);
    if (end === -1 || (!left.delete(name) && !(isPart && !names.includes(name)))) return false;
    if (!mark(":") || !value(name)) return false;
  } while (mark(","));
  if (!mark("}")) return false;
  white();
  return at === body.length && left.size === 0;
}

/** Whether the fields are those of a JSON object: scalars as they were written, and what stands for no value left out. */
export function isReadFrom(body: string, fields: Fields): boolean {
  const parsed = JSON.parse(body) as Record<string, unknown>;
  if (keysIn(body) !== Object.keys(parsed).length) return false;
  const expected = Object.entries(parsed).flatMap(([name, value]): Array<[string, string]> => {
    if (value === null || typeof value === "object") return [];
    // Its digits are in the body; how many of them a number keeps is not the question here.
    const sent =
      typeof value === "number" ? (fields[name] ?? "") : typeof value === "string" ? value : JSON.stringify(value);
    if (typeof value === "number" && (!body.includes(sent) || Number(sent) !== value)) return [[name, "other digits"]];
    return isKnownNothing(name, sent) ? [] : [[name, sent]];
  });
  return JSON.stringify(sorted(expected)) === JSON.stringify(sorted(Object.entries(fields)));
}

/** How many keys the object has, each as often as it stands there. */
function keysIn(body: string): number {
  const marks = body.replace(/"(?:[^"\\]|\\.)*"/g, "").replace(/[^{}[\]:]/g, "");
  let depth = 0;
  let keys = 0;
  for (const mark of marks) {
    if (mark === ":") keys += depth === 1 ? 1 : 0;
    else depth += mark === "{" || mark === "[" ? 1 : -1;
  }
  return keys;
}

/** Only a placeholder that the provider has is nothing; this body's own `<x>` is a value. */
function isKnownNothing(name: string, value: string): boolean {
  if (name === "message") return false;
  return value === "" || (isNothing(value) && /^<(source|status|keyword|operator|message)>$/.test(value));
}

function sorted(entries: Array<[string, string]>): Array<[string, string]> {
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Whether the fields are those that the query says, each of them and no other, by the reading of the URL standard, but for the quotes and the plus of this provider. */
export function isSaidBy(query: string, fields: Fields): boolean {
  // Node's own reader takes what is not ASCII for bytes where a broken escape stands before it.
  const ascii = query.replace(/^\?/, "").replace(/[^\0-\x7f]+/g, (some) => encodeURIComponent(some.toWellFormed()));
  const said = new URLSearchParams(ascii);
  // Where an escape stands for no character, the standard puts U+FFFD, and this package keeps it.
  if (said.toString().includes("%EF%BF%BD")) return true;
  const isQuoted = (value: string): boolean => /^".*"$/s.test(value);
  const textIsQuoted = said.getAll("id").some(isQuoted);
  /** What a name may stand for; nothing where each time that it is said it stands for no value. */
  const readings = (name: string): string[] => {
    const isText = name === "message" || name.startsWith("parts[");
    return said.getAll(name).flatMap((one) => {
      const sent = isQuoted(one) && (textIsQuoted || !isText) ? one.slice(1, -1) : one;
      if (isKnownNothing(name, sent)) return [];
      return /^(source|recipient|to)$/.test(name) ? [sent, sent.replace(/^ /, "+")] : [sent];
    });
  };
  const names = [...new Set(said.keys())].filter((name) => readings(name).length > 0);
  return (
    JSON.stringify(names.sort()) === JSON.stringify(Object.keys(fields).sort()) &&
    Object.entries(fields).every(([name, value]) => readings(name).includes(value))
  );
}
