// The inbox's work in this process, in rounds: when the next one is, and what goes into it and comes out of it.

import { AsyncResource } from "node:async_hooks";

import { codedError } from "../../base/errors.js";
import type { SmsMessage } from "../../callback/message.js";
import { Arrivals } from "../arrivals.js";
import type { InboxSettings } from "../inbox-options.js";
import type { InboxWork } from "../inbox.js";
import { atMostOncePerSecond } from "../at-most-once-per-second.js";
import { isBusy, transaction, type SqliteDatabase } from "./driver.js";
import type { InboxFile } from "./file.js";
import { Gathering } from "./gathering.js";
import { InFlight } from "./in-flight.js";
import type { Ledger } from "./ledger.js";
import type { Lease, Processes } from "./processes.js";
import { writeRound, type Todo, type Written } from "./round.js";
import { present } from "./rows.js";
import { LOOK_MS, Watch } from "./watch.js";

/** How soon a round is tried again where another process holds the file, and at the latest where it cannot be written, in milliseconds. */
const BUSY_MS = 5;
const LONGEST_RETRY_MS = 1_000;
/** How long another process may hold the file until that is a failure to be told, in milliseconds. */
const HELD_MS = 1_000;
/** For how long closing tries to write how the last messages ended, in milliseconds. After that, their lease runs out. */
const CLOSING_MS = 2_000;
/** How often keys whose time is over are removed, in milliseconds: the more at once, the less it costs each. */
const PRUNE_MS = 1_000;
/** How many messages a process holds at the most, beside those that run. */
const MOST_HELD = 256;

export class Worker {
  readonly #database: SqliteDatabase;
  readonly #ledger: Ledger;
  readonly #processes: Processes;
  readonly #file: InboxFile;
  readonly #settings: InboxSettings;
  readonly #watch: Watch;
  readonly #arrivals = new Arrivals();
  readonly #gathering = new Gathering();
  readonly #inFlight: InFlight;
  #work: InboxWork | undefined;
  readonly #report = atMostOncePerSecond((cause) => this.#work?.failed(cause));
  /** In the asynchronous context in which the inbox was made: that of a message which came would be kept for as long as rounds follow each other. */
  readonly #next = AsyncResource.bind(() => this.#round());
  #lease: Lease | undefined;
  #prunedAt = -Infinity;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isNextSoon = false;
  /** Whether the last transaction may have been committed, and was not heeded. */
  #isUnsure = false;
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
    this.#watch = new Watch(ledger, processes, settings.leaseMs);
    this.#inFlight = new InFlight(settings.attempts, () => this.#soon());
  }

  store(message: SmsMessage, deadline: number): Promise<"stored" | "duplicate"> {
    if (this.#isClosed) return Promise.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
    this.#soon();
    return this.#arrivals.add(message, deadline);
  }

  start(work: InboxWork): void {
    this.#work = work;
    this.#soon();
  }

  /** Something may be due that this process has not written in a round. */
  wake(): void {
    this.#watch.due = 0;
    if (this.#work !== undefined) this.#soon();
  }

  /** Does not start what is not started of a source. */
  forget(source: string): void {
    this.#inFlight.release(({ message }) => message.source === source);
    this.#soon();
  }

  /** Rejects with what kept the last messages' end from being written. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#closing = { since: performance.now(), resolve, reject };
      this.#inFlight.release();
      this.#soon();
    });
  }

  /** A round in the next turn of the event loop. */
  #soon(): void {
    if (this.#isNextSoon || this.#isClosed) return;
    this.#plan(undefined);
    this.#isNextSoon = true;
  }

  /** @param ms - how late, in milliseconds; `undefined` is the next turn of the event loop */
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

  /** Whatever goes wrong in a round, there is another: a file that nobody works at would acknowledge messages that nobody handles. */
  #round(): void {
    try {
      try {
        this.#step();
      } catch (error) {
        this.#failed(error);
      }
      this.#goOn();
    } catch {
      this.#plan(LONGEST_RETRY_MS);
    }
  }

  #step(): void {
    this.#cancel();
    const now = present();
    this.#handOut();
    if (this.#gathering.isMoreComing(this.#arrivals.waiting.length)) {
      this.#soon();
      return;
    }
    this.#arrivals.dropLate(now, () => codedError("KALEYRA_SMS_STORE_TIMEOUT"));
    if (this.#isTaking) this.#watch.look(this.#lease?.owner ?? 0);
    const todo = this.#todo(now);
    if (todo !== undefined) this.#commit(todo, now);
    this.#failure = undefined;
  }

  #goOn(): void {
    if (this.#isClosed) return;
    if (this.#closing !== undefined && this.#isIdle()) this.#end(this.#closing.resolve);
    else if (this.#isNextSoon) return;
    else if (this.#failure !== undefined) this.#plan(this.#failure.retryMs);
    else if (this.#inFlight.isRoom(this.#concurrency) || this.#isDue(Date.now())) this.#soon();
    else if (this.#work !== undefined) {
      const ms = this.#free() > 0 ? Math.min(LOOK_MS, this.#watch.due - Date.now()) : LOOK_MS;
      this.#plan(Math.max(ms, 1));
    }
  }

  #handOut(): void {
    // What the lease does not cover any more may be another's.
    if (this.#work === undefined || this.#lease === undefined || Date.now() >= this.#lease.until) return;
    // Nor is what another process has forgotten since.
    if (this.#inFlight.isAnyReady && this.#watch.hasChanged()) {
      const mine = this.#ledger.mine(this.#lease.owner);
      this.#inFlight.release(({ seq }) => !mine.has(seq));
    }
    this.#inFlight.start(this.#work);
  }

  /** `undefined` where there is nothing to write. */
  #todo(now: number): Todo | undefined {
    const { due, suspects, isClockSetBack } = this.#watch;
    const { ended } = this.#inFlight;
    const isHolding = this.#inFlight.isAnyRunning || this.#inFlight.isAnyReady;
    const isLeaseOld = isHolding && this.#lease !== undefined && this.#processes.isOld(this.#lease, now);
    const isInspection = this.#watch.isInspectionDue(now);
    const isNews = this.#arrivals.waiting.length + ended.length > 0;
    if (!isNews && !isLeaseOld && !isInspection && !this.#isUnsure && !isClockSetBack && !this.#isDue(now))
      return undefined;
    return {
      arrivals: this.#arrivals.waiting.map(({ message }) => message),
      ended,
      started: this.#inFlight.started(),
      lease: this.#lease,
      known: this.#isUnsure ? this.#inFlight.seqs() : undefined,
      isHolding,
      free: this.#free(),
      spare: this.#isTaking ? Math.min(2 * ended.length, MOST_HELD) : 0,
      due,
      isClockSetBack,
      isInspection,
      suspects,
      isPruning: performance.now() - this.#prunedAt >= Math.min(PRUNE_MS, this.#settings.retentionMs),
    };
  }

  #commit(todo: Todo, now: number): void {
    const deps = { ledger: this.#ledger, processes: this.#processes };
    // What was lost before makes the next commit no better, and shows less after it.
    this.#file.assertSame();
    this.#isUnsure = true;
    const written = transaction(this.#database, () => writeRound(deps, this.#settings, todo, now));
    this.#file.assertSame();
    this.#isUnsure = false;
    this.#ledger.committed();
    this.#watch.committed(written.due, written.suspects);
    if (todo.isPruning) this.#prunedAt = performance.now();
    this.#inFlight.written(todo.started);
    this.#keep(written);
    for (const [n, { resolve }] of this.#arrivals.take().entries()) {
      resolve(written.stored[n]?.as === "duplicate" ? "duplicate" : "stored");
    }
    for (const { message, attempts } of written.over)
      this.#work?.failed(codedError("KALEYRA_SMS_CUT_SHORT"), message, attempts);
    if (written.isUnreadable) this.#work?.failed(codedError("KALEYRA_SMS_UNREADABLE"));
  }

  #keep({ lease, entries }: Written): void {
    // What is not started yet was taken by others, who found no lease of this process's.
    if (lease?.owner !== this.#lease?.owner) this.#inFlight.drop();
    this.#lease = lease;
    this.#inFlight.take(entries);
  }

  #failed(error: unknown): void {
    const now = performance.now();
    const since = this.#failure?.since ?? now;
    const isShort = isBusy(error) && now - since < HELD_MS;
    const retryMs = isBusy(error)
      ? Math.ceil(Math.random() * BUSY_MS)
      : Math.min(2 * (this.#failure?.retryMs ?? BUSY_MS), LONGEST_RETRY_MS);
    this.#failure = { since, retryMs };
    // Whoever waits for a file that is held may still get it in time.
    if (!isBusy(error)) this.#arrivals.reject(error);
    if (!isShort) this.#report(error);
    const closing = this.#closing;
    if (closing !== undefined && !this.#inFlight.isAnyRunning && now - Math.max(since, closing.since) >= CLOSING_MS) {
      this.#end(() => closing.reject(error));
    }
  }

  #end(settle: () => void): void {
    this.#isClosed = true;
    this.#cancel();
    settle();
  }

  #isIdle(): boolean {
    const { isAnyReady, isAnyRunning, ended } = this.#inFlight;
    return this.#arrivals.waiting.length === 0 && !isAnyReady && !isAnyRunning && ended.length === 0;
  }

  #isDue(now: number): boolean {
    return this.#watch.due <= now && this.#free() > 0;
  }

  get #isTaking(): boolean {
    return this.#work !== undefined && this.#closing === undefined;
  }

  get #concurrency(): number {
    return this.#work?.concurrency ?? 0;
  }

  /** How many messages may be taken out now. */
  #free(): number {
    return this.#isTaking ? this.#inFlight.free(this.#concurrency) : 0;
  }
}
