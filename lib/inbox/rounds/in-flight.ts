// The messages that this process has taken: ready to start, running, or ended and not yet written.

import { attempt } from "../attempt.js";
import type { InboxOutcome, InboxWork } from "../inbox.js";
import type { Ended, Entry } from "./engine.js";

/** After how long a ready message is given back, in milliseconds, and at most after twice that. */
const GIVE_BACK_MS = 1_000;

export class InFlight {
  readonly #attempts: number;
  readonly #onEnd: () => void;
  #ready: Entry[] = [];
  readonly #running = new Set<Entry>();
  #ended: Ended[] = [];
  /** Those that were ready at the last look, and when that was. By the monotonic clock. */
  #before: ReadonlySet<Entry> = new Set();
  #lookedAt = -Infinity;

  /**
   * @param attempts - the number of attempts of each message
   * @param onEnd - called when a message ends, except one that ends synchronously
   */
  constructor(attempts: number, onEnd: () => void) {
    this.#attempts = attempts;
    this.#onEnd = onEnd;
  }

  take(entries: readonly Entry[]): void {
    this.#ready.push(...entries);
  }

  /**
   * Starts ready messages while fewer than `concurrency` run. One that ends synchronously makes room for the next.
   *
   * @param isLeased - asked before each start: a handler may block, or the process may be frozen, past the lease
   */
  start(work: InboxWork, isLeased: () => boolean): void {
    let started = 0;
    for (const entry of this.#ready) {
      if (this.#running.size >= work.concurrency || !isLeased()) break;
      started++;
      this.#begin(entry, work);
    }
    this.#ready.splice(0, started);
  }

  #begin(entry: Entry, work: InboxWork): void {
    const { attempts } = entry;
    this.#running.add(entry);
    const outcome = attempt(work, entry.message, { attempt: attempts, final: attempts >= this.#attempts });
    if (!(outcome instanceof Promise)) this.#end(entry, outcome);
    else
      void outcome.then((settled) => {
        this.#end(entry, settled);
        this.#onEnd();
      });
  }

  #end(entry: Entry, outcome: InboxOutcome): void {
    this.#running.delete(entry);
    this.#ended.push({ entry, outcome });
  }

  /** Drops the ready messages: in the database, they belong to other processes. */
  drop(): void {
    this.#ready = [];
  }

  /**
   * Gives ready messages back. As long as this process has the row of one, no other message of its source can run. If it
   * was forgotten since it was taken, the next round ends the row.
   */
  release(isReleased: (entry: Entry) => boolean = () => true): void {
    const released = this.#ready.filter(isReleased);
    if (released.length === 0) return;
    this.#ready = this.#ready.filter((entry) => !isReleased(entry));
    for (const entry of released) this.#ended.push({ entry, outcome: { outcome: "released" } });
  }

  /** Gives back those that wait for long: handlers have become slow, and another process may be idle. */
  releaseOld(): void {
    const now = performance.now();
    if (now - this.#lookedAt < GIVE_BACK_MS) return;
    this.release((entry) => this.#before.has(entry));
    this.#before = new Set(this.#ready);
    this.#lookedAt = now;
  }

  get ended(): readonly Ended[] {
    return this.#ended;
  }

  get ready(): readonly Entry[] {
    return this.#ready;
  }

  /** To be called when the outcomes of `ended` messages are written, and the `started` ones are marked as running. */
  written(ended: number, started: readonly Entry[]): void {
    this.#ended.splice(0, ended);
    for (const entry of started) entry.isHeld = false;
  }

  /** The running messages that the database says are held. */
  started(): Entry[] {
    return Array.from(this.#running).filter(({ isHeld }) => isHeld);
  }

  /** The rows of the messages that have not ended. */
  seqs(): number[] {
    return [...this.#running, ...this.#ready].map(({ seq }) => seq);
  }

  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  get hasRunning(): boolean {
    return this.#running.size > 0;
  }

  /** How many more messages could be started, besides the ready ones. */
  free(concurrency: number): number {
    return Math.max(0, concurrency - this.#running.size - this.#ready.length);
  }

  /** Whether a ready message could be started. */
  canStart(concurrency: number): boolean {
    return this.hasReady && this.#running.size < concurrency;
  }
}
