// What every reader of a callback gives: its fields, or why they cannot be read.

import { isAbsent, isTableField } from "../fields.js";
import type { Issue, Refusal } from "../invalid.js";

/** Every field under its wire name, a string each; absent ones left out. */
export type Fields = Readonly<Record<string, string>>;

export type Reading = FieldsRead | { readonly refusal: Refusal };

export interface FieldsRead {
  readonly fields: Fields;
  /** What is wrong with fields that are left out because they hold no scalar. */
  readonly unreadable: readonly Issue[];
  /** Whether they were matched against the template. */
  readonly repaired?: true;
  /** Every key of the body, where no profile is given and they are not those of the printed template. */
  readonly otherKeys?: readonly string[];
}

const NONE: readonly Issue[] = [];

/** Makes fields of a parsed object: scalars become strings, and what is absent is left out. */
export function fieldsOf(parsed: Readonly<Record<string, unknown>>): FieldsRead {
  if (isComplete(parsed)) return { fields: parsed, unreadable: NONE };
  const kept: Array<[name: string, value: string]> = [];
  const unreadable: Issue[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (value === null || value === undefined) continue;
    const scalar = scalarOf(value);
    if (scalar === undefined) unreadable.push(notScalar(name));
    else if (!isAbsent(name, scalar)) kept.push([name, scalar]);
  }
  return { fields: Object.fromEntries(kept), unreadable };
}

/**
 * Sets a field whatever its name: of what every object inherits, an assignment to `__proto__` would be none, and one to the others throws in an app
 * that has frozen `Object.prototype`.
 */
export function setField(fields: Record<string, string>, name: string, value: string): void {
  if (!(name in Object.prototype)) fields[name] = value;
  else Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A scalar as the string that it is read as; a bigint is what some parsers make of a long number. */
export function scalarOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : undefined;
}

export function notScalar(name: string): Issue {
  return { field: knownName(name), message: "must be a string, not an object or an array", rule: "scalar" };
}

/** Nearly every callback: nothing to convert and nothing to leave out, so that the object can be used as it is. */
function isComplete(parsed: Readonly<Record<string, unknown>>): parsed is Fields {
  for (const name of Object.keys(parsed)) {
    const value = parsed[name];
    if (typeof value !== "string" || isAbsent(name, value)) return false;
  }
  return true;
}

/** A field's name as an answer may repeat it to the sender: only names that are known. */
export function knownName(name: string, alsoKnown?: ReadonlySet<string>): string {
  return isTableField(name) || name === "to" || alsoKnown?.has(name) === true ? name : "(other)";
}
