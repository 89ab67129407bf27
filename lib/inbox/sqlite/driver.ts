// What is asked of a user's handle, of whichever driver it is.

import { isUtf8 } from "node:buffer";
import { types } from "node:util";

import { invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";

/** An open database of `node:sqlite`, `better-sqlite3` or `libsql`. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

/** What `get` gives where there is no row differs, and in libsql spoils the next call: it is used for queries that always give one. */
export interface SqliteStatement {
  run(...values: unknown[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

export type Row = Readonly<Record<string, unknown>>;

/** A row, as whatever kind of object the driver makes of it. */
export function row(given: unknown): Row {
  if (!isRecord(given))
    throw invalidOption("options.database of sqliteInbox takes a driver that returns rows as objects.");
  return given;
}

/**
 * A text that was read as bytes, `CAST(... AS BLOB)`; `undefined` where it is none. Read as a text, one byte that is not UTF-8 ends the process with
 * libsql, at every start.
 */
export function text(value: unknown): string | undefined {
  // libsql gives an ArrayBuffer, the others an array of bytes.
  if (!types.isUint8Array(value) && !types.isAnyArrayBuffer(value)) return undefined;
  const bytes = Buffer.from(value as ArrayBuffer);
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/** Runs the steps, and commits them together or not at all. @throws what a step or the commit threw */
export function transaction<Result>(database: SqliteDatabase, steps: () => Result): Result {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = steps();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // Some errors, such as a full disk, have rolled it back already.
    }
    throw error;
  }
}

/** Whether another process holds the file: a matter of time. */
export function isBusy(error: unknown): boolean {
  return hasCode(error, "SQLITE_BUSY", 5) || hasCode(error, "SQLITE_LOCKED", 6);
}

/** The drivers name SQLite's result codes, the extended ones too, or number them; and not every error of theirs is an `Error`. */
export function hasCode(error: unknown, name: string, number: number): boolean {
  const { code, errcode } = isRecord(error) ? error : {};
  return (
    (typeof code === "string" && code.startsWith(name)) || (typeof errcode === "number" && (errcode & 0xff) === number)
  );
}
