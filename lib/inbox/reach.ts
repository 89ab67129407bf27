// Whether an inbox is in reach, and what waits in it: as the last stores, takes and heartbeats have shown.

import type { Inbox, InboxStats } from "./inbox.js";

/** Taken before a test runner can replace it: its clock would run the heartbeats without end. */
const { setTimeout, clearTimeout, setImmediate } = globalThis;

const DEFAULT_LEASE_MS = 15_000;

/** What the last heartbeat has shown. */
type Counts = Pick<InboxStats, "dead" | "oldestWaitingMs">;

const NOTHING: Counts = { dead: 0, oldestWaitingMs: 0 };

export class Reach {
  readonly #inbox: Inbox;
  /** Milliseconds between two heartbeats, and how long one may take: both within a lease, with the rest to spare. */
  readonly #beatMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #isBeatMissed = false;
  /** When a store has failed, if none has succeeded since; by the monotonic clock. */
  #notStoredAt = -Infinity;
  /** When messages could not be taken out, if none was handed out since. */
  #notTakenAt = -Infinity;
  #counts = NOTHING;

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
    const { leaseMs = DEFAULT_LEASE_MS } = inbox;
    // An inbox in JavaScript may have anything there.
    this.#beatMs = (Number.isSafeInteger(leaseMs) && leaseMs > 0 ? leaseMs : DEFAULT_LEASE_MS) / 3;
  }

  /** Begins the heartbeats. They keep no process alive. An inbox of the user's own may have no `stats`: then none. */
  start(): void {
    if (typeof this.#inbox.stats === "function") setImmediate(() => void this.#beat()).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** @param isStored - whether it was stored; a duplicate is */
  stored(isStored: boolean): void {
    this.#notStoredAt = isStored ? -Infinity : performance.now();
  }

  /** @param isTaken - whether messages could be taken out */
  taken(isTaken: boolean): void {
    this.#notTakenAt = isTaken ? -Infinity : performance.now();
  }

  /**
   * A failed store counts for one lease, unless one succeeds: without callbacks, none would. A failed take counts until
   * a heartbeat, or as long.
   */
  get isInReach(): boolean {
    const since = performance.now() - 3 * this.#beatMs;
    return !this.#isBeatMissed && this.#notStoredAt < since && this.#notTakenAt < since;
  }

  get counts(): Counts {
    return this.#counts;
  }

  async #beat(): Promise<void> {
    if (this.#isStopped) return;
    const counts = await this.#ask();
    this.#isBeatMissed = counts === undefined;
    if (counts !== undefined) {
      this.#counts = counts;
      this.#notTakenAt = -Infinity;
    }
    this.#timer = setTimeout(() => void this.#beat(), this.#beatMs).unref();
  }

  /** `undefined` if the inbox is out of reach. */
  async #ask(): Promise<Counts | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#beatMs).unref();
    });
    const answered = async (): Promise<Counts | undefined> => this.#inbox.stats?.();
    const counts = await Promise.race([answered().catch(() => undefined), late]);
    clearTimeout(timer);
    return counts;
  }
}
