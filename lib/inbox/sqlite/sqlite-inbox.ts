// The inbox in an SQLite file: opens the file, and joins the parts.

import { existsSync } from "node:fs";

import { invalidOption } from "../../base/errors.js";
import { readLimit, requireString } from "../inbox-options.js";
import type { InspectedInbox, OperableInbox } from "../operable-inbox.js";
import { RoundWorker } from "../rounds/worker.js";
import type { Backend, Changes } from "./backend.js";
import { SqliteEngine } from "./engine.js";
import { LocalBackend } from "./local-backend.js";
import { markOpen } from "./open-files.js";
import { readSqliteOptions, type SqliteInboxOptions, type SqliteInboxSettings } from "./sqlite-options.js";
import { canRunThread, ThreadBackend } from "./thread/client.js";

/**
 * Keeps messages in an SQLite file, for one or several processes on one machine. The messages of one source are handled
 * in order of arrival, across processes and retries.
 *
 * @throws TypeError if the file is in memory, read-only or in a transaction, is mounted without its folder, has other
 * tables, belongs to an inbox of another name, or has an inbox in this process already
 * @throws TypeError if no driver is installed
 * @throws TypeError if an option is unknown or has a wrong value
 * @throws TypeError if it may not start a thread, under Node's permission model
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
  // For one call, a thread is not worth its start.
  const { inbox, backend } = opened({ ...settings, isThreaded: false }, false);
  return {
    ...inbox,
    countOf: async (source) => backend.operations.countOf(requireString("countOf(source)", source)),
    // The file keeps the name: under another one, it is not opened.
    isUnused: () => Promise.resolve(false),
  };
}

interface Opened {
  readonly inbox: OperableInbox;
  readonly backend: Backend;
}

function opened(settings: SqliteInboxSettings, isNewAllowed: boolean): Opened {
  const changes: Changes = { wake: () => worker.wake(), forget: (source) => worker.forget(source) };
  const { backend, unmark } = openBackend(settings, changes, isNewAllowed);
  const worker = new RoundWorker(new SqliteEngine(backend), settings);
  const { operations } = backend;

  const close = async (): Promise<void> => {
    backend.closing();
    try {
      await worker.close();
    } finally {
      await backend.close();
      unmark();
    }
  };

  let closing: Promise<void> | undefined;

  const inbox: OperableInbox = {
    store: (message, signal) => worker.store(message, signal),
    start: (work) => worker.start(work),
    close: () => (closing ??= close()),
    stats: () => operations.stats(),
    deadLetters: async ({ limit, after } = {}) => {
      if (after !== undefined) requireString("deadLetters({ after })", after);
      return operations.deadLetters(readLimit(limit), after);
    },
    get: async (key) => operations.get(requireString("get(key)", key)),
    replay: async (key) => operations.replay(requireString("replay(key)", key)),
    replayAll: () => operations.replayAll(),
    discard: async (key) => operations.discard(requireString("discard(key)", key)),
    forget: async (source) => operations.forget(requireString("forget(source)", source)),
    leaseMs: settings.leaseMs,
    isLocal: true,
  };
  return { inbox, backend };
}

/**
 * Opens the file in this process first, also if a thread is to use it: whatever is wrong with it is thrown here, with
 * the driver's own error, and a driver is loaded by the app's own loaders. Waiting for the thread instead, with
 * `Atomics.wait`, would block the event loop for as long as a thread takes to start.
 *
 * The process has closed its handle before the thread opens one: closing any descriptor of a file releases all locks
 * of the process on it, those of its threads included.
 */
function openBackend(
  settings: SqliteInboxSettings,
  changes: Changes,
  isNewAllowed: boolean,
): { readonly backend: Backend; readonly unmark: () => void } {
  const isThreaded = settings.isThreaded && canRunThread();
  const local = new LocalBackend(settings, changes, { isNewAllowed });
  if (isThreaded) local.release();
  const backend = isThreaded ? new ThreadBackend(settings, local.path, changes) : local;
  // Last: if no thread can be started, the file is free.
  return { backend, unmark: markOpen(local.path) };
}
