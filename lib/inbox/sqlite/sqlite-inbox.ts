// The inbox in an SQLite file: opens the file, and joins the parts.

import { existsSync } from "node:fs";

import { invalidOption } from "../../base/errors.js";
import type { InspectedInbox, OperableInbox } from "../operable-inbox.js";
import { RoundWorker } from "../rounds/worker.js";
import { openDatabase } from "./database.js";
import type { SqliteDatabase } from "./driver.js";
import { openFile } from "./drivers.js";
import { SqliteEngine } from "./engine.js";
import { InboxFile } from "./file.js";
import { Keys } from "./keys.js";
import { Ledger } from "./ledger.js";
import { assertFree, markOpen } from "./open-files.js";
import { Operator } from "./operator.js";
import { Processes } from "./processes.js";
import { readSqliteOptions, type SqliteInboxOptions, type SqliteInboxSettings } from "./sqlite-options.js";
import { Upkeep } from "./upkeep.js";

/**
 * Keeps messages in an SQLite file, for one or several processes on one machine. The messages of one source are handled
 * in order of arrival, across processes and retries.
 *
 * @throws TypeError if the file is in memory, read-only or in a transaction, is mounted without its folder, has other
 * tables, belongs to an inbox of another name, or has an inbox in this process already
 * @throws TypeError if no driver is installed
 * @throws TypeError if an option is unknown or has a wrong value
 * @example
 * import { sqliteInbox } from "express-kaleyra-sms/sqlite";
 *
 * const inbox = sqliteInbox({ file: "inbox.db" });
 * const sms = incomingSms({ inbox });
 */
export function sqliteInbox(options: SqliteInboxOptions): OperableInbox {
  return opened(readSqliteOptions(options), true).inbox;
}

/** Opens the file of an inbox that is there already. @throws TypeError as `sqliteInbox`, and if it is not there */
export function existingSqliteInbox(options: SqliteInboxOptions): InspectedInbox {
  const settings = readSqliteOptions(options);
  if ("file" in settings.place && !existsSync(settings.place.file))
    throw invalidOption("options.file of sqliteInbox takes the file of an inbox: it does not exist.");
  const { inbox, operator } = opened(settings, false);
  // The file keeps the name: under another one, it is not opened.
  return { ...inbox, countOf: (source) => operator.countOf(source), isUnused: () => Promise.resolve(false) };
}

interface Opened {
  readonly inbox: OperableInbox;
  readonly operator: Operator;
}

function opened(settings: SqliteInboxSettings, isNewAllowed: boolean): Opened {
  const { database, file, release } = openPlace(settings, isNewAllowed);
  const keys = new Keys(database);
  const processes = new Processes(database, settings.leaseMs);
  const engine = new SqliteEngine(database, new Ledger(database, keys), processes, file, settings);
  const worker = new RoundWorker(engine, settings.attempts);
  const operator = new Operator(database, file, new Upkeep(database, keys), worker);

  const close = async (): Promise<void> => {
    try {
      await worker.close();
    } finally {
      await operator.close();
      release();
    }
  };

  let closing: Promise<void> | undefined;

  const inbox: OperableInbox = {
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
    leaseMs: settings.leaseMs,
    isLocal: true,
  };
  return { inbox, operator };
}

interface Place {
  readonly database: SqliteDatabase;
  readonly file: InboxFile;
  /** Closes what was opened here, and lets the file be opened again. */
  readonly release: () => void;
}

function openPlace({ place, name }: SqliteInboxSettings, isNewAllowed: boolean): Place {
  if ("database" in place) return placeOf(place.database, openDatabase(place.database, name, "database", isNewAllowed));
  // Before it is opened: closing a second handle, perhaps of another driver, would release the locks of the first.
  assertFree(place.file);
  const database = openFile(place.file, place.driver);
  const close = (): void => void database.close();
  try {
    return placeOf(database, openDatabase(database, name, "file", isNewAllowed), close);
  } catch (error) {
    close();
    throw error;
  }
}

function placeOf(database: SqliteDatabase, path: string, close?: () => void): Place {
  const file = new InboxFile(path);
  const unmark = markOpen(path);
  const release = (): void => {
    file.close();
    unmark();
    close?.();
  };
  return { database, file, release };
}
