// Makes an inbox's file of a user's handle, and says what a handle is not fit for.

import { codedError, invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";
import { hasCode, isBusy, row, transaction, type Row, type SqliteDatabase } from "./driver.js";
import { repair } from "./repair.js";
import { APPLICATION_ID, migrate, tablesOf } from "./tables.js";

/** For how long another process may hold the file while this one starts, and how often it is tried again, in milliseconds. The event loop waits. */
const OPENING_MS = 5_000;
const AGAIN_MS = 20;

/**
 * In WAL mode with `synchronous=FULL`, a transaction that is committed outlives a crash of the machine. Waiting for other processes blocks
 * the event loop, so it is done outside. Statements that can be undone alone would keep a journal in a file each. What is erased is
 * overwritten. The log is copied back every 16 MB, and 16 MB of the file are kept in memory. The log is never cut to a limit: file.ts takes that
 * for a loss.
 */
const PRAGMAS = [
  "synchronous = FULL",
  "temp_store = MEMORY",
  "secure_delete = ON",
  "wal_autocheckpoint = 4000",
  "journal_size_limit = -1",
  "cache_size = -16000",
];

/**
 * Makes an inbox's file of the database, or finds that it is one.
 *
 * @param name - that of the inbox
 * @returns the path of the file
 * @throws TypeError where it is not the handle of a file that the inbox may write, and have for itself
 */
export function openDatabase(database: SqliteDatabase, name: string): string {
  const path = pathOf(database);
  const end = performance.now() + OPENING_MS;
  for (;;) {
    try {
      prepare(database, name);
      return path;
    } catch (error) {
      // To switch to WAL mode, SQLite does not wait.
      if (!isBusy(error) || performance.now() > end) throw readable(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS);
    }
  }
}

function prepare(database: SqliteDatabase, name: string): void {
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
  transaction(database, () => {
    migrate(database, name);
    repair(database);
  });
  // Into the file's own header, which tells it from another later on.
  database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  database.exec("PRAGMA busy_timeout = 0");
}

function pathOf(database: SqliteDatabase): string {
  const given: unknown = database;
  if (!isRecord(given) || typeof given.exec !== "function" || typeof given.prepare !== "function")
    throw notUsable(OPEN);
  const main = databasesOf(database).find(({ name }) => name === "main");
  if (typeof main?.file !== "string" || main.file === "")
    throw notUsable("a database in a file: this one is in memory");
  return main.file;
}

const OPEN = "an open database of node:sqlite, better-sqlite3 or libsql";

function databasesOf(database: SqliteDatabase): Row[] {
  try {
    return database.prepare("PRAGMA database_list").all().map(row);
  } catch (error) {
    if (isBusy(error)) throw error;
    throw notUsable(`${OPEN}: this one cannot be read`, error);
  }
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
    return codedError("KALEYRA_SMS_INBOX_BUSY", {
      message: `sqliteInbox could not open its file: another process held it for ${OPENING_MS} ms. Start again when that process has finished.`,
      cause: error,
    });
  return error;
}

function notUsable(takes: string, cause?: unknown): TypeError {
  return invalidOption(`options.database of sqliteInbox takes ${takes}.`, { cause });
}
