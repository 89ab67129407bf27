// The options that every inbox takes: their defaults and checks.

import { invalidArgument, invalidOption } from "../base/errors.js";
import { isRecord } from "../base/record.js";

/** The options of every inbox. */
export interface InboxOptions {
  /** How many times the handlers of a message are tried before it becomes a dead letter. Default: 5. */
  readonly attempts?: number | undefined;
  /** Milliseconds from a failed attempt to the next; doubles with each. Default: 1,000. */
  readonly backoffMs?: number | undefined;
  /** Milliseconds for which the key of a handled message is kept, so that a repeat is told. Default: 604,800,000, seven days. */
  readonly retentionMs?: number | undefined;
  /**
   * Milliseconds after which what a dead process held is taken over, within a third of it more with SQLite, as long again with Redis. Renewed
   * while handlers run: a live one keeps what it has, however long they take, as long as they do not block the event loop. Default: 15,000.
   */
  readonly leaseMs?: number | undefined;
}

/** The same, checked and complete. */
export type InboxSettings = { readonly [Name in keyof InboxOptions]-?: number };

const DEFAULTS: InboxSettings = { attempts: 5, backoffMs: 1_000, retentionMs: 604_800_000, leaseMs: 15_000 };

/**
 * @param factory - the name of the function whose options they are
 * @param own - the names of the options that only that one takes
 * @throws TypeError that names the option and what it takes
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
    const least = name === "leaseMs" ? LEAST_LEASE_MS : 1;
    if (!Number.isSafeInteger(value) || (value as number) < least)
      throw invalidOption(`options.${name} of ${factory} takes a whole number of ${unit}, at least ${least}.`);
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

/** A lease is renewed several times while it holds: below this, a busy event loop would lose it. */
const LEAST_LEASE_MS = 100;

/** From the end of a failed attempt to the next, in milliseconds. @param attempt - the one that failed, from 1 */
export function backoffOf(attempt: number, { backoffMs }: Pick<InboxSettings, "backoffMs">): number {
  return Math.min(backoffMs * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
}

/** A day: doubling would soon reach beyond what anybody waits for. */
const LONGEST_BACKOFF_MS = 86_400_000;

/** How many dead letters a page has. @throws TypeError where that is no number of them */
export function limitOf(limit: unknown = 100): number {
  if (!Number.isSafeInteger(limit) || (limit as number) < 1)
    throw invalidArgument("deadLetters({ limit }) takes a whole number of at least 1.");
  return limit as number;
}

/**
 * A key or a source, which may come from a request: some drivers end the process where they are given what is no text.
 *
 * @param what - as the error names it, such as `replay(key)`
 * @throws TypeError where it is no string
 */
export function stringOf(what: string, given: unknown): string {
  if (typeof given !== "string") throw invalidArgument(`${what} takes a string.`);
  return given;
}
