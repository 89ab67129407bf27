// The tables of an inbox's file, and the migration from older versions.

import { invalidOption } from "../../base/errors.js";
import { row, text, type Row, type SqliteDatabase } from "./driver.js";

/** "KSMS": distinguishes an inbox's file from other SQLite files. */
export const APPLICATION_ID = 0x4b534d53;

/**
 * The state of a message until it is done. Of each source, at most one message is `waiting`, `held` or `running`; later
 * ones are `behind`.
 */
export const STATE = {
  /** Can be taken, from `at` on. */
  waiting: 0,
  /** An earlier message of its source has not ended. */
  behind: 1,
  /** In the memory of a process, which will handle it next. */
  held: 2,
  running: 3,
  dead: 4,
  /** The row is not a message. It blocks no other message, and is written anew when its callback comes again. */
  unreadable: 5,
} as const;

/** The messages that wait to be handled, or are being handled. */
export const LIVE = `state <= ${STATE.running}`;

/** Of each source without a waiting, held or running message: makes the first message that is behind wait. */
export const PROMOTE_ALL = `UPDATE message SET state = ${STATE.waiting} WHERE seq IN (
  SELECT (SELECT MIN(seq) FROM message WHERE source = one.source AND state = ${STATE.behind})
  FROM (SELECT DISTINCT source FROM message WHERE state = ${STATE.behind}) AS one
  WHERE NOT EXISTS (SELECT 1 FROM message
    WHERE source = one.source AND state IN (${STATE.waiting}, ${STATE.held}, ${STATE.running})))`;

/**
 * The SQL that makes each version of the tables from the previous one. A released version never changes.
 *
 * Version 1:
 * - `message.seq` is the order of arrival. It is never used again: a process may still have a message in memory that
 *   another one has forgotten.
 * - `message.at`, in milliseconds since the epoch, is when a waiting message can be taken. In any other state, it is
 *   when the message entered that state.
 * - `message.owner` is the process that holds or runs the message.
 * - `message.body` is null if the message was forgotten while it ran.
 * - `message_turn` holds the order of each source, whatever the code does.
 * - `done` keeps only the key of a handled or forgotten message. New messages then reuse the space of old ones.
 * - `process.until` is when the lease of a process ends. A `process.id` is never used again.
 * - `inbox` has one row: the name of the inbox that owns the file.
 */
const VERSIONS: readonly string[] = [
  `CREATE TABLE message (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     key TEXT NOT NULL UNIQUE,
     source TEXT NOT NULL,
     body TEXT,
     state INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     at INTEGER NOT NULL,
     owner INTEGER,
     reason TEXT
   ) STRICT;
   CREATE INDEX message_state ON message (state, at);
   CREATE INDEX message_source ON message (source, state);
   CREATE UNIQUE INDEX message_turn ON message (source)
     WHERE state IN (${STATE.waiting}, ${STATE.held}, ${STATE.running});
   CREATE TABLE done (
     key TEXT PRIMARY KEY,
     at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX done_at ON done (at);
   CREATE TABLE inbox (
     name TEXT NOT NULL
   ) STRICT;
   CREATE TABLE process (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     until INTEGER NOT NULL
   ) STRICT;`,
];

/** The names of all tables except SQLite's own. */
export function tablesOf(database: SqliteDatabase): Row[] {
  return database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(row);
}

/**
 * Brings the tables to the current version. Must run in a transaction.
 *
 * @param name - the inbox's name, which a new file gets
 * @throws TypeError if the tables are of a newer version of this package, or belong to an inbox of another name
 */
export function migrate(database: SqliteDatabase, name: string): void {
  const version = Number(row(database.prepare("PRAGMA user_version").get()).user_version);
  if (version > VERSIONS.length)
    throw invalidOption(
      `The file of sqliteInbox has tables of version ${version}: ` +
        `this version of express-kaleyra-sms knows ${VERSIONS.length}. Update it.`,
    );
  for (const sql of VERSIONS.slice(version)) database.exec(sql);
  // Also if nothing is new: a file that cannot be written fails here.
  database.exec(`PRAGMA user_version = ${VERSIONS.length}; PRAGMA application_id = ${APPLICATION_ID}`);
  database.prepare("INSERT INTO inbox SELECT ? WHERE NOT EXISTS (SELECT 1 FROM inbox)").run(name);
  const owner = text(row(database.prepare("SELECT CAST(name AS BLOB) AS name FROM inbox").get()).name);
  if (owner !== name)
    throw invalidOption(
      `The file belongs to the inbox named "${owner ?? ""}", and options.name of sqliteInbox is "${name}". ` +
        "Two routers on one file would handle each other's messages: give each router a file of its own.",
    );
}
