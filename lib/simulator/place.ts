// Finds the place of a problem in an invalid callback, if it is visible there.

import type { InvalidCallback } from "../callback/invalid.js";
import type { Place } from "./wire.js";

type Problem = Pick<InvalidCallback, "code" | "issues">;

/** @param raw - what was sent, as text */
export function placesOf(raw: string, { code, issues }: Problem): Place[] {
  if (code === "body-incomplete" || code === "body-too-large") return [{ start: raw.length, end: raw.length }];
  const isJson = /^[\s\ufeff]*\{/.test(raw);
  const fields = code === "ambiguous-body" ? ["message"] : [...new Set(issues.map(({ field }) => field))];
  const places = fields.flatMap((field) => (isJson ? membersOf(raw, field) : variablesOf(raw, field)));
  if (places.length > 0 || !["malformed-body", "duplicate-field"].includes(code)) return places;
  const damaged = Array.from(raw.matchAll(/\ufffd+/g), ({ 0: found, index }) => placeAt(index, found.length));
  if (damaged.length > 0) return damaged;
  const error = isJson ? syntaxError(raw) : undefined;
  return error === undefined ? [] : [placeAt(error, (/^[^,\n]{0,60}/.exec(raw.slice(error))?.[0] ?? "").length)];
}

function placeAt(start: number, length: number): Place {
  return { start, end: start + length };
}

/** The values of a key in a body that may not be valid JSON. */
function membersOf(raw: string, field: string): Place[] {
  const key = JSON.stringify(field).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const member = new RegExp(String.raw`${key}\s*:\s*("[^"\\]*(?:\\[^][^"\\]*)*"?|[^,}\s]+)`, "g");
  return Array.from(raw.matchAll(member), ({ 0: found, 1: value = "", index }) =>
    placeAt(index + found.length - value.length, value.length),
  );
}

/** The values of a variable in a query or a form; of an empty one, its name. */
function variablesOf(raw: string, field: string): Place[] {
  const places: Place[] = [];
  let start = 0;
  for (const pair of raw.split("&")) {
    const name = /^[^=]*/.exec(pair)?.[0] ?? "";
    const hasValue = pair.length > name.length + 1;
    if (decoded(name) === field)
      places.push(
        placeAt(hasValue ? start + name.length + 1 : start, hasValue ? pair.length - name.length - 1 : pair.length),
      );
    start += pair.length + 1;
  }
  return places;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"[ !#-[\]-\u{10ffff}]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\u{10ffff}]*)*"/uy;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where an object stops being JSON, or has a key twice; `undefined` if neither, or if it is nested: no callback is. */
function syntaxError(raw: string): number | undefined {
  let at = 0;
  const skip = (token: RegExp): boolean => {
    token.lastIndex = at;
    const found = token.exec(raw);
    if (found !== null) at += found[0].length;
    return found !== null;
  };
  const skipMark = (mark: string): boolean => {
    skip(SPACE);
    const isThere = raw.startsWith(mark, at);
    if (isThere) at += mark.length;
    skip(SPACE);
    return isThere;
  };
  skipMark("\ufeff");
  if (!skipMark("{")) return at;
  const keys = new Set<string>();
  do {
    const start = at;
    const hasKey = skip(STRING);
    const key = raw.slice(start, at);
    if (keys.has(key)) return start;
    keys.add(key);
    if (!hasKey || !skipMark(":")) return at;
    if (raw.startsWith("{", at) || raw.startsWith("[", at)) return undefined;
    if (!skip(STRING) && !skip(SCALAR)) return at;
  } while (skipMark(","));
  return skipMark("}") && at === raw.length ? undefined : at;
}
