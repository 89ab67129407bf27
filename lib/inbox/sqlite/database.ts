// Sets up the inbox's file through a database handle, and rejects a file that does not fit.

import { codedError, invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";
import { isBusy, resultCodeOf, row, text, transaction, type Row, type SqliteDatabase } from "./driver.js";
import { isMountedAlone } from "./mount.js";
import { assertFree } from "./open-files.js";
import { APPLICATION_ID, FILE, lockTimeout, marked, REPAIRS, SETTINGS, TRANSACTION, VERSIONS } from "./sql.js";

/** How long opening waits while another process locks the file, in milliseconds. It blocks the event loop. */
const OPENING_MS = 5_000;
const RETRY_MS = 20;

/**
 * Makes the database an inbox's file, or opens it if it is one already.
 *
 * @param name - the inbox's name
 * @param option - the option that names the file, for errors
 * @param isNewAllowed - whether a database without tables is made an inbox's
 * @returns the path of the file
 * @throws TypeError if the database is not a file, is mounted without its folder, cannot be written, or belongs to
 * something else, also to another inbox of this process
 * @throws Error if another process locks the file for longer than `OPENING_MS`
 */
export function openDatabase(
  database: SqliteDatabase,
  name: string,
  option: "file" | "database",
  isNewAllowed = true,
): string {
  const path = pathOf(database);
  assertFree(path);
  if (isMountedAlone(path))
    throw notUsable(
      option,
      "a file whose folder is mounted: of this one only the file is, so that its log beside it (-wal), with " +
        "acknowledged messages, would be lost with the container. Mount the folder, not the file",
    );
  const end = performance.now() + OPENING_MS;
  for (;;) {
    try {
      setUp(database, name, option, isNewAllowed);
      return path;
    } catch (error) {
      // SQLite does not wait for a lock when it switches to WAL mode.
      if (!isBusy(error) || performance.now() > end) throw explained(error, option);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

function setUp(database: SqliteDatabase, name: string, option: string, isNewAllowed: boolean): void {
  database.exec(lockTimeout(OPENING_MS));
  // One snapshot, since another process may be making the tables. In a transaction of the user's, BEGIN fails.
  database.exec(TRANSACTION.read);
  try {
    assertOwn(database, option, isNewAllowed);
  } finally {
    database.exec(TRANSACTION.rollback);
  }
  database.exec(FILE.pageSize);
  const { journal_mode: mode } = row(database.prepare(FILE.journal).get());
  if (mode !== "wal") throw notUsable(option, `a file that can be in WAL mode: this one stays in mode ${String(mode)}`);
  for (const setting of SETTINGS) database.exec(setting);
  transaction(database, () => {
    migrate(database, name);
    for (const sql of REPAIRS) database.exec(sql);
  });
  // Writes the application id from the log into the header, where file.ts looks for it.
  database.exec(FILE.copyLog);
  // From now on, the callers retry: SQLite's own wait blocks the event loop.
  database.exec(lockTimeout(0));
}

/**
 * Brings the tables to the current version. Must run in a transaction.
 *
 * @param name - the inbox's name, which a new file gets
 * @throws TypeError if the tables are of a newer version of this package, or belong to an inbox of another name
 */
function migrate(database: SqliteDatabase, name: string): void {
  const version = Number(row(database.prepare(FILE.version).get()).user_version);
  if (version > VERSIONS.length)
    throw invalidOption(
      `The file of sqliteInbox has tables of version ${version}: ` +
        `this version of express-kaleyra-sms knows ${VERSIONS.length}. Update it.`,
    );
  for (const sql of VERSIONS.slice(version)) database.exec(sql);
  // Also if nothing is new: a file that cannot be written fails here.
  database.exec(marked(VERSIONS.length));
  database.prepare(FILE.nameIfNone).run(name);
  const owner = text(row(database.prepare(FILE.name).get()).name);
  if (owner !== name)
    throw invalidOption(
      `The file belongs to the inbox named "${owner ?? ""}", and options.name of sqliteInbox is "${name}". ` +
        "Two routers on one file would handle each other's messages: give each router a file of its own.",
    );
}

function pathOf(database: SqliteDatabase): string {
  const given: unknown = database;
  if (!isRecord(given) || typeof given.exec !== "function" || typeof given.prepare !== "function")
    throw notUsable("database", OPEN_DATABASE);
  const main = databasesOf(database).find(({ name }) => name === "main");
  if (typeof main?.file !== "string" || main.file === "")
    throw notUsable("database", "a database in a file: this one is in memory");
  return main.file;
}

const OPEN_DATABASE = "an open database of node:sqlite, better-sqlite3 or libsql";

function databasesOf(database: SqliteDatabase): Row[] {
  try {
    return database.prepare(FILE.files).all().map(row);
  } catch (error) {
    if (isBusy(error)) throw error;
    throw notUsable("database", `${OPEN_DATABASE}: this one cannot be read`, error);
  }
}

function assertOwn(database: SqliteDatabase, option: string, isNewAllowed: boolean): void {
  const { application_id: id } = row(database.prepare(FILE.applicationId).get());
  if (Number(id) === APPLICATION_ID) return;
  if (Number(id) !== 0 || database.prepare(FILE.tables).all().length > 0)
    throw notUsable(option, "a file of the inbox's own: this one has other tables");
  if (!isNewAllowed) throw notUsable(option, "the file of an inbox: this one is empty");
}

/** Returns an error that says how to fix the cause, in place of the driver's. */
function explained(error: unknown, option: string): unknown {
  const { message } = isRecord(error) ? error : {};
  const code = resultCodeOf(error);
  if (typeof message === "string" && message.includes("within a transaction"))
    return notUsable(option, "a database that is not in a transaction");
  if (code === "SQLITE_READONLY") return notUsable(option, "a file that may be written: this one is read-only");
  if (code === "SQLITE_NOTADB")
    return notUsable(option, "a file of the inbox's own: this one is no SQLite database", error);
  if (code === "SQLITE_CANTOPEN") return notUsable(option, "a file that can be opened", error);
  if (isBusy(error))
    return codedError("KALEYRA_SMS_INBOX_BUSY", {
      message:
        `sqliteInbox could not open its file: another process held it for ${OPENING_MS} ms. ` +
        "Start again when that process has finished.",
      cause: error,
    });
  return error;
}

function notUsable(option: string, takes: string, cause?: unknown): TypeError {
  return invalidOption(`options.${option} of sqliteInbox takes ${takes}.`, { cause });
}
