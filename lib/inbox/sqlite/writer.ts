// Writes rounds to the file, and knows what other processes do with it.

import type { InboxSettings } from "../inbox-options.js";
import type { Lease } from "../rounds/engine.js";
import type { Batch, BatchResult } from "./batch.js";
import { transaction, type SqliteDatabase } from "./driver.js";
import type { InboxFile } from "./file.js";
import { Ledger } from "./ledger.js";
import { LogLimit } from "./log.js";
import { Processes } from "./processes.js";
import { writeRound, type Result, type Todo } from "./round.js";
import { currentTime } from "./rows.js";
import type { Statements } from "./statements.js";
import { Watch } from "./watch.js";

/** How often some of the keys kept for `retentionMs` are removed at least, in milliseconds. */
const PRUNE_MS = 1_000;
/** How many keys are looked at each time at least, which takes some two milliseconds if all of them are removed. */
const PRUNE_BATCH = 4_096;
/** How many keys are looked at for each message that ends: most of them must stay. */
const PRUNE_FOR_EACH = 4;

export class Writer {
  readonly #database: SqliteDatabase;
  readonly #ledger: Ledger;
  readonly #processes: Processes;
  readonly #file: InboxFile;
  readonly #settings: InboxSettings;
  readonly #watch: Watch;
  readonly #log: LogLimit;
  #lease: Lease;
  /** When keys were last looked at. By the monotonic clock. */
  #prunedAt = -Infinity;
  /** How many messages have ended since then. */
  #endedSince = 0;
  /** Whether keys were removed then: there are probably more. */
  #hasPruned = false;

  /** @param lease - of an earlier writer of this process, which may have written it */
  constructor(
    database: SqliteDatabase,
    statements: Statements,
    file: InboxFile,
    settings: InboxSettings,
    lease: Lease,
  ) {
    this.#database = database;
    this.#ledger = new Ledger(statements);
    this.#processes = new Processes(statements, settings.leaseMs);
    this.#file = file;
    this.#settings = settings;
    this.#lease = lease;
    this.#log = new LogLimit(database, file);
    this.#watch = new Watch(statements, settings.leaseMs);
  }

  write(round: Batch): BatchResult {
    this.#log.look();
    const { isReached, isExceeded } = this.#log;
    const refused = isReached && round.arrivals.length > 0 ? { refused: this.#log.error() } : {};
    const failure = isExceeded ? { failure: this.#log.error() } : {};
    const arrivals = isReached ? [] : round.arrivals;
    const isTaking = round.isTaking && !isExceeded;
    const [free, spare] = isTaking ? [round.free, round.spare] : [0, 0];
    if (round.isWoken) this.#watch.due = 0;
    if (isTaking) this.#watch.look(this.#lease.owner);
    const todo = this.#todo({ ...round, arrivals, isTaking, free, spare }, currentTime());
    const result = todo === undefined ? undefined : this.#commit(todo);
    return {
      stored: result?.stored.map(({ as }) => (as === "duplicate" ? as : "stored")) ?? [],
      entries: result?.entries ?? [],
      deadLetters: result?.deadLetters ?? [],
      hasUnreadable: result?.hasUnreadable ?? false,
      lease: this.#lease,
      // While nothing may be taken, nothing is due.
      due: isExceeded ? Infinity : this.#watch.due,
      ...refused,
      ...failure,
    };
  }

  /** @returns those of the taken rows that may not be started any more: forgotten, or taken over */
  gone(seqs: readonly number[]): readonly number[] {
    if (!this.#watch.hasChanged()) return [];
    const startable = this.#ledger.startable(this.#lease.owner);
    return seqs.filter((seq) => !startable.has(seq));
  }

  /** `undefined` if there is nothing to write. */
  #todo(round: Batch, now: number): Todo | undefined {
    const { due, suspects, isClockSetBack } = this.#watch;
    const { arrivals, ended, started, known, isUncertain, isTaking, free, spare } = round;
    const hasMessages = known.length > 0;
    const isLeaseOld = hasMessages && this.#processes.isOld(this.#lease, now);
    const isInspection = this.#watch.isInspectionDue(now);
    const hasNews = arrivals.length + ended.length + started.length > 0;
    const isDue = due <= now && free > 0;
    const pruneLimit = this.#pruneLimit();
    const isPruning = isTaking && this.#hasPruned && pruneLimit > 0;
    if (!hasNews && !isLeaseOld && !isInspection && !isUncertain && !isClockSetBack && !isDue && !isPruning)
      return undefined;
    return {
      arrivals,
      ended,
      started,
      lease: this.#lease,
      known: isUncertain ? known : undefined,
      hasMessages,
      free,
      spare,
      due,
      isClockSetBack,
      isInspection,
      suspects,
      pruneLimit,
    };
  }

  /** In small steps, so that no round takes much longer than others: at high rates, several each second. */
  #pruneLimit(): number {
    const limit = PRUNE_FOR_EACH * this.#endedSince;
    const isDue = limit >= PRUNE_BATCH || performance.now() - this.#prunedAt >= PRUNE_MS;
    return isDue ? Math.max(PRUNE_BATCH, limit) : 0;
  }

  #commit(todo: Todo): Result {
    const deps = { ledger: this.#ledger, processes: this.#processes };
    const isPruning = todo.pruneLimit > 0;
    // Also if this round fails: one with nothing else to do need not be tried again.
    if (isPruning) this.#hasPruned = false;
    // Also before the transaction: one in a lost file would be lost, and could hide the loss from the check after it.
    this.#file.assertSame();
    // By the clock as of the lock: this process may have been frozen until now, and its lease may have ended.
    const result = transaction(this.#database, () => writeRound(deps, this.#settings, todo, currentTime()));
    this.#file.assertSame();
    this.#watch.committed(result.due, result.suspects);
    if (isPruning) {
      this.#prunedAt = performance.now();
      this.#endedSince = 0;
      this.#hasPruned = result.hasPruned;
    }
    this.#endedSince += todo.ended.length;
    this.#lease = result.lease;
    return result;
  }
}
