// Reads the result of a body parser that ran before the router and kept no bytes.

import type { Issue } from "../invalid.js";
import { readVariables, type Quoting } from "./query.js";
import { fieldsOf, isNothing, knownName, notScalar, scalarOf, type FieldsRead, type Reading } from "./reading.js";

type Parsed = Readonly<Record<string, unknown>>;

/** Reads the result of `express.json()`. @param parsed - a copy, which may become the fields */
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

/** A double keeps any 15 decimal digits exactly. */
function keepsItsDigits(value: number): boolean {
  const written = String(value);
  return /^-?[\d.]+$/.test(written) && written.replace(/\D/g, "").length <= 15;
}

/**
 * Reads the result of `express.urlencoded()` for a form, or of a query parser for a query. An extended parser turns a
 * repeated variable into an array, and `parts[1]`, `parts[2]` into an array or an object.
 */
export function readParsedVariables(parsed: Parsed, quoting: Quoting): Reading {
  const variables: Array<readonly [string, string]> = [];
  const unreadable: Issue[] = [];
  for (const [name, value] of Object.entries(parsed).flatMap(unnest)) {
    if (isNothing(name, value)) continue;
    const scalar = scalarOf(value);
    if (scalar === undefined) unreadable.push(notScalar(name));
    else variables.push([name, restorePlus(name, scalar)]);
  }
  const reading = readVariables(variables, quoting);
  return "refusal" in reading ? reading : { fields: reading.fields, unreadable };
}

/** Splits what an extended parser combined into one variable. Returns the variable itself if it cannot be read. */
function unnest([name, value]: [string, unknown]): Array<readonly [name: string, value: unknown]> {
  try {
    if (Array.isArray(value) && name !== "parts") return value.map((one: unknown) => [name, one]);
    if (name !== "parts" || typeof value !== "object" || value === null) return [[name, value]];
    // An array has lost its indices: its first element counts as word 1.
    const first = Array.isArray(value) ? 1 : 0;
    return Object.entries(value).map(([n, part]: [string, unknown]) => [
      `parts[${first ? Number(n) + first : n}]`,
      part,
    ]);
  } catch {
    return [[name, value]];
  }
}

/** A form parser decodes the plus of a phone number as a space. */
function restorePlus(name: string, value: string): string {
  return name === "source" || name === "recipient" || name === "to" ? value.replace(/^("?) /, "$1+") : value;
}
