// The inbox in an SQLite file: its options and its methods.

import { invalidOption } from "../../base/errors.js";
import { readInboxOptions, type InboxOptions } from "../inbox-options.js";
import type { OperableInbox } from "../operable-inbox.js";
import { openDatabase } from "./database.js";
import type { SqliteDatabase } from "./driver.js";
import { InboxFile } from "./file.js";
import { Keys } from "./keys.js";
import { Ledger } from "./ledger.js";
import { Operator } from "./operator.js";
import { Processes } from "./processes.js";
import { Upkeep } from "./upkeep.js";
import { Worker } from "./worker.js";

/** The options of `sqliteInbox`. */
export interface SqliteInboxOptions extends InboxOptions {
  /**
   * An open database of `node:sqlite` (Node 22.13 or later), `better-sqlite3` or `libsql`. Its file must be the inbox's
   * own, or new. Close the database yourself, after `sms.close()`.
   */
  readonly database: SqliteDatabase;
  /**
   * The inbox's name, which is stored in the file. If a router with another name opens the file by mistake,
   * `sqliteInbox` throws. Default: `"express-kaleyra-sms"`.
   */
  readonly name?: string | undefined;
}

const FACTORY = "sqliteInbox";
const DEFAULT_NAME = "express-kaleyra-sms";

/**
 * Keeps messages in an SQLite file, for one or several processes on one machine. The messages of one source are handled
 * in order of arrival, across processes and retries.
 *
 * @throws TypeError if the database is in memory, read-only, in a transaction, has other tables, or belongs to an inbox
 * of another name
 * @throws TypeError if an option is unknown or has a wrong value
 * @example
 * import { DatabaseSync } from "node:sqlite";
 * import { sqliteInbox } from "express-kaleyra-sms/sqlite";
 *
 * const inbox = sqliteInbox({ database: new DatabaseSync("inbox.db") });
 * const sms = incomingSms({ inbox });
 */
export function sqliteInbox(options: SqliteInboxOptions): OperableInbox {
  const settings = readInboxOptions(FACTORY, options, ["database", "name"]);
  const { database, name = DEFAULT_NAME } = options;
  if (typeof name !== "string" || name === "" || !name.isWellFormed())
    throw invalidOption(`options.name of ${FACTORY} takes the name of the inbox: a string, not empty.`);
  const file = new InboxFile(openDatabase(database, name));
  const keys = new Keys(database);
  const processes = new Processes(database, settings.leaseMs);
  const worker = new Worker(database, new Ledger(database, keys), processes, file, settings);

  const operator = new Operator(database, file, new Upkeep(database, keys), worker);

  const close = async (): Promise<void> => {
    try {
      await worker.close();
    } finally {
      await operator.close();
    }
  };

  let closing: Promise<void> | undefined;

  return {
    store: (message, signal) => worker.store(message, signal),
    start: (work) => worker.start(work),
    close: () => (closing ??= close()),
    stats: () => operator.stats(),
    deadLetters: (page) => operator.deadLetters(page),
    get: (key) => operator.get(key),
    replay: (key) => operator.replay(key),
    replayAll: () => operator.replayAll(),
    discard: (key) => operator.discard(key),
    forget: (source) => operator.forget(source),
  };
}
