// What an operator calls: each method rejects if the file is lost, closed, or locked for too long.

import { setImmediate, setTimeout } from "node:timers/promises";

import { codedError } from "../../base/errors.js";
import type { InboxStats } from "../inbox.js";
import type { DeadLetter, KeptMessage } from "../operable-inbox.js";
import type { Changes, Operations } from "./backend.js";
import { isBusy, row, transaction, type SqliteDatabase } from "./driver.js";
import type { InboxFile } from "./file.js";
import { emptyLog } from "./log.js";
import { currentTime } from "./rows.js";
import { FILE } from "./sql.js";
import type { Upkeep } from "./upkeep.js";

/** How long a method that writes waits while another process locks the file, in milliseconds. */
const LOCK_TIMEOUT_MS = 5_000;
const RETRY_MS = 10;
/** How long closing tries to empty the file's log, in milliseconds. */
const CLOSING_MS = 1_000;
/** How many dead letters are replayed in one transaction. */
const REPLAY_BATCH = 500;

export class Operator implements Operations {
  readonly #database: SqliteDatabase;
  readonly #file: InboxFile;
  readonly #upkeep: Upkeep;
  readonly #changes: Changes;
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(database: SqliteDatabase, file: InboxFile, upkeep: Upkeep, changes: Changes) {
    this.#database = database;
    this.#file = file;
    this.#upkeep = upkeep;
    this.#changes = changes;
  }

  async stats(): Promise<InboxStats> {
    return this.#run(() => this.#upkeep.stats(currentTime()));
  }

  async deadLetters(limit: number, after: string | undefined): Promise<DeadLetter[]> {
    return this.#run(() => this.#upkeep.deadLetters(limit, after));
  }

  async get(key: string): Promise<KeptMessage | undefined> {
    return this.#run(() => this.#upkeep.get(key, currentTime()));
  }

  async replay(key: string): Promise<number> {
    return this.#run(async () => {
      const isReplayed = await this.#write(() => this.#upkeep.replay(key, currentTime()));
      this.#changes.wake();
      return Number(isReplayed);
    });
  }

  async replayAll(): Promise<number> {
    return this.#run(async () => {
      const startedAt = currentTime();
      let replayed = 0;
      let count;
      do {
        count = await this.#write(() => this.#upkeep.replaySome(REPLAY_BATCH, startedAt, currentTime()));
        replayed += count;
        this.#changes.wake();
        await setImmediate();
      } while (count === REPLAY_BATCH);
      return replayed;
    });
  }

  async discard(key: string): Promise<number> {
    return this.#run(async () => Number(await this.#write(() => this.#upkeep.discard(key, currentTime()))));
  }

  async forget(source: string): Promise<number> {
    return this.#run(async () => {
      const forgotten = await this.#write(() => this.#upkeep.forget(source, currentTime()));
      this.#changes.forget(source);
      if (!(await this.#emptyLog(LOCK_TIMEOUT_MS))) throw logInUse();
      return forgotten;
    });
  }

  async countOf(source: string): Promise<number> {
    return this.#run(() => this.#upkeep.countOf(source));
  }

  /** Waits for the methods that run, and empties the log if nothing prevents it. Does not reject. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running);
    // The file may be gone, or another process reads the log and will empty it.
    await this.#emptyLog(CLOSING_MS).catch(() => false);
  }

  async #run<Result>(operation: () => Result | Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
    this.#file.assertSame();
    this.#file.assertLog(() => Number(row(this.#database.prepare(FILE.copyLog).get()).log));
    const running = Promise.resolve(operation());
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Runs the steps in a transaction. Retries while another process locks the file. */
  async #write<Result>(steps: () => Result): Promise<Result> {
    const end = performance.now() + LOCK_TIMEOUT_MS;
    for (;;) {
      try {
        this.#file.assertSame();
        const result = transaction(this.#database, steps);
        this.#file.assertSame();
        return result;
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error;
        await setTimeout(RETRY_MS);
      }
    }
  }

  /**
   * Empties the file's log, which still contains the erased texts.
   *
   * @returns `false` if another process still reads the log after `timeoutMs`
   */
  async #emptyLog(timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs;
    while (!emptyLog(this.#database)) {
      if (performance.now() > end) return false;
      await setTimeout(RETRY_MS);
    }
    return true;
  }
}

function logInUse(): Error {
  return codedError("KALEYRA_SMS_INBOX_BUSY", {
    message:
      "The messages are erased, but the file's log still holds their texts, since another program reads it. " +
      "Call forget again when that program has finished.",
  });
}
