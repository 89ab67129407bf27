// Makes the errors for failures of the database. Unlike the driver's own errors, they never contain what was sent.

import { codedError, codeOf } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";
import { STALE, WRONG_ISOLATION } from "./sql.js";

/** What ends a transaction because of another one. Repeated at once, it works. */
const CONFLICTS = new Set(["40001", "40P01", "23505"]);
/** Somebody locks a table for long. */
const LOCKED = "55P03";
/** The tables are gone, for instance because the schema was dropped. */
const MISSING = new Set(["3F000", "42P01", "42883"]);

/** The SQLSTATE of an error of the server; `undefined` if it is not from there. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = isRecord(error) ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && "severity" in Object(error) ? code : undefined;
}

export const isConflict = (error: unknown): boolean => CONFLICTS.has(sqlStateOf(error) ?? "");

export const isMissing = (error: unknown): boolean => MISSING.has(sqlStateOf(error) ?? "");

/** Whether the failure may be over in a moment. */
export const isBrief = (error: unknown): boolean => isConflict(error) || sqlStateOf(error) === LOCKED;

/**
 * Whether the connection may be kept after the error. Not after one of the connection or of the server as a whole: after
 * a failover, it may lead to a server that only reads.
 */
export function isOfStatement(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !/^(?:08|25|53|57|58|XX)/.test(state);
}

/** Replaces an error with one that keeps only its kind. */
export function databaseFailed(error: unknown): Error {
  if (codeOf(error) !== undefined) return error as Error;
  const state = sqlStateOf(error);
  if (state === WRONG_ISOLATION) return wrongIsolation();
  const code = isRecord(error) && typeof error.code === "string" ? error.code : undefined;
  const why = state === STALE ? "a request came late" : (code ?? knownOf(error));
  return unreachable(why);
}

export function timedOut(what: "connection" | "answer"): Error {
  return unreachable(`no ${what} in time`);
}

function unreachable(why: string): Error {
  return codedError("KALEYRA_SMS_INBOX_UNREACHABLE", { why });
}

export function wrongIsolation(): Error {
  return codedError("KALEYRA_SMS_INBOX_DATABASE_UNFIT", {
    why:
      "default_transaction_isolation is not read committed. Set it for the role of the pool, for instance " +
      "ALTER ROLE name SET default_transaction_isolation = 'read committed'",
  });
}

/** The beginnings of messages that contain nothing that was sent. */
const KNOWN = /^(?:Connection terminated|timeout exceeded|Cannot use a pool|Client has encountered a connection error)/;

function knownOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  return KNOWN.test(message) ? message : "the connection failed";
}
