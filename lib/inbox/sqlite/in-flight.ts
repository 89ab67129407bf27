// The messages in this process's hands: not started yet, running, and ended, until the file says so.

import { attempt } from "../attempt.js";
import type { InboxOutcome, InboxWork } from "../inbox.js";
import type { Taken } from "./ledger.js";

/** A message that this process has taken. */
export interface Entry extends Taken {
  /** As what the process took it: not as what it is known now, where its lease has run out since. */
  readonly owner: number;
  /** Whether the file says only that it is held. */
  isHeld: boolean;
}

export interface Ended {
  readonly entry: Entry;
  readonly outcome: InboxOutcome;
}

export class InFlight {
  readonly #attempts: number;
  readonly #onEnd: () => void;
  #ready: Entry[] = [];
  readonly #running = new Set<Entry>();
  #ended: Ended[] = [];

  /**
   * @param attempts - how many a message has
   * @param onEnd - called when one ends that did not at once
   */
  constructor(attempts: number, onEnd: () => void) {
    this.#attempts = attempts;
    this.#onEnd = onEnd;
  }

  take(entries: readonly Entry[]): void {
    this.#ready.push(...entries);
  }

  /** Starts what is ready, as far as there is room: what is over at once makes room again. */
  start(work: InboxWork): void {
    let started = 0;
    for (const entry of this.#ready) {
      if (this.#running.size >= work.concurrency) break;
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
      void outcome.then((is) => {
        this.#end(entry, is);
        this.#onEnd();
      });
  }

  #end(entry: Entry, outcome: InboxOutcome): void {
    this.#running.delete(entry);
    this.#ended.push({ entry, outcome });
  }

  /** Lets go of what is not started: the file says that it is another's. */
  drop(): void {
    this.#ready = [];
  }

  /**
   * Gives back what is not started. Of a message that was forgotten meanwhile this ends the row, which may be another one's turn: the file says
   * that it runs from the moment on in which it was handed over.
   */
  release(isReleased: (entry: Entry) => boolean = () => true): void {
    const released = this.#ready.filter(isReleased);
    if (released.length === 0) return;
    this.#ready = this.#ready.filter((entry) => !isReleased(entry));
    for (const entry of released) this.#ended.push({ entry, outcome: { outcome: "released" } });
  }

  get ended(): readonly Ended[] {
    return this.#ended;
  }

  /** The file says how they ended, and that those of `started` run. */
  written(started: readonly Entry[]): void {
    this.#ended = [];
    for (const entry of started) entry.isHeld = false;
  }

  /** What runs, and is only held by the file. */
  started(): Entry[] {
    return Array.from(this.#running).filter(({ isHeld }) => isHeld);
  }

  /** The rows of what has not ended. */
  seqs(): number[] {
    return [...this.#running, ...this.#ready].map(({ seq }) => seq);
  }

  get isAnyReady(): boolean {
    return this.#ready.length > 0;
  }

  get isAnyRunning(): boolean {
    return this.#running.size > 0;
  }

  /** How many more could be started, beside what is ready. */
  free(concurrency: number): number {
    return Math.max(0, concurrency - this.#running.size - this.#ready.length);
  }

  /** Whether one that is ready could be started. */
  isRoom(concurrency: number): boolean {
    return this.isAnyReady && this.#running.size < concurrency;
  }
}
