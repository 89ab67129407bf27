// An inbox in an SQLite file.

import { setImmediate, setTimeout } from "node:timers/promises";

import { codedError, invalidOption } from "../../base/errors.js";
import { readLimit, readInboxOptions, requireString, type InboxOptions } from "../inbox-options.js";
import type { DeadLetter, Inbox, InboxStats, InboxWork } from "../inbox.js";
import { openDatabase } from "./database.js";
import { isBusy, row, transaction, type SqliteDatabase } from "./driver.js";
import { InboxFile } from "./file.js";
import { Keys } from "./keys.js";
import { Ledger } from "./ledger.js";
import { Processes } from "./processes.js";
import { present } from "./rows.js";
import { Upkeep } from "./upkeep.js";
import { Worker } from "./worker.js";

/** The options of `sqliteInbox`. */
export interface SqliteInboxOptions extends InboxOptions {
  /**
   * An open database of `node:sqlite` (Node 22.13 or later), `better-sqlite3` or `libsql`, in a file of the inbox's own, which is made
   * where there is none. It is yours to close, after `sms.close()`.
   */
  readonly database: SqliteDatabase;
  /**
   * The inbox's name, which its file keeps: a second router that is given the file by mistake, with a name of its own, is refused. Default:
   * `"express-kaleyra-sms"`.
   */
  readonly name?: string | undefined;
}

const FACTORY = "sqliteInbox";
const DEFAULT_NAME = "express-kaleyra-sms";

/** For how long an operation tries to get at a file that another process holds, and how often, in milliseconds. */
const PATIENCE_MS = 5_000;
const AGAIN_MS = 10;
/** For how long closing tries to empty the file's log, in milliseconds. */
const CLOSING_MS = 1_000;
/** Dead letters that are replayed in one transaction. */
const REPLAYED = 500;

/**
 * Keeps messages in an SQLite file: one machine, one process or several. Messages of one source are handled in the order in which they came,
 * whichever process handles them and however often they are tried.
 *
 * @throws TypeError where the database is in memory, read-only, in a transaction, has other tables, or is that of an inbox of another name, or where
 * an option takes another value
 * @example
 * import { DatabaseSync } from "node:sqlite";
 * import { sqliteInbox } from "express-kaleyra-sms/sqlite";
 *
 * const inbox = sqliteInbox({ database: new DatabaseSync("inbox.db") });
 * const sms = incomingSms({ inbox });
 */
export function sqliteInbox(options: SqliteInboxOptions): Inbox {
  const settings = readInboxOptions(FACTORY, options, ["database", "name"]);
  const { database, name = DEFAULT_NAME } = options;
  if (typeof name !== "string" || name === "" || !name.isWellFormed())
    throw invalidOption(`options.name of ${FACTORY} takes the name of the inbox: a string, not empty.`);
  const file = new InboxFile(openDatabase(database, name));
  const keys = new Keys(database);
  const upkeep = new Upkeep(database, keys);
  const processes = new Processes(database, settings.leaseMs);
  const worker = new Worker(database, new Ledger(database, keys), processes, file, settings);

  /** Runs the steps in a transaction, as soon as no other process holds the file. */
  const write = async <Result>(steps: () => Result): Promise<Result> => {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return transaction(database, steps);
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error;
        await setTimeout(AGAIN_MS);
      }
    }
  };

  /**
   * What was erased still stands in the log, until that begins anew.
   *
   * @returns `false` where another process still reads it when the time is over
   */
  const emptyLog = async (patienceMs: number): Promise<boolean> => {
    const end = performance.now() + patienceMs;
    const truncate = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    while (Number(row(truncate.get()).busy) !== 0) {
      if (performance.now() > end) return false;
      await setTimeout(AGAIN_MS);
    }
    return true;
  };

  const close = async (): Promise<void> => {
    await worker.close();
    // As far as it can be done: the file may be gone, or read by another process, which then empties it.
    await emptyLog(CLOSING_MS).catch(() => false);
  };

  let closing: Promise<void> | undefined;

  return {
    store: (message, deadline) => worker.store(message, deadline),
    start: (work: InboxWork) => worker.start(work),
    close: () => (closing ??= close()),
    // Async, so that what the database throws is a rejection.
    stats: async (): Promise<InboxStats> => Promise.resolve(upkeep.stats(present())),
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
      if (key !== "all") replayed = Number(await write(() => upkeep.replay(key, present())));
      else {
        const begun = present();
        let some;
        do {
          replayed += some = await write(() => upkeep.replaySome(REPLAYED, begun, present()));
          await setImmediate();
        } while (some === REPLAYED);
      }
      worker.wake();
      return replayed;
    },
    forget: async (source) => {
      requireString("forget(source)", source);
      const forgotten = await write(() => upkeep.forget(source, present()));
      worker.forget(source);
      if (!(await emptyLog(PATIENCE_MS))) throw stillRead();
      return forgotten;
    },
  };
}

function stillRead(): Error {
  return codedError("KALEYRA_SMS_INBOX_BUSY", {
    message:
      "The messages are erased, but the file's log still holds their texts, since another program reads it. Call forget again when that program has finished.",
  });
}
