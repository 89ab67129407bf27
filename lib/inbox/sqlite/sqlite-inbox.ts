// The inbox in an SQLite file: its options and its methods.

import { setImmediate, setTimeout } from "node:timers/promises";

import { codedError, invalidOption } from "../../base/errors.js";
import { readLimit, readInboxOptions, requireString, type InboxOptions } from "../inbox-options.js";
import type { InboxWork } from "../inbox.js";
import type { DeadLetter, InboxStats, OperableInbox } from "../operable-inbox.js";
import { openDatabase } from "./database.js";
import { isBusy, row, transaction, type SqliteDatabase } from "./driver.js";
import { InboxFile } from "./file.js";
import { Keys } from "./keys.js";
import { Ledger } from "./ledger.js";
import { Processes } from "./processes.js";
import { currentTime } from "./rows.js";
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

/** How long `replay` and `forget` wait while another process locks the file, in milliseconds. */
const LOCK_TIMEOUT_MS = 5_000;
const RETRY_MS = 10;
/** How long closing tries to empty the file's log, in milliseconds. */
const CLOSING_MS = 1_000;
/** How many dead letters are replayed in one transaction. */
const REPLAY_BATCH = 500;

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
  const upkeep = new Upkeep(database, keys);
  const processes = new Processes(database, settings.leaseMs);
  const worker = new Worker(database, new Ledger(database, keys), processes, file, settings);

  /** Runs the steps in a transaction. Retries while another process locks the file. */
  const write = async <Result>(steps: () => Result): Promise<Result> => {
    const end = performance.now() + LOCK_TIMEOUT_MS;
    for (;;) {
      try {
        return transaction(database, steps);
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error;
        await setTimeout(RETRY_MS);
      }
    }
  };

  /**
   * Empties the file's log, which still contains the erased texts.
   *
   * @returns `false` if another process still reads the log after `timeoutMs`
   */
  const emptyLog = async (timeoutMs: number): Promise<boolean> => {
    const end = performance.now() + timeoutMs;
    const truncate = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    while (Number(row(truncate.get()).busy) !== 0) {
      if (performance.now() > end) return false;
      await setTimeout(RETRY_MS);
    }
    return true;
  };

  const close = async (): Promise<void> => {
    await worker.close();
    // Best effort: the file may be gone, or another process reads the log and will empty it.
    await emptyLog(CLOSING_MS).catch(() => false);
  };

  let closing: Promise<void> | undefined;

  return {
    store: (message, signal) => worker.store(message, signal),
    start: (work: InboxWork) => worker.start(work),
    close: () => (closing ??= close()),
    // Async, so that an error of the database is a rejection.
    stats: async (): Promise<InboxStats> => Promise.resolve(upkeep.stats(currentTime())),
    deadLetters: async (page = {}): Promise<DeadLetter[]> =>
      Promise.resolve(
        upkeep.deadLetters(
          readLimit(page.limit),
          page.after === undefined ? undefined : requireString("deadLetters({ after })", page.after),
        ),
      ),
    replay: async (key) => {
      requireString("replay(key)", key);
      let replayed = 0;
      if (key !== "all") replayed = Number(await write(() => upkeep.replay(key, currentTime())));
      else {
        const startedAt = currentTime();
        let count;
        do {
          replayed += count = await write(() => upkeep.replaySome(REPLAY_BATCH, startedAt, currentTime()));
          await setImmediate();
        } while (count === REPLAY_BATCH);
      }
      worker.wake();
      return replayed;
    },
    forget: async (source) => {
      requireString("forget(source)", source);
      const forgotten = await write(() => upkeep.forget(source, currentTime()));
      worker.forget(source);
      if (!(await emptyLog(LOCK_TIMEOUT_MS))) throw logInUse();
      return forgotten;
    },
  };
}

function logInUse(): Error {
  return codedError("KALEYRA_SMS_INBOX_BUSY", {
    message:
      "The messages are erased, but the file's log still holds their texts, since another program reads it. " +
      "Call forget again when that program has finished.",
  });
}
