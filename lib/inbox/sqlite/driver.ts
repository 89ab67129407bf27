// The interface of a user's database handle, and the differences between the drivers.

import { isUtf8 } from "node:buffer";
import { types } from "node:util";

import { codedError, invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";
import { TRANSACTION } from "./sql.js";

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
  database.exec(TRANSACTION.write);
  try {
    const result = steps();
    database.exec(TRANSACTION.commit);
    return result;
  } catch (error) {
    try {
      database.exec(TRANSACTION.rollback);
    } catch {
      // Some errors, such as a full disk, have already rolled the transaction back.
    }
    throw error;
  }
}

/** Whether another process locks the file: a retry may succeed. */
export function isBusy(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code === "SQLITE_BUSY" || code === "SQLITE_LOCKED";
}

/** The primary result codes from 1 on: https://sqlite.org/rescode.html */
const RESULT_CODES = (
  "ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN PROTOCOL EMPTY " +
  "SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB"
).split(" ");

/**
 * The name of SQLite's primary result code that an error has, such as `SQLITE_FULL`: never another text. Some drivers
 * give the name of the code, perhaps of an extended one, others its number. Not every error of theirs is an `Error`.
 */
export function resultCodeOf(error: unknown): string | undefined {
  const { code, errcode } = isRecord(error) ? error : {};
  const [, given = ""] = /^SQLITE_([A-Z]+)/.exec(typeof code === "string" ? code : "") ?? [];
  const index = typeof errcode === "number" ? (errcode & 0xff) - 1 : RESULT_CODES.indexOf(given);
  const name = RESULT_CODES[index];
  return name === undefined ? undefined : `SQLITE_${name}`;
}

/** An error of a driver as one of the package, which names SQLite's code. Any other error is unchanged. */
export function fileFailed(error: unknown): unknown {
  const why = resultCodeOf(error);
  return why === undefined ? error : codedError("KALEYRA_SMS_INBOX_FILE_FAILED", { why, cause: error });
}
