// Bounds the file's log. SQLite cannot empty it while another program reads an older state of the file: a backup, or a
// forgotten shell in a transaction. The log would grow until the disk is full.

import { statfsSync } from "node:fs";

import { codedError } from "../../base/errors.js";
import { isBusy, row, type SqliteDatabase } from "./driver.js";
import type { InboxFile } from "./file.js";
import { FILE } from "./sql.js";

/**
 * The longest log with which new messages are stored, in bytes. Long enough for a backup: docs/limits.md says how fast a
 * log grows. Emptying such a log takes one to two seconds.
 */
const MAX_BYTES = 1_073_741_824;
/** A log that is always allowed, in bytes, however little is left on the disk: more than SQLite lets it grow by itself. */
const MIN_BYTES = 8_388_608;
/** How long another process may keep the log from being emptied before messages are rejected, in milliseconds. */
const PATIENCE_MS = 1_000;
/** How much longer than its limit the log may become within that time: two processes can fill a small disk. */
const MAX_EXCESS = 1.5;

export class LogLimit {
  readonly #database: SqliteDatabase;
  readonly #file: InboxFile;
  /** When the log was first found to be too long. By the monotonic clock. */
  #since: number | undefined;
  /** Whether no new message may be stored. */
  isReached = false;
  /** Whether no stored message may be taken, either: only the outcomes of those that run are written. */
  isExceeded = false;

  constructor(database: SqliteDatabase, file: InboxFile) {
    this.#database = database;
    this.#file = file;
  }

  /**
   * To be called before each round. Empties a log that is too long, if nobody reads it.
   *
   * @throws Error if the file is lost
   */
  look(): void {
    const bytes = this.#file.logBytes();
    const limit = bytes > MIN_BYTES ? this.#limit() : MIN_BYTES;
    const now = performance.now();
    this.#since = bytes <= limit || emptyLog(this.#database) ? undefined : (this.#since ?? now);
    this.isReached = this.#since !== undefined && (now - this.#since >= PATIENCE_MS || bytes > MAX_EXCESS * limit);
    this.isExceeded = this.isReached && bytes > 2 * limit;
  }

  error(): Error {
    const { path } = this.#file;
    return codedError("KALEYRA_SMS_INBOX_BUSY", {
      message:
        `The log of the inbox's file (${path}-wal) is full, since another program reads the file: for instance a backup, ` +
        "or a shell in a transaction. Callbacks are answered 503 until it has finished: wait for it, or end it.",
    });
  }

  /** At most what is left on the disk: when the log is emptied, the file may grow by its length. */
  #limit(): number {
    this.#file.assertSame();
    return Math.min(MAX_BYTES, Math.max(MIN_BYTES, freeBytes(this.#file.path)));
  }
}

/** What is left on the disk of a file, in bytes; `Infinity` if the system does not say it. */
function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

/** Empties the log. @returns `false` if another process reads it, or writes at this moment */
export function emptyLog(database: SqliteDatabase): boolean {
  try {
    return Number(row(database.prepare(FILE.emptyLog).get()).busy) === 0;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}
