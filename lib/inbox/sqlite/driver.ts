// The interface of a user's database handle, and the differences between the drivers.

import { isUtf8 } from "node:buffer";
import { types } from "node:util";

import { invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";

/** An open database of `node:sqlite`, `better-sqlite3` or `libsql`. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

/**
 * A prepared statement. The inbox calls `get` only for queries that always return a row: without one, the drivers
 * return different values, and libsql breaks the next call.
 */
export interface SqliteStatement {
  run(...values: unknown[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
}

export type Row = Readonly<Record<string, unknown>>;

/** A row, which may be any kind of object. @throws TypeError if the driver does not return rows as objects */
export function row(given: unknown): Row {
  if (!isRecord(given))
    throw invalidOption("options.database of sqliteInbox takes a driver that returns rows as objects.");
  return given;
}

/**
 * The text of a column that was read as bytes, with `CAST(... AS BLOB)`; `undefined` if it is not a text in UTF-8.
 *
 * If a column is read as text, libsql ends the process at a byte that is not UTF-8, at every start.
 */
export function text(value: unknown): string | undefined {
  // libsql returns an ArrayBuffer, the other drivers a Uint8Array.
  if (!types.isUint8Array(value) && !types.isAnyArrayBuffer(value)) return undefined;
  const bytes = Buffer.from(value as ArrayBuffer);
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/** Runs the steps in a transaction. @throws the error of a step or of the commit, after all steps are undone */
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
      // Some errors, such as a full disk, have already rolled the transaction back.
    }
    throw error;
  }
}

/** Whether another process locks the file: a retry may succeed. */
export function isBusy(error: unknown): boolean {
  return hasCode(error, "SQLITE_BUSY", 5) || hasCode(error, "SQLITE_LOCKED", 6);
}

/**
 * Whether an error has one of SQLite's result codes, or an extended code of it. Some drivers give the name of the code,
 * others its number, and not every error of theirs is an `Error`.
 */
export function hasCode(error: unknown, name: string, number: number): boolean {
  const { code, errcode } = isRecord(error) ? error : {};
  return (
    (typeof code === "string" && code.startsWith(name)) || (typeof errcode === "number" && (errcode & 0xff) === number)
  );
}
