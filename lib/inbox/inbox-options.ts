// The options that every inbox takes: their types, defaults and checks.

import { invalidArgument, invalidOption } from "../base/errors.js";
import { isRecord } from "../base/record.js";

/** The options of every inbox. @inline */
export interface InboxOptions {
  /** How many attempts a message has before it becomes a dead letter. Default: 5. */
  readonly attempts?: number | undefined;
  /** Milliseconds between a failed attempt and the next. Doubles with each attempt, up to a day. Default: 1,000. */
  readonly backoffMs?: number | undefined;
  /**
   * Milliseconds for which the key of a handled message is kept, so that a duplicate is recognized.
   * Default: 604,800,000 (seven days).
   */
  readonly retentionMs?: number | undefined;
  /**
   * Milliseconds after which the messages of a dead process are taken over. SQLite may take a third longer, Redis twice
   * as long.
   *
   * A live process renews its lease: it keeps its messages however long their handlers run, unless they block the event
   * loop. Default: 15,000.
   */
  readonly leaseMs?: number | undefined;
}

/** The options, checked and with their defaults. */
export type InboxSettings = { readonly [Name in keyof InboxOptions]-?: number };

const DEFAULTS: InboxSettings = { attempts: 5, backoffMs: 1_000, retentionMs: 604_800_000, leaseMs: 15_000 };

/**
 * @param factory - the name of the function that takes the options
 * @param own - the names of the options that only this function takes
 * @throws TypeError if an option is unknown or has a wrong value
 */
export function readInboxOptions(factory: string, given: unknown, own: readonly string[]): InboxSettings {
  const names = [...own, ...Object.keys(DEFAULTS)];
  if (!isRecord(given)) throw invalidOption(`${factory} takes an object of options: ${names.join(", ")}.`);
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw invalidOption(`options.${name} is not an option of ${factory}. The options are ${names.join(", ")}.`);
  }
  const settings: Record<keyof InboxSettings, number> = { ...DEFAULTS };
  for (const [name, unit] of UNITS) {
    const value = given[name];
    if (value === undefined) continue;
    const minimum = name === "leaseMs" ? MIN_LEASE_MS : 1;
    if (!Number.isSafeInteger(value) || (value as number) < minimum)
      throw invalidOption(`options.${name} of ${factory} takes a whole number of ${unit}, at least ${minimum}.`);
    settings[name] = value as number;
  }
  return settings;
}

const UNITS = [
  ["attempts", "attempts"],
  ["backoffMs", "milliseconds"],
  ["retentionMs", "milliseconds"],
  ["leaseMs", "milliseconds"],
] as const;

/** A lease is renewed several times before it ends. If it were shorter than this, a busy event loop would lose it. */
const MIN_LEASE_MS = 100;

/** Reads the `limit` of `deadLetters`. @throws TypeError if it is not a whole number of at least 1 */
export function readLimit(limit: unknown = 100): number {
  if (!Number.isSafeInteger(limit) || (limit as number) < 1)
    throw invalidArgument("deadLetters({ limit }) takes a whole number of at least 1.");
  return limit as number;
}

/**
 * Checks a key or a source, which may come from a request: some drivers end the process if they get another type.
 *
 * @param name - the argument's name in the error, for instance `replay(key)`
 * @throws TypeError if the value is not a string
 */
export function requireString(name: string, value: unknown): string {
  if (typeof value !== "string") throw invalidArgument(`${name} takes a string.`);
  return value;
}
