// Runs the rounds of an inbox in this process: plans each round, has its engine write it, and hands out the messages
// that it took. At most one round is being written: what comes meanwhile is in the next one.

import { codedError } from "../../base/errors.js";
import { then, type MaybePromise } from "../../base/maybe-promise.js";
import type { SmsMessage } from "../../callback/message.js";
import { phoneNumber } from "../../callback/phone-number.js";
import { Arrivals } from "../arrivals.js";
import { atMostOncePerSecond } from "../at-most-once-per-second.js";
import type { InboxSettings } from "../inbox-options.js";
import type { InboxWork } from "../inbox.js";
import { Alarm } from "./alarm.js";
import type { Engine, Lease, Round, Written } from "./engine.js";
import { Failures } from "./failures.js";
import { Gathering } from "./gathering.js";
import { InFlight } from "./in-flight.js";

/** How long closing tries to write the last outcomes, in milliseconds. After that, the messages stay leased. */
const CLOSING_MS = 2_000;
/** So many arrivals are looked through for those for which nobody waits any more, also while a round is written. */
const MANY_ARRIVALS = 1_024;
/** How many messages a process holds at most, besides those that run. */
const MAX_HELD = 256;

export class RoundWorker {
  readonly #engine: Engine;
  readonly #arrivals = new Arrivals();
  /** At how many arrivals they are looked through next. */
  #manyArrivals = MANY_ARRIVALS;
  readonly #gathering = new Gathering();
  readonly #inFlight: InFlight;
  #work: InboxWork | undefined;
  readonly #report = atMostOncePerSecond((cause) => this.#work?.failed(cause));
  readonly #reportUnwritten = atMostOncePerSecond((cause) => this.#work?.unwritten?.(cause));
  readonly #next = new Alarm(() => this.#begin());
  readonly #failures: Failures;
  #lease: Lease | undefined;
  /** When the next message is known to be due, in milliseconds since the epoch; `Infinity` if none is. */
  #due = 0;
  /** How often it was woken since a round was written that knew of it. */
  #wakes = 0;
  /** When the last round was written. By the monotonic clock. */
  #writtenAt = -Infinity;
  #isRunning = false;
  #isNextSoon = false;
  /** How many of the arrivals have a part in the round that runs. */
  #tried = 0;
  /** Whether the round that runs may take messages. */
  #mayTake = false;
  /** Whether such a round failed, and may have been committed. Not any more once a later one is written. */
  #isUncertain = false;
  #closing:
    { readonly since: number; readonly resolve: () => void; readonly reject: (cause: unknown) => void } | undefined;
  #isClosed = false;

  constructor(engine: Engine, { attempts, leaseMs }: Pick<InboxSettings, "attempts" | "leaseMs">) {
    this.#engine = engine;
    this.#failures = new Failures(leaseMs);
    this.#inFlight = new InFlight(attempts, () => this.#runSoon());
  }

  store(message: SmsMessage, signal: AbortSignal): Promise<"stored" | "duplicate"> {
    if (this.#isClosed) return Promise.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
    this.#runSoon();
    // A disk may hang for minutes: what nobody waits for must not fill the memory until then.
    if (this.#arrivals.waiting.length >= this.#manyArrivals) {
      this.#arrivals.dropAborted(undefined, this.#isRunning ? this.#tried : 0);
      this.#manyArrivals = Math.max(MANY_ARRIVALS, 2 * this.#arrivals.waiting.length);
    }
    return this.#arrivals.add(message, signal);
  }

  start(work: InboxWork): void {
    this.#work = work;
    this.#runSoon();
  }

  /** Runs a round: a message may be due without this process knowing. */
  wake(): void {
    this.#wakes++;
    if (this.#work !== undefined) this.#runSoon();
  }

  /** Gives back the messages of a subscriber that have not started. */
  forget(source: string): void {
    const subscriber = phoneNumber(source);
    this.#inFlight.release(({ message }) => phoneNumber(message.source) === subscriber);
    this.#runSoon();
  }

  /**
   * Resolves when the last outcomes are written, and messages that this process may have taken without knowing are given
   * back. Rejects with the error that prevented it.
   */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#closing = { since: performance.now(), resolve, reject };
      this.#inFlight.release();
      this.#runSoon();
    });
  }

  /** Runs a round in the next turn of the event loop, or when the one that runs has ended. */
  #runSoon(): void {
    if (this.#isNextSoon || this.#isClosed) return;
    this.#isNextSoon = true;
    if (!this.#isRunning) this.#next.setNextTurn();
  }

  #begin(): void {
    this.#isRunning = true;
    this.#isNextSoon = false;
    this.#mayTake = false;
    this.#tried = this.#arrivals.waiting.length;
    try {
      const step = this.#step();
      if (step instanceof Promise) {
        void step.then(
          () => this.#end(),
          (error: unknown) => this.#end({ error }),
        );
        return;
      }
    } catch (error) {
      this.#end({ error });
      return;
    }
    this.#end();
  }

  /** Plans the next round even if this one has failed: without rounds, acknowledged messages would never be handled. */
  #end(failed?: { readonly error: unknown }): void {
    this.#isRunning = false;
    try {
      if (failed !== undefined) this.#recover(failed.error);
      this.#planNext();
    } catch {
      this.#next.set(this.#failures.maxRetryMs);
    }
  }

  #step(): MaybePromise<void> {
    return then(this.#handOut(), () => {
      this.#inFlight.releaseOld();
      if (this.#gathering.isMoreComing(this.#arrivals.waiting.length)) {
        this.#runSoon();
        return;
      }
      this.#arrivals.dropAborted();
      if (!this.#hasToWrite()) {
        this.#failures.over();
        return;
      }
      const round = this.#round();
      const wakes = this.#wakes;
      this.#tried = round.arrivals.length;
      this.#mayTake = round.free + round.spare > 0;
      return then(this.#engine.write(round), (written) => {
        this.#wakes -= wakes;
        this.#written(round, written);
      });
    });
  }

  #planNext(): void {
    if (this.#isClosed) return;
    if (this.#closing !== undefined && this.#isIdle()) this.#finish(this.#closing.resolve);
    else if (this.#isNextSoon) this.#next.setNextTurn();
    else if (this.#failures.retryMs !== undefined) this.#next.set(this.#failures.retryMs);
    else if (this.#inFlight.canStart(this.#concurrency) || this.#isDue()) this.#runSoon();
    else if (this.#work !== undefined) {
      const lookMs = this.#engine.lookMs - (performance.now() - this.#writtenAt);
      this.#next.set(Math.max(this.#free() > 0 ? Math.min(lookMs, this.#due - Date.now()) : lookMs, 1));
    }
  }

  #handOut(): MaybePromise<void> {
    const work = this.#work;
    const { until = 0 } = this.#lease ?? {};
    // When the lease has ended, another process may have taken the messages.
    const isLeased = (): boolean => Date.now() < until;
    if (work === undefined || !this.#inFlight.canStart(work.concurrency) || !isLeased()) return;
    return then(this.#engine.gone(this.#inFlight.ready), (gone) => {
      if (gone.size > 0) this.#inFlight.release((entry) => gone.has(entry));
      this.#inFlight.start(work, isLeased);
    });
  }

  #hasToWrite(): boolean {
    if (this.#arrivals.waiting.length + this.#inFlight.ended.length > 0) return true;
    if (this.#closing !== undefined && this.#isIdle()) return false;
    if (this.#isUncertain || this.#wakes > 0 || this.#isDue()) return true;
    return this.#work !== undefined && performance.now() - this.#writtenAt >= this.#engine.lookMs;
  }

  #round(): Round {
    const ended = this.#inFlight.ended.slice();
    // What was given back is for other processes.
    const attempted = ended.filter(({ outcome }) => outcome.outcome !== "released").length;
    return {
      arrivals: this.#arrivals.waiting.map(({ message }) => message),
      ended,
      started: this.#inFlight.started(),
      known: this.#inFlight.seqs(),
      isUncertain: this.#isUncertain,
      isWoken: this.#wakes > 0,
      isTaking: this.#isTaking,
      free: this.#free(),
      spare: this.#isTaking ? Math.max(0, Math.min(2 * attempted, MAX_HELD) - this.#inFlight.ready.length) : 0,
    };
  }

  #written({ ended, started }: Round, written: Written): void {
    this.#isUncertain = false;
    this.#failures.over();
    this.#writtenAt = performance.now();
    this.#due = written.due;
    this.#inFlight.written(ended.length, started);
    // With a new id: other processes took this one for dead, and have taken over its ready messages.
    if (written.lease?.owner !== this.#lease?.owner) this.#inFlight.drop();
    this.#lease = written.lease;
    this.#inFlight.take(written.entries);
    // It was closed while the round was written.
    if (this.#closing !== undefined) this.#inFlight.release();
    const { refused, stored } = written;
    for (const [n, { resolve, reject }] of this.#arrivals.take(this.#tried).entries()) {
      if (refused !== undefined) reject(refused);
      else resolve(stored[n] === "duplicate" ? "duplicate" : "stored");
    }
    if (written.failure !== undefined) this.#report(written.failure);
    for (const { message, attempts } of written.deadLetters)
      this.#work?.failed(codedError("KALEYRA_SMS_CUT_SHORT"), message, attempts);
    if (written.hasUnreadable) this.#work?.failed(codedError("KALEYRA_SMS_UNREADABLE"));
  }

  #recover(error: unknown): void {
    const { error: failure, isBrief, isUnwritten } = this.#engine.explain(error);
    if (this.#mayTake && !isUnwritten) this.#isUncertain = true;
    const { since, isReported } = this.#failures.failed(isBrief);
    // After a brief failure, the arrivals may still be written in time.
    if (!isBrief) for (const { reject } of this.#arrivals.take(this.#tried)) reject(failure);
    if (isReported && this.#inFlight.ended.length > 0) this.#reportUnwritten(failure);
    else if (isReported) this.#report(failure);
    const closing = this.#closing;
    if (closing === undefined || this.#inFlight.hasRunning) return;
    if (performance.now() - Math.max(since, closing.since) >= CLOSING_MS) this.#finish(() => closing.reject(failure));
  }

  #finish(settle: () => void): void {
    this.#isClosed = true;
    this.#next.clear();
    this.#arrivals.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
    settle();
  }

  /** Whether nothing is left to do, also for messages that this process may have taken without knowing. */
  #isIdle(): boolean {
    const { hasReady, hasRunning, ended } = this.#inFlight;
    const isEmpty = this.#arrivals.waiting.length === 0 && ended.length === 0;
    return isEmpty && !hasReady && !hasRunning && !this.#isUncertain;
  }

  #isDue(): boolean {
    return this.#due <= Date.now() && this.#free() > 0;
  }

  get #isTaking(): boolean {
    return this.#work !== undefined && this.#closing === undefined;
  }

  get #concurrency(): number {
    return this.#work?.concurrency ?? 0;
  }

  /** How many messages may be taken now. */
  #free(): number {
    return this.#isTaking ? this.#inFlight.free(this.#concurrency) : 0;
  }
}
