// The inbox's work in this process, in rounds: when the next one is, and what goes into it and comes out of it.

import type { SmsMessage } from "../../callback/message.js";
import { cutShort } from "../cut-short.js";
import type { InboxSettings } from "../inbox-options.js";
import type { InboxOutcome, InboxWork } from "../inbox.js";
import { storeTimeout } from "../store-timeout.js";
import { textOf } from "../stored-message.js";
import { isBusy, transaction, type SqliteDatabase } from "./database.js";
import type { InboxFile } from "./file.js";
import type { Ledger } from "./ledger.js";
import { isOld, writeRound, type Entry, type Lease, type Suspects, type Todo, type Written } from "./round.js";

/** A message that waits for its commit. */
interface Arrival {
  readonly message: SmsMessage;
  readonly body: string;
  readonly deadline: number;
  readonly resolve: (stored: "stored" | "duplicate") => void;
  readonly reject: (cause: unknown) => void;
}

/** How often a process looks for what others have stored, in milliseconds. */
const LOOK_MS = 100;
/** How soon a round is tried again where another process holds the file, and at the latest where it cannot be written, in milliseconds. */
const BUSY_MS = 5;
const LONGEST_RETRY_MS = 1_000;
/** How long another process may hold the file, and how often a failure is told, in milliseconds. */
const PATIENCE_MS = 1_000;
/** For how long closing tries to write how the last messages ended, in milliseconds. After that, their lease runs out. */
const CLOSING_MS = 2_000;
/** For how long a transaction waits at the most, as long as more comes in each turn of the event loop, in milliseconds. */
const GATHER_MS = 5;
/** How often keys whose time is over are removed, in milliseconds: the more at once, the less it costs each. */
const PRUNE_MS = 1_000;
/** How many messages a process holds at the most, beside those that run. */
const MOST_HELD = 256;
/** By how much a clock is set back at the least that is heeded, in milliseconds. */
const SET_BACK_MS = 500;

export class Worker {
  readonly #database: SqliteDatabase;
  readonly #ledger: Ledger;
  readonly #file: InboxFile;
  readonly #settings: InboxSettings;
  #work: InboxWork | undefined;
  #arrivals: Arrival[] = [];
  /** This process's, and not started yet. */
  #ready: Entry[] = [];
  readonly #running = new Set<Entry>();
  #ended: Array<{ readonly entry: Entry; readonly outcome: InboxOutcome }> = [];
  #lease: Lease | undefined;
  /** From when on something is due, as far as this process knows. */
  #due = 0;
  /** Like all that is not compared with the file, by a clock that nobody sets. */
  #lookedAt = -Infinity;
  /** When another process may be dead, as far as this one knows. */
  #inspectAt = Infinity;
  #suspects: Suspects = new Map();
  #prunedAt = -Infinity;
  /** How many arrivals there were in the turn before, while more came in each, and since when that is so. */
  #counted = 0;
  #countedAt = 0;
  /** Of the file, when it was as this process knows it. */
  #version = -1;
  /** How far the clock is ahead of the one that nobody sets, in milliseconds. */
  #ahead = Infinity;
  #isClockSetBack = false;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isNextSoon = false;
  /** Whether the last transaction may have been committed, and was not heeded. */
  #isUnsure = false;
  #failure: { readonly since: number; readonly retryMs: number } | undefined;
  #toldAt = -Infinity;
  #closing:
    { readonly since: number; readonly resolve: () => void; readonly reject: (cause: unknown) => void } | undefined;
  #isClosed = false;

  constructor(database: SqliteDatabase, ledger: Ledger, file: InboxFile, settings: InboxSettings) {
    this.#database = database;
    this.#ledger = ledger;
    this.#file = file;
    this.#settings = settings;
  }

  store(message: SmsMessage, deadline: number): Promise<"stored" | "duplicate"> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new Error("The inbox is closed.");
      this.#arrivals.push({ message, body: textOf(message), deadline, resolve, reject });
      this.#soon();
    });
  }

  start(work: InboxWork): void {
    this.#work = work;
    this.#soon();
  }

  /** Something may be due that this process has not written in a round. */
  wake(): void {
    this.#due = 0;
    if (this.#work !== undefined) this.#soon();
  }

  /** Does not start what is held of a source. */
  forget(source: string): void {
    this.#ready = this.#ready.filter(({ message }) => message.source !== source);
  }

  /** Rejects with what kept the last messages' end from being written. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#closing = { since: performance.now(), resolve, reject };
      for (const entry of this.#ready.splice(0)) this.#ended.push({ entry, outcome: { outcome: "released" } });
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
    if (ms === undefined) this.#immediate = setImmediate(() => this.#round());
    else this.#timer = setTimeout(() => this.#round(), ms);
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#isNextSoon = false;
  }

  #round(): void {
    this.#cancel();
    const now = Date.now();
    try {
      this.#handOut();
      if (this.#isMoreComing()) return;
      this.#dropLate(now);
      this.#look();
      const todo = this.#todo(now);
      if (todo !== undefined) this.#commit(todo, now);
      this.#failure = undefined;
    } catch (error) {
      this.#failed(error);
    }
    this.#goOn();
  }

  #goOn(): void {
    if (this.#isClosed) return;
    if (this.#closing !== undefined && this.#isIdle()) this.#end(this.#closing.resolve);
    else if (this.#failure !== undefined) this.#plan(this.#failure.retryMs);
    else if (this.#isRoom() || this.#isDue(Date.now())) this.#soon();
    else if (this.#work !== undefined && !this.#isNextSoon) {
      const ms = this.#free() > 0 ? Math.min(LOOK_MS, this.#due - Date.now()) : LOOK_MS;
      this.#plan(Math.max(ms, 1));
    }
  }

  /** Starts what is ready, as far as there is room: what is over at once makes room again. */
  #handOut(): void {
    // What the lease does not cover any more may be another's.
    if (this.#work === undefined || this.#lease === undefined || Date.now() >= this.#lease.until) return;
    if (this.#ready.length > 0) this.#dropOthers(this.#lease.owner);
    let started = 0;
    for (const entry of this.#ready) {
      if (this.#running.size >= this.#work.concurrency) break;
      started++;
      this.#begin(entry, this.#work);
    }
    this.#ready.splice(0, started);
  }

  /** Of what is ready, another process may have forgotten some since. */
  #dropOthers(owner: number): void {
    const version = this.#ledger.version();
    if (version === this.#version) return;
    this.#version = version;
    const mine = this.#ledger.mine(owner);
    this.#ready = this.#ready.filter(({ seq }) => mine.has(seq));
  }

  #begin(entry: Entry, work: InboxWork): void {
    const { attempts } = entry;
    this.#running.add(entry);
    const outcome = work.handle(entry.message, { attempt: attempts, final: attempts >= this.#settings.attempts });
    const ended = (is: InboxOutcome): void => {
      this.#running.delete(entry);
      this.#ended.push({ entry, outcome: is });
    };
    if (!(outcome instanceof Promise)) ended(outcome);
    else
      void outcome.then((is) => {
        ended(is);
        this.#soon();
      });
  }

  /** Whether to wait one more turn of the event loop: the more a transaction holds, the less it costs each. */
  #isMoreComing(): boolean {
    const count = this.#arrivals.length;
    if (this.#counted === 0) this.#countedAt = performance.now();
    const isMore = count > this.#counted && performance.now() - this.#countedAt < GATHER_MS;
    this.#counted = isMore ? count : 0;
    if (isMore) this.#soon();
    return isMore;
  }

  /** Whoever sent them was answered that they were not stored. */
  #dropLate(now: number): void {
    if (!this.#arrivals.some(({ deadline }) => deadline <= now)) return;
    const late = this.#arrivals.filter(({ deadline }) => deadline <= now);
    this.#arrivals = this.#arrivals.filter(({ deadline }) => deadline > now);
    for (const { reject } of late) reject(storeTimeout());
  }

  /** Looks, from time to time, for what others have written. */
  #look(): void {
    if (this.#work === undefined || this.#closing !== undefined || performance.now() - this.#lookedAt < LOOK_MS) return;
    const { due = Infinity, lease = Infinity } = this.#ledger.next(this.#lease?.owner ?? 0);
    this.#lookedAt = performance.now();
    const ahead = Date.now() - this.#lookedAt;
    if (ahead < this.#ahead - SET_BACK_MS) this.#isClockSetBack = true;
    this.#ahead = ahead;
    this.#due = due;
    const since = Array.from(this.#suspects.values(), (suspect) => suspect.since);
    this.#inspectAt = Math.max(lease, since.length === 0 ? 0 : Math.min(...since) + this.#settings.leaseMs / 3);
  }

  /** `undefined` where there is nothing to write. */
  #todo(now: number): Todo | undefined {
    const isHolding = this.#running.size + this.#ready.length > 0;
    const isLeaseOld = isHolding && this.#lease !== undefined && isOld(this.#lease, this.#settings.leaseMs, now);
    const isInspection = this.#inspectAt <= now;
    const isNews = this.#arrivals.length + this.#ended.length > 0;
    if (!isNews && !isLeaseOld && !isInspection && !this.#isUnsure && !this.#isClockSetBack && !this.#isDue(now))
      return undefined;
    return {
      arrivals: this.#arrivals,
      ended: this.#ended,
      started: Array.from(this.#running).filter(({ isHeld }) => isHeld),
      lease: this.#lease,
      known: this.#isUnsure ? [...this.#running, ...this.#ready].map(({ seq }) => seq) : undefined,
      isHolding,
      free: this.#free(),
      spare: this.#isTaking ? Math.min(2 * this.#ended.length, MOST_HELD) : 0,
      due: this.#due,
      isClockSetBack: this.#isClockSetBack,
      isInspection,
      suspects: this.#suspects,
      isPruning: performance.now() - this.#prunedAt >= Math.min(PRUNE_MS, this.#settings.retentionMs),
    };
  }

  #commit(todo: Todo, now: number): void {
    const arrivals = this.#arrivals;
    // What was lost before makes the next commit no better, and shows less after it.
    this.#file.assertSame();
    this.#isUnsure = true;
    const written = transaction(this.#database, () => writeRound(this.#ledger, this.#settings, todo, now));
    this.#file.assertSame();
    this.#isUnsure = false;
    this.#isClockSetBack = false;
    this.#version = this.#ledger.version();
    this.#ledger.committed();
    if (todo.isPruning) this.#prunedAt = performance.now();
    this.#arrivals = [];
    this.#ended = [];
    for (const entry of todo.started) entry.isHeld = false;
    this.#keep(written);
    arrivals.forEach(({ resolve }, n) => resolve(written.stored[n]?.as === "duplicate" ? "duplicate" : "stored"));
    for (const { message, attempts } of written.over) this.#work?.failed(cutShort(), message, attempts);
    if (written.isUnreadable) this.#work?.failed(unreadable());
  }

  #keep({ lease, entries, due, suspects }: Written): void {
    // What is not started yet was taken by others, who found no lease of this process's.
    if (lease?.owner !== this.#lease?.owner) this.#ready = [];
    this.#lease = lease;
    this.#ready.push(...entries);
    this.#due = due;
    this.#suspects = suspects;
    // Until the next look.
    this.#inspectAt = Infinity;
  }

  #failed(error: unknown): void {
    const now = performance.now();
    const since = this.#failure?.since ?? now;
    const isShort = isBusy(error) && now - since < PATIENCE_MS;
    const retryMs = isBusy(error)
      ? Math.ceil(Math.random() * BUSY_MS)
      : Math.min(2 * (this.#failure?.retryMs ?? BUSY_MS), LONGEST_RETRY_MS);
    this.#failure = { since, retryMs };
    // Whoever waits for a file that is held may still get it in time.
    if (!isBusy(error)) for (const { reject } of this.#arrivals.splice(0)) reject(error);
    if (!isShort && now - this.#toldAt >= PATIENCE_MS) {
      this.#toldAt = now;
      this.#work?.failed(error);
    }
    const closing = this.#closing;
    if (closing !== undefined && this.#running.size === 0 && now - Math.max(since, closing.since) >= CLOSING_MS) {
      this.#end(() => closing.reject(error));
    }
  }

  #end(settle: () => void): void {
    this.#isClosed = true;
    this.#cancel();
    settle();
  }

  #isIdle(): boolean {
    return this.#arrivals.length + this.#ready.length + this.#running.size + this.#ended.length === 0;
  }

  #isDue(now: number): boolean {
    return this.#due <= now && this.#free() > 0;
  }

  get #isTaking(): boolean {
    return this.#work !== undefined && this.#closing === undefined;
  }

  /** How many messages may be taken out now. */
  #free(): number {
    if (this.#work === undefined || !this.#isTaking) return 0;
    return Math.max(0, this.#work.concurrency - this.#running.size - this.#ready.length);
  }

  /** Whether one that is ready could start. */
  #isRoom(): boolean {
    return this.#ready.length > 0 && this.#running.size < (this.#work?.concurrency ?? 0);
  }
}

function unreadable(): Error {
  return Object.assign(new Error("The file held what is no message. It is kept beside the dead letters."), {
    code: "KALEYRA_SMS_UNREADABLE",
  });
}
