// Whether an inbox is in reach, and what waits in it: as the last stores, takes and heartbeats have shown.

import { performance } from "node:perf_hooks";
import * as timers from "node:timers";

import { isRecord } from "../base/record.js";
import { MAX_TIMER_MS } from "../base/time-limit.js";
import type { Inbox, InboxStats } from "./inbox.js";

/**
 * Node's own, taken before a test runner can replace them: its clock would run the heartbeats without end, and jsdom's
 * timers keep a process alive.
 */
const { setTimeout, clearTimeout, setImmediate, clearImmediate } = timers;

const DEFAULT_LEASE_MS = 15_000;

/** What the last heartbeat has shown. */
type Counts = Pick<InboxStats, "dead" | "oldestWaitingMs">;

const NOTHING: Counts = { dead: 0, oldestWaitingMs: 0 };

export class Reach {
  readonly #inbox: Inbox;
  /** Milliseconds between two heartbeats, and how long one may take: both within a lease, with the rest to spare. */
  readonly #beatMs: number;
  #first: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** A process that was given a wrong address must not become ready before the first heartbeat. */
  #isBeatMissed: boolean;
  /** When a store has failed, if none has succeeded since; by the monotonic clock. */
  #notStoredAt = -Infinity;
  /** When messages could not be taken out, if none was handed out since. */
  #notTakenAt = -Infinity;
  #counts = NOTHING;

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
    const { leaseMs = DEFAULT_LEASE_MS } = inbox;
    // An inbox in JavaScript may have anything there.
    const isDuration = Number.isSafeInteger(leaseMs) && leaseMs > 0 && leaseMs <= MAX_TIMER_MS;
    this.#beatMs = (isDuration ? leaseMs : DEFAULT_LEASE_MS) / 3;
    this.#isBeatMissed = inbox.isRemote === true && this.#hasStats;
  }

  /** Begins the heartbeats. They keep no process alive. An inbox of the user's own may have no `stats`: then none. */
  start(): void {
    if (this.#hasStats) this.#first = setImmediate(() => void this.#beat()).unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearImmediate(this.#first);
    clearTimeout(this.#timer);
  }

  /** @param isStored - whether it was stored; a duplicate is */
  stored(isStored: boolean): void {
    this.#notStoredAt = isStored ? -Infinity : performance.now();
    if (isStored) this.#isBeatMissed = false;
  }

  /** @param isTaken - whether messages could be taken out */
  taken(isTaken: boolean): void {
    this.#notTakenAt = isTaken ? -Infinity : performance.now();
    if (isTaken) this.#isBeatMissed = false;
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

  get #hasStats(): boolean {
    return typeof this.#inbox.stats === "function";
  }

  async #beat(): Promise<void> {
    const counts = await this.#ask();
    this.#isBeatMissed = counts === undefined;
    if (counts !== undefined) {
      this.#counts = counts;
      this.#notTakenAt = -Infinity;
    }
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#beat(), this.#beatMs).unref();
  }

  /** `undefined` if the inbox is out of reach. */
  async #ask(): Promise<Counts | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#beatMs).unref();
    });
    const answered = async (): Promise<unknown> => this.#inbox.stats?.();
    const counts = await Promise.race([answered().catch(() => undefined), late]);
    clearTimeout(timer);
    return isCounts(counts) ? counts : undefined;
  }
}

/** An inbox in JavaScript may count nothing. */
function isCounts(value: unknown): value is Counts {
  return isRecord(value) && typeof value.dead === "number" && typeof value.oldestWaitingMs === "number";
}
