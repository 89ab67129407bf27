// The inbox's work in this process, in rounds: when the next one is, and what goes into it and comes out of it.

import type { SmsMessage } from "../../callback/message.js";
import type { InboxSettings } from "../inbox-options.js";
import type { InboxOutcome, InboxWork } from "../inbox.js";
import { textOf } from "../stored-message.js";
import { isBusy, transaction, type SqliteDatabase } from "./database.js";
import type { InboxFile } from "./file.js";
import type { Ledger } from "./ledger.js";
import { writeRound, type Entry, type Lease, type Suspects, type Todo, type Written } from "./round.js";

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
const MOST_HELD = 1_000;

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
  #lookedAt = 0;
  /** When another process may be dead, as far as this one knows. */
  #inspectAt = Infinity;
  #suspects: Suspects = new Map();
  #next: NodeJS.Immediate | NodeJS.Timeout | undefined;
  #isNextSoon = false;
  #failure: { readonly since: number; readonly retryMs: number } | undefined;
  #toldAt = 0;
  #closing: { readonly resolve: () => void; readonly reject: (cause: unknown) => void } | undefined;
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
      this.#closing = { resolve, reject };
      for (const entry of this.#ready.splice(0)) this.#ended.push({ entry, outcome: { outcome: "released" } });
      this.#soon();
    });
  }

  /** A round in the next turn of the event loop; where the last one failed, in its time. */
  #soon(): void {
    if (this.#isNextSoon || this.#isClosed) return;
    if (this.#failure === undefined)
      this.#at(
        setImmediate(() => this.#round()),
        true,
      );
    else
      this.#at(
        setTimeout(() => this.#round(), this.#failure.retryMs),
        true,
      );
  }

  #at(next: NodeJS.Immediate | NodeJS.Timeout, isSoon: boolean): void {
    this.#cancel();
    this.#next = next;
    this.#isNextSoon = isSoon;
  }

  #cancel(): void {
    clearTimeout(this.#next as NodeJS.Timeout | undefined);
    clearImmediate(this.#next as NodeJS.Immediate | undefined);
    this.#isNextSoon = false;
  }

  #round(): void {
    this.#cancel();
    this.#handOut();
    const now = Date.now();
    this.#dropLate(now);
    try {
      this.#look(now);
      const todo = this.#todo(now);
      if (todo !== undefined) this.#commit(todo, now);
      this.#failure = undefined;
    } catch (error) {
      this.#failed(error, now);
    }
    this.#goOn();
  }

  #goOn(): void {
    if (this.#closing !== undefined && this.#isIdle()) this.#end(this.#closing.resolve);
    else if (this.#failure !== undefined) this.#soon();
    else if (this.#isRoom() || this.#isDue(Date.now())) this.#soon();
    else if (this.#work !== undefined && !this.#isNextSoon) {
      const ms = this.#free() > 0 ? Math.min(LOOK_MS, this.#due - Date.now()) : LOOK_MS;
      this.#at(
        setTimeout(() => this.#round(), Math.max(ms, 1)),
        false,
      );
    }
  }

  /** Starts what is ready, as far as there is room: what is over at once makes room again. */
  #handOut(): void {
    // What the lease does not cover any more may be another's.
    if (this.#work === undefined || this.#lease === undefined || Date.now() >= this.#lease.until) return;
    let started = 0;
    for (const entry of this.#ready) {
      if (this.#running.size >= this.#work.concurrency) break;
      started++;
      this.#begin(entry, this.#work);
    }
    this.#ready.splice(0, started);
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

  /** Whoever sent them was answered that they were not stored. */
  #dropLate(now: number): void {
    if (!this.#arrivals.some(({ deadline }) => deadline <= now)) return;
    const late = this.#arrivals.filter(({ deadline }) => deadline <= now);
    this.#arrivals = this.#arrivals.filter(({ deadline }) => deadline > now);
    for (const { reject } of late) reject(new Error("The inbox's file could not be written in time."));
  }

  /** Looks, from time to time, for what others have written. */
  #look(now: number): void {
    if (this.#work === undefined || this.#closing !== undefined || now - this.#lookedAt < LOOK_MS) return;
    const { due = Infinity, lease = Infinity } = this.#ledger.next(this.#lease?.owner ?? 0);
    this.#lookedAt = now;
    this.#due = due;
    const since = Array.from(this.#suspects.values(), (suspect) => suspect.since);
    this.#inspectAt = Math.max(lease, since.length === 0 ? 0 : Math.min(...since) + this.#settings.leaseMs / 3);
  }

  /** `undefined` where there is nothing to write. */
  #todo(now: number): Todo | undefined {
    const isHolding = this.#running.size + this.#ready.length > 0;
    const isLeaseOld = isHolding && (this.#lease?.until ?? 0) - now < (this.#settings.leaseMs * 2) / 3;
    const isInspection = this.#inspectAt <= now;
    const isNews = this.#arrivals.length + this.#ended.length > 0;
    if (!isNews && !isLeaseOld && !isInspection && !this.#isDue(now)) return undefined;
    return {
      arrivals: this.#arrivals,
      ended: this.#ended,
      started: Array.from(this.#running).filter(({ isHeld }) => isHeld),
      lease: this.#lease,
      isHolding,
      free: this.#free(),
      spare: this.#isTaking ? Math.min(this.#ended.length, MOST_HELD) : 0,
      due: this.#due,
      isInspection,
      suspects: this.#suspects,
    };
  }

  #commit(todo: Todo, now: number): void {
    const arrivals = this.#arrivals;
    const written = transaction(this.#database, () => writeRound(this.#ledger, this.#settings, todo, now));
    this.#file.assertSame();
    this.#arrivals = [];
    this.#ended = [];
    for (const entry of todo.started) entry.isHeld = false;
    this.#keep(written);
    arrivals.forEach(({ resolve }, n) => resolve(written.stored[n]?.as === "duplicate" ? "duplicate" : "stored"));
    for (const { message, attempts } of written.over) this.#work?.failed(cutShort(), message, attempts);
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

  #failed(error: unknown, now: number): void {
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
    if (closing !== undefined && this.#running.size === 0 && now - since >= CLOSING_MS) {
      this.#end(() => closing.reject(error));
    }
  }

  #end(settle: () => void): void {
    this.#isClosed = true;
    this.#cancel();
    this.#file.close();
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

function cutShort(): Error {
  return Object.assign(new Error("The process ended in each attempt at the message."), {
    code: "KALEYRA_SMS_CUT_SHORT",
  });
}
