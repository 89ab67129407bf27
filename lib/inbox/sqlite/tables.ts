// The tables of the file, and how those of an older version become them.

import { invalidOption } from "../../base/errors.js";
import { row, text, type Row, type SqliteDatabase } from "./driver.js";

/** "KSMS": tells a file of the inbox's from others. */
export const APPLICATION_ID = 0x4b534d53;

/**
 * Where a message is until it is done. Of one source, one message at the most is `waiting`, `held` or `running`; those that came after it
 * are `behind`.
 */
export const STATE = {
  /** To be taken out, from `at` on. */
  waiting: 0,
  /** An earlier message of its source has not ended. */
  behind: 1,
  /** In the memory of the process that stored it, which will handle it next. */
  held: 2,
  running: 3,
  dead: 4,
  /** Its text is that of no message. It stands in nobody's way, and is written anew when the callback comes again. */
  unreadable: 5,
} as const;

/** Those that are to be handled, or are. */
export const LIVE = `state <= ${STATE.running}`;

/** The first that is behind, of each source that has none in front of it, waits to be taken out. */
export const PROMOTE_ALL = `UPDATE message SET state = ${STATE.waiting} WHERE seq IN (
  SELECT (SELECT MIN(seq) FROM message WHERE source = one.source AND state = ${STATE.behind})
  FROM (SELECT DISTINCT source FROM message WHERE state = ${STATE.behind}) AS one
  WHERE NOT EXISTS (SELECT 1 FROM message
    WHERE source = one.source AND state IN (${STATE.waiting}, ${STATE.held}, ${STATE.running})))`;

/**
 * What makes each version of the tables out of the one before. A released one is never changed.
 *
 * 1: `seq` is the order of arrival. `at`, in milliseconds since the epoch, is when a message that waits may be taken out, and since when any other is
 * where it is. `owner` is the process that holds or runs it; `body` is null where it was forgotten while it ran. Of a message that was handled,
 * or forgotten, only the key is kept, in `done`: so that new messages are written where old ones were, and not one after the other.
 * A process lets others know that it lives by `until`; its `id` is never used again.
 * `filed_key` is the index of keys, by their first 8 characters; keys.ts says which are in it after so many turns.
 * `inbox` has one row: the name of the inbox whose file it is.
 */
const VERSIONS: readonly string[] = [
  `CREATE TABLE message (
     seq INTEGER PRIMARY KEY,
     key TEXT NOT NULL,
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
   CREATE TABLE done (
     seq INTEGER PRIMARY KEY,
     key TEXT NOT NULL,
     at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX done_at ON done (at);
   CREATE TABLE filed_key (
     head TEXT NOT NULL,
     seq INTEGER NOT NULL,
     PRIMARY KEY (head, seq)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE filing (
     turns INTEGER NOT NULL
   ) STRICT;
   INSERT INTO filing VALUES (0);
   CREATE TABLE inbox (
     name TEXT NOT NULL
   ) STRICT;
   CREATE TABLE process (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     until INTEGER NOT NULL
   ) STRICT;`,
];

/** The names of the tables that a user has made. */
export function tablesOf(database: SqliteDatabase): Row[] {
  return database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(row);
}

/**
 * Within a transaction.
 *
 * @param name - of the inbox: a file that is new becomes its own
 * @throws TypeError where a newer version of this package has made the tables, or an inbox of another name
 */
export function migrate(database: SqliteDatabase, name: string): void {
  const version = Number(row(database.prepare("PRAGMA user_version").get()).user_version);
  if (version > VERSIONS.length)
    throw invalidOption(
      `options.database of sqliteInbox has tables of version ${version}: this version of express-kaleyra-sms knows ${VERSIONS.length}. Update it.`,
    );
  for (const sql of VERSIONS.slice(version)) database.exec(sql);
  // Also where nothing is new: whether the file can be written shows now.
  database.exec(`PRAGMA user_version = ${VERSIONS.length}; PRAGMA application_id = ${APPLICATION_ID}`);
  database.prepare("INSERT INTO inbox SELECT ? WHERE NOT EXISTS (SELECT 1 FROM inbox)").run(name);
  const owner = text(row(database.prepare("SELECT CAST(name AS BLOB) AS name FROM inbox").get()).name);
  if (owner !== name)
    throw invalidOption(
      `The file belongs to the inbox named "${owner ?? ""}", and options.name of sqliteInbox is "${name}". Two routers on one file would handle ` +
        "each other's messages: give each router a file of its own.",
    );
}
