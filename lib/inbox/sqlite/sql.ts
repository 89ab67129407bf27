// All SQL of the inbox: how its file is set up, its tables, and every statement on them.

/** "KSMS": distinguishes an inbox's file from other SQLite files. */
export const APPLICATION_ID = 0x4b534d53;

/**
 * The state of a message until it is done. Of each source, at most one message is a head: `waiting`, `held` or
 * `running`. Later ones are `behind`.
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
const HEAD = `state IN (${STATE.waiting}, ${STATE.held}, ${STATE.running})`;
const REST = `state IN (${STATE.behind}, ${STATE.dead}, ${STATE.unreadable})`;
const TAKEN = `state IN (${STATE.held}, ${STATE.running})`;
const ASIDE = `state IN (${STATE.dead}, ${STATE.unreadable})`;

export const SETTINGS: readonly string[] = [
  // In WAL mode, a committed transaction then survives a crash of the machine.
  "PRAGMA synchronous = FULL",
  // The journals of single statements would otherwise be files.
  "PRAGMA temp_store = MEMORY",
  // Erased content is overwritten.
  "PRAGMA secure_delete = ON",
  // The log is never cut to a limit: file.ts would take that for a loss.
  "PRAGMA journal_size_limit = -1",
];

export const TRANSACTION = { read: "BEGIN", write: "BEGIN IMMEDIATE", commit: "COMMIT", rollback: "ROLLBACK" } as const;

/** For a file that is not known to be an inbox's: prepared each time, since the tables may not be there. */
export const FILE = {
  /** The files of a handle. The first one, `main`, is the one that it was opened with. */
  files: "PRAGMA database_list",
  /** For a new file. A message that comes alone writes ten pages to the log, whatever their size. */
  pageSize: "PRAGMA page_size = 2048",
  journal: "PRAGMA journal_mode = WAL",
  applicationId: "PRAGMA application_id",
  version: "PRAGMA user_version",
  /** Without SQLite's own. */
  tables: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
  /** Copies what it can from the log into the file, and says how many pages the log has. */
  copyLog: "PRAGMA wal_checkpoint(PASSIVE)",
  /** Empties the log, unless another process reads it. */
  emptyLog: "PRAGMA wal_checkpoint(TRUNCATE)",
  nameIfNone: "INSERT INTO inbox SELECT ? WHERE NOT EXISTS (SELECT 1 FROM inbox)",
  name: "SELECT CAST(name AS BLOB) AS name FROM inbox",
} as const;
export const lockTimeout = (ms: number): string => `PRAGMA busy_timeout = ${ms}`;
export const marked = (version: number): string =>
  `PRAGMA user_version = ${version}; PRAGMA application_id = ${APPLICATION_ID}`;

/**
 * The SQL that makes each version of the tables from the previous one. A released version never changes.
 *
 * Version 1:
 * - `message.seq` is the order of arrival. It is never used again: a process may still have a message in memory that
 *   another one has forgotten.
 * - `message.at`, in milliseconds since the epoch, is when a waiting message can be taken, or could when it was held. In
 *   any other state, it is when the message entered that state.
 * - `message.owner` is the process that holds or runs the message.
 * - `message.body` is null if the message was forgotten while it ran.
 * - `message_turn` holds the order of each source, whatever the code does. `message_rest` has the other messages of a
 *   source: one that comes alone is never in it. Each index of keys or sources costs a page of its own for each message.
 * - `done` keeps only the key of a handled or forgotten message, and since when. New messages then reuse the space of
 *   old ones.
 * - `process.until` is when the lease of a process ends. A `process.id` is random, and never used again.
 * - `inbox` has one row: the name of the inbox that owns the file.
 */
export const VERSIONS: readonly string[] = [
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
   CREATE UNIQUE INDEX message_turn ON message (source) WHERE ${HEAD};
   CREATE INDEX message_rest ON message (source, state) WHERE ${REST};
   CREATE TABLE done (
     key TEXT PRIMARY KEY,
     at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE inbox (
     name TEXT NOT NULL
   ) STRICT;
   CREATE TABLE process (
     id INTEGER PRIMARY KEY,
     until INTEGER NOT NULL
   ) STRICT;`,
];

/** An index is used only if its condition is repeated. */
const BEHIND = `${REST} AND state = ${STATE.behind}`;
/** The first message behind the others of a source. */
const FIRST_BEHIND = (source: string): string =>
  `(SELECT MIN(seq) FROM message WHERE source = ${source} AND ${BEHIND})`;
/** Also whether it has a message that is live: whenever one is behind, there is a head. */
const HAS_HEAD = (source: string): string =>
  `EXISTS (SELECT 1 FROM message AS head WHERE head.source = ${source} AND head.${HEAD})`;
/** Of each source without a head: the first message that is behind. For all sources: that of a bad row may be wrong. */
const PROMOTE_ALL = `UPDATE message SET state = ${STATE.waiting} WHERE seq IN (
  SELECT ${FIRST_BEHIND("one.source")} FROM (SELECT DISTINCT source FROM message WHERE ${BEHIND}) AS one
  WHERE NOT ${HAS_HEAD("one.source")})`;

/** More than any process ever counts to, and half of the largest safe integer of JavaScript. */
const MAX = 2 ** 52;
const VALID = `BETWEEN 1 AND ${MAX}`;

/** Corrects wrong numbers in a file that was damaged or changed by hand: one bad row must not stop every process. */
export const REPAIRS: readonly string[] = [
  // After all others: their keys stay known, their messages are handled.
  `UPDATE message SET seq = corrected FROM (
     SELECT seq AS wrong,
       (SELECT coalesce(MAX(seq), 0) FROM message WHERE seq ${VALID}) + row_number() OVER (ORDER BY seq) AS corrected
     FROM message WHERE seq NOT ${VALID}
   ) WHERE seq = wrong`,
  `UPDATE sqlite_sequence SET seq = (SELECT coalesce(MAX(seq), 0) FROM message)
   WHERE name = 'message' AND seq NOT BETWEEN 0 AND ${MAX}`,
  `DELETE FROM process WHERE id NOT ${VALID}`,
  `UPDATE process SET until = 0 WHERE until NOT BETWEEN 0 AND ${MAX}`,
  // A message with an unknown state or an unknown owner would never be taken, and would block its source.
  `UPDATE message SET state = ${STATE.behind}, owner = NULL
   WHERE state < ${STATE.waiting} OR state > ${STATE.unreadable}
     OR (${TAKEN} AND (owner IS NULL OR owner NOT IN (SELECT id FROM process)))`,
  PROMOTE_ALL,
];

/** In a damaged file, a number may be any: `Date` and some drivers throw at those that are too large. */
const instant = (sql: string): string => `min(max(${sql}, 0), 8640000000000000)`;
const ATTEMPTS = "min(max(attempts, 0), 1000000)";
/** The columns that `messageOf` reads. */
const MESSAGE = "CAST(key AS BLOB) AS key, CAST(source AS BLOB) AS source, CAST(body AS BLOB) AS body";
const REASON = "CAST(reason AS BLOB) AS reason";

/** The values of a parameter, which is an array as JSON. */
const VALUES = "(SELECT value FROM json_each(?))";
const KEEP_KEYS = "INSERT OR REPLACE INTO done (key, at) SELECT key, ? FROM message";
const OF_OWNER = `WHERE ${TAKEN} AND owner = ?`;
/** The state of a message that is handled again. */
const LINED_UP = (source: string): string =>
  `CASE WHEN ${HAS_HEAD(source)} THEN ${STATE.behind} ELSE ${STATE.waiting} END`;
/** The messages of a source, which is given twice: each half is found by its index. */
const OF_SOURCE = `seq IN (SELECT seq FROM message WHERE source = ? AND ${HEAD}
  UNION ALL SELECT seq FROM message WHERE source = ? AND ${REST})`;

/** The statements on the tables. Each is prepared when it is first used. */
export const SQL = {
  // A message arrives.
  liveSources: `SELECT value AS source FROM (SELECT DISTINCT value FROM json_each(?))
                WHERE ${HAS_HEAD("value")}`,
  // The values are returned, not the columns: those may be damaged, and libsql ends the process at a wrong text.
  known: `SELECT value AS key, seq, ${ASIDE} AS revivable
          FROM json_each(?) CROSS JOIN message ON message.key = value
          UNION ALL SELECT value, NULL, FALSE FROM json_each(?) CROSS JOIN done ON done.key = value AND at >= ?`,
  insert: "INSERT INTO message (key, source, body, state, attempts, at, owner) VALUES (?, ?, ?, ?, ?, ?, ?)",
  // A dead letter keeps its body: the message as it came first. An unreadable row gets the new one.
  revive: `UPDATE message SET at = ?, attempts = 0, reason = NULL, source = ?,
             body = CASE state WHEN ${STATE.dead} THEN body ELSE ? END, state = ${LINED_UP("?")}
           WHERE seq = ? AND ${ASIDE}`,

  // A process takes messages.
  due: `SELECT seq, ${MESSAGE}, ${ATTEMPTS} + 1 AS attempts FROM message
        WHERE state = ${STATE.waiting} AND at <= ? ORDER BY at, seq LIMIT ?`,
  nextDue: `SELECT ${instant("MIN(at)")} AS due FROM message WHERE state = ${STATE.waiting}`,
  start: `UPDATE message SET state = ${STATE.running}, attempts = ${ATTEMPTS} + 1, at = ?, owner = ?
          WHERE seq IN ${VALUES}`,
  hold: `UPDATE message SET state = ${STATE.held}, owner = ? WHERE seq IN ${VALUES}`,
  setAside: `UPDATE message SET state = ${STATE.unreadable}, at = ? WHERE seq IN ${VALUES}`,
  // Without forgotten messages.
  startable: `SELECT seq FROM message ${OF_OWNER} AND body IS NOT NULL`,

  // A message ends. Each of these changes only messages that the owner still has.
  keepKeys: `${KEEP_KEYS} WHERE owner = ? AND seq IN ${VALUES}`,
  remove: `DELETE FROM message WHERE owner = ? AND seq IN ${VALUES}`,
  requeue: `UPDATE message SET state = ${STATE.waiting}, at = ?, attempts = ?, owner = NULL
            WHERE owner = ? AND seq = ? AND body IS NOT NULL`,
  // One that was held keeps its place.
  release: `UPDATE message SET at = min(?, iif(state = ${STATE.held}, at, ${MAX})),
              state = ${STATE.waiting}, attempts = ?, owner = NULL
            WHERE owner = ? AND seq = ? AND body IS NOT NULL`,
  bury: `UPDATE message SET state = ${STATE.dead}, at = ?, attempts = ?, reason = ?, owner = NULL
         WHERE owner = ? AND seq = ? AND body IS NOT NULL`,
  anyBehind: `SELECT EXISTS (SELECT 1 FROM message WHERE state = ${STATE.behind}) AS any`,
  // At the end of the line: by their arrival, messages of a few sources with a backlog would all go before those of
  // others. Unless the source still has a head: the ended one was no longer the owner's.
  promote: `UPDATE message SET state = ${STATE.waiting}, at = ? WHERE seq IN (
              SELECT ${FIRST_BEHIND("value")} FROM json_each(?) WHERE NOT ${HAS_HEAD("value")})`,
  promoteAll: PROMOTE_ALL,
  // By the order of the keys: an index of the times would cost more than a third of the file, and a page of its own for
  // each key that is kept or removed.
  keysAfter: `SELECT COUNT(*) AS count, CAST(MAX(key) AS BLOB) AS last
              FROM (SELECT key FROM done WHERE key > ? ORDER BY key LIMIT ?)`,
  prune: "DELETE FROM done WHERE key > ? AND key <= ? AND at < ?",

  // A process was dead, or does not know what it has; the clock was set back.
  ofOwner: `SELECT seq, ${MESSAGE}, ${ATTEMPTS} AS attempts, state FROM message ${OF_OWNER}`,
  releaseUnknown: `UPDATE message SET attempts = ${ATTEMPTS} - (state = ${STATE.running}),
                     state = ${STATE.waiting}, at = ?, owner = NULL
                   ${OF_OWNER} AND seq NOT IN ${VALUES}`,
  // A retry may be due that late, but not later.
  clamp: `UPDATE message SET at = ? WHERE state = ${STATE.waiting} AND at > ? + ? * (1 << min(attempts, 30))`,

  // The leases of processes.
  addProcess: "INSERT INTO process (id, until) VALUES (?, ?)",
  renew: "UPDATE process SET until = ? WHERE id = ?",
  expired: "SELECT id, until FROM process WHERE until < ? AND id <> ?",
  nextLeaseEnd: "SELECT MIN(until) AS until FROM process WHERE id <> ?",
  removeProcess: "DELETE FROM process WHERE id = ?",
  shorten: "UPDATE process SET until = ? WHERE until > ?",
  // Changes with every commit through another handle.
  dataVersion: "PRAGMA data_version",

  // An operator reads.
  stats: `SELECT (SELECT COUNT(*) FROM message WHERE state = ${STATE.waiting} AND at <= ?)
             + (SELECT COUNT(*) FROM message WHERE state IN (${STATE.behind}, ${STATE.held})) AS waiting,
            (SELECT COUNT(*) FROM message WHERE state = ${STATE.running}) AS running,
            (SELECT COUNT(*) FROM message WHERE state = ${STATE.waiting} AND at > ?) AS delayed,
            (SELECT COUNT(*) FROM message WHERE state = ${STATE.dead}) AS dead,
            (SELECT ${instant("MIN(at)")} FROM message WHERE state = ${STATE.waiting}) AS oldestDue,
            (SELECT ${instant("MIN(at)")} FROM message WHERE state = ${STATE.behind}) AS oldestBehind,
            (SELECT ${instant("MIN(at)")} FROM message WHERE state = ${STATE.held}) AS oldestHeld`,
  // In order of arrival: the place of a page does not change when the page before is replayed.
  letters: `SELECT seq, ${MESSAGE}, ${ATTEMPTS} AS attempts, ${instant("at")} AS at, ${REASON}
            FROM message INDEXED BY message_state
            WHERE state = ${STATE.dead} AND seq > ? ORDER BY seq LIMIT ?`,
  seqOf: "SELECT seq FROM message WHERE key = ?",
  one: `SELECT ${MESSAGE}, ${ATTEMPTS} AS attempts, state, ${instant("at")} AS at, ${REASON} FROM message WHERE seq = ?`,
  oldestDead: `SELECT seq FROM message WHERE state = ${STATE.dead} AND at <= ? ORDER BY at, seq LIMIT ?`,
  countOf: `SELECT COUNT(*) AS messages FROM message
            WHERE ${OF_SOURCE} AND (state <> ${STATE.running} OR body IS NOT NULL)`,

  // An operator changes.
  replay: `UPDATE message SET at = ?, attempts = 0, reason = NULL, state = ${LINED_UP("message.source")}
           WHERE seq = ? AND state = ${STATE.dead}`,
  keepKeyOfDead: `${KEEP_KEYS} WHERE seq = ? AND state = ${STATE.dead}`,
  discard: `DELETE FROM message WHERE seq = ? AND state = ${STATE.dead}`,
  keepKeysOf: `${KEEP_KEYS} WHERE ${OF_SOURCE} AND state <> ${STATE.running}`,
  forget: `DELETE FROM message WHERE ${OF_SOURCE} AND state <> ${STATE.running}`,
  // The source stays until the message has ended, to keep the order.
  forgetRunning: `UPDATE message SET body = NULL
                  WHERE source = ? AND ${HEAD} AND state = ${STATE.running} AND body IS NOT NULL`,
} as const;
