// The inbox in memory: hands messages out, and has a clock that a test can move.

import { codedError, codedTypeError, invalidArgument } from "../../base/errors.js";
import type { SmsMessage } from "../../callback/message.js";
import { attempt } from "../attempt.js";
import { readInboxOptions, readLimit, requireString, type InboxOptions, type InboxSettings } from "../inbox-options.js";
import type { InboxOutcome, InboxStats, InboxWork } from "../inbox.js";
import type { DeadLetter, KeptMessage, OperableInbox } from "../operable-inbox.js";
import { Messages, type Kept } from "./messages.js";

/** Taken before a test runner can replace it by one that stands still. */
const { setImmediate: inNextTurn } = globalThis;

/**
 * Makes an inbox that keeps messages in memory, for tests. It stores, retries and lists dead letters like the inboxes
 * that keep messages for good, and `advance` makes a test wait for no retry. The messages of one source are handled in
 * order of arrival.
 *
 * Takes the options of every inbox, so that a test can pass those of its app. `leaseMs` is for processes that share an
 * inbox: here it changes nothing.
 *
 * @throws TypeError under `NODE_ENV=production`, since a restart loses what is in memory
 * @throws TypeError if an option is unknown or has a wrong value
 * @example
 * const inbox = memoryInbox({ attempts: 2 });
 * const sms = incomingSms({ inbox, authenticate: false });
 */
export function memoryInbox(options: InboxOptions = {}): MemoryInbox {
  if (process.env.NODE_ENV === "production") throw codedTypeError("KALEYRA_SMS_INBOX_IN_MEMORY");
  return new MemoryInbox(new Messages(), readInboxOptions("memoryInbox", options, []));
}

/** An inbox in memory, which `memoryInbox()` makes. */
export class MemoryInbox implements OperableInbox {
  readonly isLocal = true;
  readonly #messages: Messages;
  readonly #settings: InboxSettings;
  readonly #onWake = (): void => this.#wake();
  /** How far its clock is ahead of the time of day, in milliseconds. */
  #aheadMs = 0;
  #work: InboxWork | undefined;
  #running = 0;
  #isWoken = false;
  /** No handler is registered any more: nothing is taken out until one is. */
  #waitsForHandler = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #whenIdle: Array<() => void> = [];

  /** @internal */
  constructor(messages: Messages, settings: InboxSettings) {
    this.#messages = messages;
    this.#settings = settings;
    messages.listen(this.#onWake);
  }

  /**
   * Moves the inbox's clock. What becomes due within that time is handled, each message at its time. Resolves when
   * that has ended; `advance(0)` waits for what is due already.
   *
   * @param ms - milliseconds, at least 0
   * @throws TypeError if `ms` is not such a number
   */
  async advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0)
      throw invalidArgument("advance(ms) takes a number of milliseconds, at least 0.");
    this.#assertOpen();
    // A router starts its inbox in the turn after the first handler was registered.
    await new Promise((resolve) => inNextTurn(resolve));
    // What handlers take does not count: with it, a retry after 1,000 ms would not fall into advance(1_000).
    let left = ms;
    for (;;) {
      await this.#idle();
      const next = this.#takesOut ? this.#messages.nextDue() : Infinity;
      const step = Math.max(0, next - this.#now());
      if (this.#isClosed || step > left) break;
      this.#move(step);
      left -= step;
    }
    this.#move(left);
  }

  /** Whether everything that is due is handled. What waits behind a delayed message of its source is not due. */
  static isIdle(inbox: MemoryInbox): boolean {
    return inbox.#isIdle;
  }

  store(message: SmsMessage, signal: AbortSignal): Promise<"stored" | "duplicate"> {
    return this.#run((now) => {
      signal.throwIfAborted();
      return this.#messages.store(message, this.#settings.retentionMs, now);
    });
  }

  get leaseMs(): number {
    return this.#settings.leaseMs;
  }

  start(work: InboxWork): void {
    this.#work = work;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#messages.unlisten(this.#onWake);
    await this.#idle();
  }

  stats(): Promise<InboxStats> {
    return this.#run((now) => this.#messages.stats(now));
  }

  deadLetters({ limit, after }: Parameters<OperableInbox["deadLetters"]>[0] = {}): Promise<DeadLetter[]> {
    return this.#run(() => {
      const pageSize = readLimit(limit);
      if (after !== undefined) requireString("deadLetters({ after })", after);
      return this.#messages.deadLetters(pageSize, after);
    });
  }

  get(key: string): Promise<KeptMessage | undefined> {
    return this.#run((now) => this.#messages.get(requireString("get(key)", key), now));
  }

  replay(key: string): Promise<number> {
    return this.#run((now) => Number(this.#messages.replay(requireString("replay(key)", key), now)));
  }

  replayAll(): Promise<number> {
    return this.#run((now) => this.#messages.replayAll(now));
  }

  discard(key: string): Promise<number> {
    return this.#run((now) => Number(this.#messages.discard(requireString("discard(key)", key), now)));
  }

  forget(source: string): Promise<number> {
    return this.#run((now) => this.#messages.forget(requireString("forget(source)", source), now));
  }

  /** Rejects with what the operation throws. */
  #run<Result>(operation: (now: number) => Result): Promise<Result> {
    return new Promise((resolve) => {
      this.#assertOpen();
      resolve(operation(this.#now()));
    });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
  }

  #now(): number {
    return Date.now() + this.#aheadMs;
  }

  #move(ms: number): void {
    this.#aheadMs += ms;
    this.#wake();
  }

  /** Begins a round in the next turn of the event loop: a callback is answered before its message is handled. */
  #wake(): void {
    if (this.#work === undefined || this.#isWoken || this.#isClosed) return;
    this.#isWoken = true;
    inNextTurn(() => {
      this.#isWoken = false;
      if (this.#work !== undefined && !this.#isClosed) this.#round(this.#work);
    });
  }

  #round(work: InboxWork): void {
    clearTimeout(this.#timer);
    while (!this.#isClosed && this.#running < work.concurrency && this.#hasHandler(work)) {
      const kept = this.#messages.take(this.#now());
      if (kept === undefined) break;
      this.#begin(kept, work);
    }
    const next = this.#takesOut ? this.#messages.nextDue() : Infinity;
    if (!this.#isClosed && next < Infinity) this.#timer = setTimeout(this.#onWake, Math.max(1, next - this.#now()));
    this.#resolveIdle();
  }

  /** `work.handle` would wait for a handler, and `advance` for `work.handle`. */
  #hasHandler(work: InboxWork): boolean {
    const listening = this.#waitsForHandler ? undefined : work.whenListening?.();
    if (listening !== undefined) {
      this.#waitsForHandler = true;
      void listening.then(() => {
        this.#waitsForHandler = false;
        this.#wake();
      });
    }
    return !this.#waitsForHandler;
  }

  get #takesOut(): boolean {
    return this.#work !== undefined && !this.#waitsForHandler;
  }

  #begin(kept: Kept, work: InboxWork): void {
    this.#running++;
    const { attempts, message } = kept;
    const outcome = attempt(work, message, { attempt: attempts, final: attempts >= this.#settings.attempts });
    if (outcome instanceof Promise) void outcome.then((settled) => this.#end(kept, settled));
    else this.#end(kept, outcome);
  }

  #end(kept: Kept, outcome: InboxOutcome): void {
    this.#running--;
    this.#messages.end(kept, outcome, this.#settings, this.#now());
    this.#resolveIdle();
  }

  /** Whether nothing runs, and nothing is due that could. */
  get #isIdle(): boolean {
    if (this.#running > 0) return false;
    return this.#isClosed || !this.#takesOut || !(this.#isWoken || this.#messages.nextDue() <= this.#now());
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#resolveIdle();
    });
  }

  #resolveIdle(): void {
    if (!this.#isIdle) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
