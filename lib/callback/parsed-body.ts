// Reads what a body parser in front of the router made of the body, where it kept no bytes.

import { readVariables } from "./query.js";
import { fieldsOf, knownName, type FieldsRead, type Reading } from "./reading.js";
import type { Issue } from "./invalid.js";

type Parsed = Readonly<Record<string, unknown>>;

/** Reads what `express.json()` left. */
export function readParsedJson(parsed: Parsed): FieldsRead {
  const read = fieldsOf(parsed);
  const unreadable: Issue[] = [...read.unreadable];
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== "number" || keepsItsDigits(value)) continue;
    unreadable.push({
      field: knownName(name),
      message:
        "was a number with more digits than the body parser before this router keeps: mount the router before it",
      rule: "digits",
    });
  }
  return { fields: read.fields, unreadable };
}

/** A double keeps 15 decimal digits, whichever they are. */
function keepsItsDigits(value: number): boolean {
  const written = String(value);
  return /^-?[\d.]+$/.test(written) && written.replace(/\D/g, "").length <= 15;
}

/**
 * Reads what `express.urlencoded()` left. Its extended parser makes an array of a repeated variable, and an array or an object
 * of `parts[1]`, `parts[2]`.
 */
export function readParsedForm(parsed: Parsed): Reading {
  const variables: Array<readonly [string, string]> = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "parts" && isParsed(value)) {
      // An array has lost its indices; its first entry is taken for word 1.
      const offset = Array.isArray(value) ? 1 : 0;
      for (const [n, part] of Object.entries(value))
        variables.push([`parts[${offset ? Number(n) + offset : n}]`, String(part)]);
    } else {
      for (const one of [value].flat()) variables.push([name, withPlus(name, String(one))]);
    }
  }
  return readVariables(variables);
}

function isParsed(value: unknown): value is Parsed {
  return typeof value === "object" && value !== null;
}

/** A form's parser reads the plus of a number as a space. */
function withPlus(name: string, value: string): string {
  return name === "source" || name === "recipient" || name === "to" ? value.replace(/^("?) /, "$1+") : value;
}
