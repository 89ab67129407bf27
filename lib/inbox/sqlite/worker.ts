// Runs the inbox's rounds in this process: plans each round, writes it, and hands out the messages that it took.

import { AsyncResource } from "node:async_hooks";

import { codedError } from "../../base/errors.js";
import type { SmsMessage } from "../../callback/message.js";
import { phoneNumber } from "../../callback/phone-number.js";
import { Arrivals } from "../arrivals.js";
import type { InboxSettings } from "../inbox-options.js";
import type { InboxWork } from "../inbox.js";
import { atMostOncePerSecond } from "../at-most-once-per-second.js";
import { fileFailed, isBusy, transaction, type SqliteDatabase } from "./driver.js";
import type { InboxFile } from "./file.js";
import { Gathering } from "./gathering.js";
import { InFlight } from "./in-flight.js";
import type { Ledger } from "./ledger.js";
import { LogLimit } from "./log.js";
import type { Lease, Processes } from "./processes.js";
import { writeRound, type Todo, type Written } from "./round.js";
import { currentTime } from "./rows.js";
import { LOOK_MS, Watch } from "./watch.js";

/** The longest delay before a round is retried while another process locks the file, in milliseconds. */
const BUSY_MS = 5;
/** The longest delay before a round is retried after any other failure, in milliseconds. */
const MAX_RETRY_MS = 1_000;
/** How long another process may lock the file before that is reported, in milliseconds. */
const LOCKED_MS = 1_000;
/** How long closing tries to write the last outcomes, in milliseconds. After that, the messages stay leased. */
const CLOSING_MS = 2_000;
/** How often keys are removed that were kept for `retentionMs`, in milliseconds: many at once cost less each. */
const PRUNE_MS = 1_000;
/** How many messages a process holds at most, besides those that run. */
const MAX_HELD = 256;

export class Worker {
  readonly #database: SqliteDatabase;
  readonly #ledger: Ledger;
  readonly #processes: Processes;
  readonly #file: InboxFile;
  readonly #settings: InboxSettings;
  readonly #watch: Watch;
  readonly #log: LogLimit;
  readonly #arrivals = new Arrivals();
  readonly #gathering = new Gathering();
  readonly #inFlight: InFlight;
  #work: InboxWork | undefined;
  readonly #report = atMostOncePerSecond((cause) => this.#work?.failed(cause));
  readonly #reportUnwritten = atMostOncePerSecond((cause) => this.#work?.unwritten?.(cause));
  /** Bound to the asynchronous context in which the inbox was made: rounds must not keep the context of a callback. */
  readonly #next = AsyncResource.bind(() => this.#round());
  #lease: Lease | undefined;
  #prunedAt = -Infinity;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isNextSoon = false;
  /** Whether the last transaction failed, but may have been committed. */
  #isUncertain = false;
  #failure: { readonly since: number; readonly retryMs: number } | undefined;
  #closing:
    { readonly since: number; readonly resolve: () => void; readonly reject: (cause: unknown) => void } | undefined;
  #isClosed = false;

  constructor(
    database: SqliteDatabase,
    ledger: Ledger,
    processes: Processes,
    file: InboxFile,
    settings: InboxSettings,
  ) {
    this.#database = database;
    this.#ledger = ledger;
    this.#processes = processes;
    this.#file = file;
    this.#settings = settings;
    this.#log = new LogLimit(database, file);
    this.#watch = new Watch(ledger, processes, settings.leaseMs);
    this.#inFlight = new InFlight(settings.attempts, () => this.#runSoon());
  }

  store(message: SmsMessage, signal: AbortSignal): Promise<"stored" | "duplicate"> {
    if (this.#isClosed) return Promise.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
    this.#runSoon();
    return this.#arrivals.add(message, signal);
  }

  start(work: InboxWork): void {
    this.#work = work;
    this.#runSoon();
  }

  /** Runs a round: a message may be due without this process knowing. */
  wake(): void {
    this.#watch.due = 0;
    if (this.#work !== undefined) this.#runSoon();
  }

  /** Gives back the messages of a subscriber that have not started. */
  forget(source: string): void {
    const subscriber = phoneNumber(source);
    this.#inFlight.release(({ message }) => phoneNumber(message.source) === subscriber);
    this.#runSoon();
  }

  /** Rejects with the error that kept the last outcomes from being written. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#closing = { since: performance.now(), resolve, reject };
      this.#inFlight.release();
      this.#runSoon();
    });
  }

  /** Runs a round in the next turn of the event loop. */
  #runSoon(): void {
    if (this.#isNextSoon || this.#isClosed) return;
    this.#plan(undefined);
    this.#isNextSoon = true;
  }

  /** @param ms - the delay of the next round in milliseconds; `undefined` for the next turn of the event loop */
  #plan(ms: number | undefined): void {
    this.#cancel();
    if (ms === undefined) this.#immediate = setImmediate(this.#next);
    else this.#timer = setTimeout(this.#next, ms);
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#isNextSoon = false;
  }

  /** Plans the next round even if this one fails: without rounds, acknowledged messages would never be handled. */
  #round(): void {
    try {
      try {
        this.#step();
      } catch (error) {
        this.#recover(error);
      }
      this.#planNext();
    } catch {
      this.#plan(MAX_RETRY_MS);
    }
  }

  #step(): void {
    this.#cancel();
    this.#handOut();
    if (this.#gathering.isMoreComing(this.#arrivals.waiting.length)) {
      this.#runSoon();
      return;
    }
    this.#arrivals.dropAborted();
    this.#log.look();
    if (this.#log.isReached) this.#arrivals.reject(this.#log.error());
    if (this.#log.isExceeded) this.#report(this.#log.error());
    if (this.#isTaking) this.#watch.look(this.#lease?.owner ?? 0);
    const todo = this.#todo(currentTime());
    if (todo !== undefined) this.#commit(todo);
    this.#failure = undefined;
  }

  #planNext(): void {
    if (this.#isClosed) return;
    if (this.#closing !== undefined && this.#isIdle()) this.#end(this.#closing.resolve);
    else if (this.#isNextSoon) return;
    else if (this.#failure !== undefined) this.#plan(this.#failure.retryMs);
    else if (this.#inFlight.canStart(this.#concurrency) || this.#isDue(Date.now())) this.#runSoon();
    else if (this.#work !== undefined) {
      const ms = this.#free() > 0 ? Math.min(LOOK_MS, this.#watch.due - Date.now()) : LOOK_MS;
      this.#plan(Math.max(ms, 1));
    }
  }

  #handOut(): void {
    const { until = 0, owner = 0 } = this.#lease ?? {};
    // When the lease has ended, another process may have taken the messages.
    const isLeased = (): boolean => Date.now() < until;
    if (this.#work === undefined || !isLeased()) return;
    // Another process may have forgotten some of them.
    if (this.#inFlight.hasReady && this.#watch.hasChanged()) {
      const startable = this.#ledger.startable(owner);
      this.#inFlight.release(({ seq }) => !startable.has(seq));
    }
    this.#inFlight.start(this.#work, isLeased);
  }

  /** `undefined` if there is nothing to write. */
  #todo(now: number): Todo | undefined {
    const { due, suspects, isClockSetBack } = this.#watch;
    const { ended } = this.#inFlight;
    const hasMessages = this.#inFlight.hasRunning || this.#inFlight.hasReady;
    const isLeaseOld = hasMessages && this.#lease !== undefined && this.#processes.isOld(this.#lease, now);
    const isInspection = this.#watch.isInspectionDue(now);
    const hasNews = this.#arrivals.waiting.length + ended.length > 0;
    if (!hasNews && !isLeaseOld && !isInspection && !this.#isUncertain && !isClockSetBack && !this.#isDue(now))
      return undefined;
    return {
      arrivals: this.#arrivals.waiting.map(({ message }) => message),
      ended,
      started: this.#inFlight.started(),
      lease: this.#lease,
      known: this.#isUncertain ? this.#inFlight.seqs() : undefined,
      hasMessages,
      free: this.#free(),
      spare: this.#isTaking ? Math.min(2 * ended.length, MAX_HELD) : 0,
      due,
      isClockSetBack,
      isInspection,
      suspects,
      isPruning: performance.now() - this.#prunedAt >= Math.min(PRUNE_MS, this.#settings.retentionMs),
    };
  }

  #commit(todo: Todo): void {
    const deps = { ledger: this.#ledger, processes: this.#processes };
    // Also before the transaction: one in a lost file would be lost, and could hide the loss from the check after it.
    this.#file.assertSame();
    this.#isUncertain = true;
    // By the clock as of the lock: this process may have been frozen until now, and its lease may have ended.
    const written = transaction(this.#database, () => writeRound(deps, this.#settings, todo, currentTime()));
    this.#file.assertSame();
    this.#isUncertain = false;
    this.#ledger.committed();
    this.#watch.committed(written.due, written.suspects);
    if (todo.isPruning) this.#prunedAt = performance.now();
    this.#inFlight.written(todo.started);
    this.#take(written);
    for (const [n, { resolve }] of this.#arrivals.take().entries()) {
      resolve(written.stored[n]?.as === "duplicate" ? "duplicate" : "stored");
    }
    for (const { message, attempts } of written.deadLetters)
      this.#work?.failed(codedError("KALEYRA_SMS_CUT_SHORT"), message, attempts);
    if (written.hasUnreadable) this.#work?.failed(codedError("KALEYRA_SMS_UNREADABLE"));
  }

  #take({ lease, entries }: Written): void {
    // With a new id: other processes took this one for dead, and have taken over its ready messages.
    if (lease?.owner !== this.#lease?.owner) this.#inFlight.drop();
    this.#lease = lease;
    this.#inFlight.take(entries);
  }

  #recover(error: unknown): void {
    const now = performance.now();
    const since = this.#failure?.since ?? now;
    const isBrief = isBusy(error) && now - since < LOCKED_MS;
    const retryMs = isBusy(error)
      ? Math.ceil(Math.random() * BUSY_MS)
      : Math.min(2 * (this.#failure?.retryMs ?? BUSY_MS), MAX_RETRY_MS);
    this.#failure = { since, retryMs };
    const failure = fileFailed(error);
    // While the file is only locked, the arrivals may still be written in time.
    if (!isBusy(error)) this.#arrivals.reject(failure);
    if (!isBrief && this.#inFlight.ended.length > 0) this.#reportUnwritten(failure);
    else if (!isBrief) this.#report(failure);
    const closing = this.#closing;
    if (closing !== undefined && !this.#inFlight.hasRunning && now - Math.max(since, closing.since) >= CLOSING_MS) {
      this.#end(() => closing.reject(failure));
    }
  }

  #end(settle: () => void): void {
    this.#isClosed = true;
    this.#cancel();
    this.#arrivals.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
    settle();
  }

  #isIdle(): boolean {
    const { hasReady, hasRunning, ended } = this.#inFlight;
    return this.#arrivals.waiting.length === 0 && !hasReady && !hasRunning && ended.length === 0;
  }

  #isDue(now: number): boolean {
    return this.#watch.due <= now && this.#free() > 0;
  }

  get #isTaking(): boolean {
    return this.#work !== undefined && this.#closing === undefined && !this.#log.isExceeded;
  }

  get #concurrency(): number {
    return this.#work?.concurrency ?? 0;
  }

  /** How many messages may be taken now. */
  #free(): number {
    return this.#isTaking ? this.#inFlight.free(this.#concurrency) : 0;
  }
}
