// What a callback consists of: its names in order, and their values, by the same grammar as the router reads it.

import { pairsOf } from "../../base/query-string.js";
import { isVariable } from "../../callback/fields.js";
import { decode } from "../../callback/read/charset.js";
import { keysIn } from "../../callback/read/differing-keys.js";
import { readJson } from "../../callback/read/json.js";
import { contentOf, mediaType } from "../../callback/read/media-type.js";
import { readQuery } from "../../callback/read/query.js";
import { createMatchTemplate } from "../../callback/template/match.js";
import { escapeJson } from "../../callback/template/template.js";
import { headerOf, inflated, queryOf } from "../../provider/as-callback.js";
import type { SavedCallback } from "../../provider/saved-callback.js";

type Values = ReadonlyMap<string, string>;

export interface Shape {
  /** `text`: a body that looks like JSON and is none, as a text makes it that was not escaped. */
  readonly kind: "json" | "text" | "form" | "query";
  /** In the order in which they came. */
  readonly names: readonly string[];
  /** The values as JSON, a form or a query holds them. `undefined` if the body is none of these. */
  readonly parsed: Values | undefined;
  /** The values as they stand in the body, between the quotes. `undefined` if the body is not like a template. */
  readonly raw: Values | undefined;
  /** Whether the body is what `JSON.stringify` writes: a relay may have written it. */
  readonly isRewritten: boolean;
}

/** Returns the shape of a callback; `undefined` if its body is not JSON, a form or like a template. */
export function shapeOf(callback: SavedCallback): Shape | undefined {
  if (callback.method === "GET") return ofVariables(queryOf(callback.url), "query");
  const { format, charset } = mediaType(headerOf(callback.headers, "content-type"));
  const decoded = format === "unreadable" ? undefined : decode(bodyOf(callback), charset);
  if (decoded === undefined) return undefined;
  const { isJson, text } = contentOf(decoded.text, format);
  return isJson ? ofTemplate(text) : ofVariables(text, "form");
}

/** More names than any console's template has: what a stranger sends must not take long. */
const MOST_NAMES = 250;

function isTemplate(names: readonly string[]): boolean {
  return names.length > 0 && names.length <= MOST_NAMES;
}

/** As it came if it cannot be inflated: the router says so then. */
function bodyOf(callback: SavedCallback): Uint8Array {
  try {
    return inflated(callback);
  } catch {
    return callback.body;
  }
}

function ofVariables(query: string, kind: "form" | "query"): Shape | undefined {
  const names = [...new Set(pairsOf(query).map(([name]) => name))];
  const reading = readQuery(query, kind === "query" ? "in quotes" : "bare");
  if ("refusal" in reading || !isTemplate(names)) return undefined;
  const parsed = new Map(names.map((name) => [name, reading.fields[name] ?? ""]));
  return { kind, names, parsed, raw: undefined, isRewritten: false };
}

/**
 * A template holds no value that a subscriber typed but the message and the parts. So the names in the body of the text
 * that was asked for, which imitates no member, are those of the template.
 */
function ofTemplate(body: string): Shape | undefined {
  const json = readJson(body);
  const names = typeof json === "string" ? [...keysIn(body)] : json.names;
  if (!isTemplate(names)) return undefined;
  const members = names.map((name) => {
    const literal = isVariable(name) || name === "to" ? undefined : literalIn(body, name);
    return { name, content: literal === undefined ? { variable: name } : { literal } };
  });
  const match = createMatchTemplate({ members, admitsParts: false })(body);
  const raw = "values" in match ? new Map(match.values) : undefined;
  const inOrder = raw === undefined ? names : [...raw.keys()];
  if (typeof json === "string")
    return raw && { kind: "text", names: inOrder, parsed: undefined, raw, isRewritten: false };
  const { fields } = json.read;
  const parsed = new Map(names.map((name) => [name, fields[name] ?? ""]));
  return { kind: "json", names: inOrder, parsed, raw, isRewritten: body === rewritten(body) };
}

/** The value of a name that is not on the provider's page: of all values, only the user's own text may hold quotes. */
function literalIn(body: string, name: string): string | undefined {
  const key = `"${name}"`;
  const at = body.indexOf(key);
  const written = /^\s*:\s*"((?:[^"\\]|\\.)*)"/s.exec(body.slice(at + key.length))?.[1];
  if (at === -1 || written === undefined) return undefined;
  try {
    const literal: unknown = JSON.parse(`"${written}"`);
    return typeof literal === "string" && escapeJson(literal) === written ? literal : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` if it is nested more deeply than `JSON.stringify` can write. */
function rewritten(body: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return undefined;
  }
}
