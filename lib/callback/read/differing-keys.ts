// Compares the keys of a body with those of the callback profile.

import { isTableField, PAGE_LINE } from "../fields.js";
import type { Issue } from "../invalid.js";

export interface DifferingKeys {
  readonly issues: readonly Issue[];
  /** One or two sentences. Empty if the keys do not differ. */
  readonly detail: string;
}

const MOST_NAMED = 10;

/** Names only the keys of the provider's page: anyone can send a key. The others are counted. */
export function differingKeys(names: ReadonlySet<string>, keys: ReadonlySet<string>): DifferingKeys {
  const missing = [...names].filter((name) => !keys.has(name) && name !== PAGE_LINE);
  const foreign = [...keys].filter((name) => !names.has(name) && name !== PAGE_LINE);
  return {
    issues: [
      ...missing.filter(isTableField).map((field) => ({ field, message: "is missing", rule: "required" })),
      ...foreign.filter(isTableField).map((field) => ({
        field,
        message: "is not in the callback profile",
        rule: "additionalProperties",
      })),
    ],
    detail: [...sentence("Missing", missing), ...sentence("Not in the callback profile", foreign)].join(" "),
  };
}

function sentence(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const named = names.filter(isTableField).slice(0, MOST_NAMED);
  const count = names.length - named.length;
  const others = count === 0 ? [] : [`${count} other ${count === 1 ? "key" : "keys"}`];
  return [`${what}: ${[...named, ...others].join(", ")}.`];
}

const KEY = /[{,]\s*"([^"]*)"\s*:/g;

/** The keys of a body that need not be JSON. A text in it may contain what looks like a key. */
export function keysIn(body: string): ReadonlySet<string> {
  return new Set(Array.from(body.matchAll(KEY), ([, name = ""]) => name));
}
