// Reads the fields of a query string or a form: the provider's quotes, the plus of a number, and variables that come twice.

import { decode, isQuoted, pairsOf, unquoted } from "../../base/query-string.js";
import { isAbsent, isPart, isTableField } from "../fields.js";
import type { Issue } from "../invalid.js";
import { knownName, setField, type Reading } from "./reading.js";

/** One variable as it came, decoded, its quotes still around it. */
type Variable = readonly [name: string, value: string];

/** Whether a pair of quotes around a value may be the provider's own, as in its GET sample, or belongs to the value. */
export type Values = "in quotes" | "bare";

const NONE: readonly Issue[] = [];

/** Reads `a=1&b=2`, as it stands behind the `?` of a URL or in a form's body. */
export function readQuery(query: string, values: Values): Reading {
  return readVariables(pairsOf(query, decodeValue), values);
}

/** Reads variables that were decoded before; a name may come more than once. */
export function readVariables(variables: readonly Variable[], values: Values): Reading {
  const textIsQuoted = variables.some(([name, value]) => name === "id" && isQuoted(value));
  const mayBeQuoted = (name: string): boolean => values === "in quotes" && (textIsQuoted || !isText(name));
  const fields: Record<string, string> = {};
  const repeated: Issue[] = [];
  for (const [name, sent] of variables) {
    const value = mayBeQuoted(name) ? unquoted(sent) : sent;
    if (isAbsent(name, value)) continue;
    if (!Object.hasOwn(fields, name)) setField(fields, name, value);
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

/** What the subscriber typed: there a quote is more likely a quote. */
function isText(name: string): boolean {
  return name === "message" || isPart(name);
}

const NUMBERS: ReadonlySet<string> = new Set(["source", "recipient", "to"]);
const LEADING_PLUS = /^("|%22)?\+/;

/** Everywhere but at the head of a number, where it is a plus, a `+` is a space. */
function decodeValue(name: string, value: string): string {
  return decode(NUMBERS.has(name) ? value.replace(LEADING_PLUS, "$1%2B") : value);
}
