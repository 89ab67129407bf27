// A user's handle of an SQLite file: what the inbox needs of it, whichever driver it is of.

import { isRecord } from "../../record.js";
import { APPLICATION_ID, migrate, tablesOf } from "./tables.js";

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

/** For how long another process may hold the file while this one starts, in milliseconds. The event loop waits. */
const OPENING_MS = 5_000;
const AGAIN_MS = 20;

/**
 * In WAL mode with `synchronous=FULL`, a transaction that is committed outlives a crash of the machine. Waiting for other processes blocks
 * the event loop, so it is done outside. Statements that can be undone alone would keep a journal in a file each. What is erased is
 * overwritten. The log is copied back every 16 MB, and 16 MB of the file are kept in memory.
 */
const PRAGMAS = [
  "synchronous = FULL",
  "temp_store = MEMORY",
  "secure_delete = ON",
  "wal_autocheckpoint = 4000",
  "cache_size = -16000",
];

/**
 * Makes an inbox's file of the database, or finds that it is one.
 *
 * @returns the path of the file
 * @throws TypeError where it is not the handle of a file that the inbox may write, and have for itself
 */
export function openDatabase(database: SqliteDatabase): string {
  const path = pathOf(database);
  const end = Date.now() + OPENING_MS;
  for (;;) {
    try {
      prepare(database);
      return path;
    } catch (error) {
      // To switch to WAL mode, SQLite does not wait.
      if (!isBusy(error) || Date.now() > end) throw readable(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS);
    }
  }
}

function prepare(database: SqliteDatabase): void {
  database.exec(`PRAGMA busy_timeout = ${OPENING_MS}`);
  // One look at it all, since another process may be making the tables; and nothing is changed in a transaction of the user's.
  database.exec("BEGIN");
  try {
    assertOwn(database);
  } finally {
    database.exec("ROLLBACK");
  }
  const { journal_mode: mode } = row(database.prepare("PRAGMA journal_mode = WAL").get());
  if (mode !== "wal") throw notUsable(`a file that can be in WAL mode: this one stays in mode ${String(mode)}`);
  for (const pragma of PRAGMAS) database.exec(`PRAGMA ${pragma}`);
  transaction(database, () => migrate(database));
  // Into the file's own header, which tells it from another later on.
  database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  database.exec("PRAGMA busy_timeout = 0");
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
function hasCode(error: unknown, name: string, number: number): boolean {
  const { code, errcode } = isRecord(error) ? error : {};
  return (
    (typeof code === "string" && code.startsWith(name)) || (typeof errcode === "number" && (errcode & 0xff) === number)
  );
}

/** A row, as whatever kind of object the driver makes of it. */
export function row(given: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(given)) throw new Error("The database gave no row where there always is one.");
  return given;
}

function pathOf(database: SqliteDatabase): string {
  const given: unknown = database;
  if (!isRecord(given) || typeof given.exec !== "function" || typeof given.prepare !== "function")
    throw notUsable("an open database of node:sqlite, better-sqlite3 or libsql");
  const main = database
    .prepare("PRAGMA database_list")
    .all()
    .map(row)
    .find(({ name }) => name === "main");
  if (typeof main?.file !== "string" || main.file === "")
    throw notUsable("a database in a file: this one is in memory");
  return main.file;
}

function assertOwn(database: SqliteDatabase): void {
  const { application_id: id } = row(database.prepare("PRAGMA application_id").get());
  if (Number(id) === APPLICATION_ID) return;
  if (Number(id) !== 0 || tablesOf(database).length > 0)
    throw notUsable("a file of the inbox's own: this one has other tables");
}

function readable(error: unknown): unknown {
  const { message } = isRecord(error) ? error : {};
  if (typeof message === "string" && message.includes("within a transaction"))
    return notUsable("a database that is not in a transaction");
  if (hasCode(error, "SQLITE_READONLY", 8)) return notUsable("a file that may be written: this one is read-only");
  if (isBusy(error))
    return Object.assign(
      new Error(`sqliteInbox could not open its file: another process held it for ${OPENING_MS} ms.`),
      {
        code: "KALEYRA_SMS_INBOX_BUSY",
        cause: error,
      },
    );
  return error;
}

function notUsable(takes: string): TypeError {
  return new TypeError(`options.database of sqliteInbox takes ${takes}.`);
}
