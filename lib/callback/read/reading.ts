// The result of every reader of a callback: its fields, or why they cannot be read.

import { isAbsent, isTableField } from "../fields.js";
import type { Issue, Refusal } from "../invalid.js";

/** Every field under its wire name, as a string. Absent fields are left out. */
export type Fields = Readonly<Record<string, string>>;

export type Reading = FieldsRead | { readonly refusal: Refusal };

export interface FieldsRead {
  readonly fields: Fields;
  /** The problems of fields that are left out because their value is not a scalar. */
  readonly unreadable: readonly Issue[];
  /** Whether `escaping: "auto"` had to match the body against the template. Default: `false`. */
  readonly repaired?: boolean;
  /** Whether bytes of the text were not valid in the charset. Default: `false`. */
  readonly damaged?: boolean;
  /** Every key of the body, if no profile is given and the keys are not those of the printed template. */
  readonly otherKeys?: readonly string[];
}

const NONE: readonly Issue[] = [];

/** Converts a parsed object to fields: scalars become strings, and absent values are left out. */
export function fieldsOf(parsed: Readonly<Record<string, unknown>>): FieldsRead {
  if (isComplete(parsed)) return { fields: parsed, unreadable: NONE };
  const kept: Array<[name: string, value: string]> = [];
  const unreadable: Issue[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (isNothing(name, value)) continue;
    const scalar = scalarOf(value);
    if (scalar === undefined) unreadable.push(notScalar(name));
    else if (!isAbsent(name, scalar)) kept.push([name, scalar]);
  }
  return { fields: Object.fromEntries(kept), unreadable };
}

/**
 * Sets a field of any name, including the names that every object inherits. An assignment to `__proto__` would set no
 * property. An assignment to the others throws if the app has frozen `Object.prototype`.
 */
export function setField(fields: Record<string, string>, name: string, value: string): void {
  if (!(name in Object.prototype)) fields[name] = value;
  else Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Whether a parsed value stands for an absent field. A message of `null` is an empty text. */
export function isNothing(name: string, value: unknown): boolean {
  return value === undefined || (value === null && name !== "message");
}

/**
 * Converts a scalar to a string; `undefined` for any other value. `null` is the empty string. Some parsers return a
 * long number as a bigint.
 */
export function scalarOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (value === null) return "";
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? String(value)
    : undefined;
}

export function notScalar(name: string): Issue {
  return { field: knownName(name), message: "must be a string, not an object or an array", rule: "scalar" };
}

/** True for nearly every callback. There is nothing to convert or leave out: the object itself is used. */
function isComplete(parsed: Readonly<Record<string, unknown>>): parsed is Fields {
  for (const name of Object.keys(parsed)) {
    const value = parsed[name];
    if (typeof value !== "string" || isAbsent(name, value)) return false;
  }
  return true;
}

/** The name of a field as an answer may contain it: `(other)` for unknown names, which a sender may have typed. */
export function knownName(name: string, alsoKnown?: ReadonlySet<string>): string {
  return isTableField(name) || name === "to" || alsoKnown?.has(name) === true ? name : "(other)";
}
