// Reads what a body parser in front of the router made of the body, where it kept no bytes.

import type { Issue } from "../invalid.js";
import { readVariables, type Values } from "./query.js";
import { fieldsOf, knownName, notScalar, scalarOf, type FieldsRead, type Reading } from "./reading.js";

type Parsed = Readonly<Record<string, unknown>>;

/** Reads what `express.json()` left. @param parsed - may become the fields */
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
 * Reads what `express.urlencoded()` left of a form, or a query parser of a query. An extended parser makes an array of a repeated
 * variable, and an array or an object of `parts[1]`, `parts[2]`.
 */
export function readParsedVariables(parsed: Parsed, values: Values): Reading {
  const variables: Array<readonly [string, string]> = [];
  const unreadable: Issue[] = [];
  for (const [name, value] of Object.entries(parsed).flatMap(unnested)) {
    const scalar = scalarOf(value);
    if (scalar !== undefined) variables.push([name, withPlus(name, scalar)]);
    else if (value !== null && value !== undefined) unreadable.push(notScalar(name));
  }
  const reading = readVariables(variables, values);
  return "refusal" in reading ? reading : { fields: reading.fields, unreadable };
}

/** The variables that an extended parser made one of; itself, where they cannot be read. */
function unnested([name, value]: [string, unknown]): Array<readonly [name: string, value: unknown]> {
  try {
    if (Array.isArray(value) && name !== "parts") return value.map((one: unknown) => [name, one]);
    if (name !== "parts" || typeof value !== "object" || value === null) return [[name, value]];
    // An array has lost its indices; its first entry is taken for word 1.
    const first = Array.isArray(value) ? 1 : 0;
    return Object.entries(value).map(([n, part]: [string, unknown]) => [
      `parts[${first ? Number(n) + first : n}]`,
      part,
    ]);
  } catch {
    return [[name, value]];
  }
}

/** A form's parser reads the plus of a number as a space. */
function withPlus(name: string, value: string): string {
  return name === "source" || name === "recipient" || name === "to" ? value.replace(/^("?) /, "$1+") : value;
}
