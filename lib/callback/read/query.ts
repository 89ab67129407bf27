// Reads the fields of a query string or a form. Handles the provider's quotes, the plus of a phone number, and repeated
// variables.

import { decode, isQuoted, pairsOf, unquoted } from "../../base/query-string.js";
import { isAbsent, isTableField, isText } from "../fields.js";
import type { Issue } from "../invalid.js";
import { knownName, setField, type Reading } from "./reading.js";

/** One decoded variable. Quotes around its value are not removed. */
type Variable = readonly [name: string, value: string];

/** Whether a pair of quotes around a value can be the provider's own, as in its GET sample, or belongs to the value. */
export type Quoting = "in quotes" | "bare";

const NONE: readonly Issue[] = [];

/** Reads `a=1&b=2`: the text after the `?` of a URL, or the body of a form. */
export function readQuery(query: string, quoting: Quoting): Reading {
  return readVariables(pairsOf(query, decodeValue), quoting);
}

/** Reads decoded variables. A name may occur more than once. */
export function readVariables(variables: readonly Variable[], quoting: Quoting): Reading {
  const isTextQuoted = variables.some(([name, value]) => name === "id" && isQuoted(value));
  // Quotes around a typed value more likely belong to the text.
  const canBeQuoted = (name: string): boolean => quoting === "in quotes" && (isTextQuoted || !isText(name));
  const fields: Record<string, string> = {};
  const repeated: Issue[] = [];
  for (const [name, sent] of variables) {
    const value = canBeQuoted(name) ? unquoted(sent) : sent;
    if (isAbsent(name, value)) continue;
    if (!Object.hasOwn(fields, name)) setField(fields, name, value);
    else if (fields[name] !== value && (isTableField(name) || name === "to")) {
      repeated.push({
        field: knownName(name),
        message: "must be sent once, or always with the same value",
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

const PHONE_NUMBERS: ReadonlySet<string> = new Set(["source", "recipient", "to"]);
const LEADING_PLUS = /^("|%22)?\+/;

/** A `+` is a plus at the head of a phone number, and a space everywhere else. */
function decodeValue(name: string, value: string): string {
  return decode(PHONE_NUMBERS.has(name) ? value.replace(LEADING_PLUS, "$1%2B") : value);
}
