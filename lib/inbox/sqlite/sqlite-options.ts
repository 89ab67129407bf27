// The options of `sqliteInbox`: their types, defaults and checks.

import { invalidOption } from "../../base/errors.js";
import { readInboxOptions, type InboxOptions, type InboxSettings } from "../inbox-options.js";
import type { SqliteDatabase } from "./driver.js";
import { pathOfFile, SQLITE_DRIVERS, type SqliteDriver } from "./drivers.js";

/**
 * The options of `sqliteInbox`.
 *
 * @interface
 */
export type SqliteInboxOptions = SqliteInboxCommonOptions & (InFile | InDatabase);

interface SqliteInboxCommonOptions extends InboxOptions {
  /**
   * The inbox's name, which is stored in the file. If a router with another name opens the file by mistake,
   * `sqliteInbox` throws. Default: `"express-kaleyra-sms"`.
   */
  readonly name?: string | undefined;
}

interface InFile {
  /**
   * The path of the inbox's file, on a local disk. It must be the inbox's own, or new. `sqliteInbox` opens it, and
   * closing the router closes it.
   */
  readonly file: string;
  /**
   * What opens the file. Default: `"node:sqlite"`, which Node has from 22.13 on. Before, `"better-sqlite3"` or
   * `"libsql"`, whichever is installed.
   */
  readonly driver?: SqliteDriver | undefined;
  /**
   * Whether a thread of its own reads and writes the file, so that the disk never blocks the event loop. `false`: this
   * process does, which costs less CPU. Default: `true`.
   */
  readonly thread?: boolean | undefined;
  readonly database?: undefined;
}

interface InDatabase {
  /**
   * An open database of `node:sqlite`, `better-sqlite3` or `libsql`, in place of `file`. It is used in this process,
   * without a thread. Close the database yourself, after `sms.close()`.
   */
  readonly database: SqliteDatabase;
  readonly file?: undefined;
  readonly driver?: undefined;
  readonly thread?: undefined;
}

/** The options, checked and with their defaults. */
export interface SqliteInboxSettings extends InboxSettings {
  readonly name: string;
  readonly place:
    { readonly file: string; readonly driver: SqliteDriver | undefined } | { readonly database: SqliteDatabase };
  /** Whether a thread of its own is to use the file. */
  readonly isThreaded: boolean;
}

const FACTORY = "sqliteInbox";
const DEFAULT_NAME = "express-kaleyra-sms";

/** @throws TypeError if an option is unknown, has a wrong value, or excludes another one */
export function readSqliteOptions(given: SqliteInboxOptions): SqliteInboxSettings {
  const settings = readInboxOptions(FACTORY, given, ["file", "driver", "thread", "database", "name"]);
  const { name = DEFAULT_NAME } = given;
  if (typeof name !== "string" || name === "" || !name.isWellFormed())
    throw invalidOption(`options.name of ${FACTORY} takes the name of the inbox: a string, not empty.`);
  return {
    ...settings,
    name,
    place: placeOf(given),
    isThreaded: given.database === undefined && given.thread !== false,
  };
}

function placeOf({
  file,
  driver,
  thread,
  database,
}: Partial<Record<keyof SqliteInboxOptions, unknown>>): SqliteInboxSettings["place"] {
  if (database === undefined) {
    if (driver !== undefined && !SQLITE_DRIVERS.some((known) => known === driver))
      throw invalidOption(`options.driver of ${FACTORY} takes "${SQLITE_DRIVERS.join('", "')}".`);
    if (thread !== undefined && typeof thread !== "boolean")
      throw invalidOption(`options.thread of ${FACTORY} takes true or false.`);
    return { file: pathOfFile(file), driver: driver as SqliteDriver | undefined };
  }
  if (file !== undefined)
    throw invalidOption(`options.file and options.database of ${FACTORY} exclude each other: give one of them.`);
  if (driver !== undefined)
    throw invalidOption(`options.driver of ${FACTORY} goes with options.file: options.database has a driver already.`);
  if (thread !== undefined)
    throw invalidOption(
      `options.thread of ${FACTORY} goes with options.file: options.database is used in this process.`,
    );
  return { database: database as SqliteDatabase };
}
