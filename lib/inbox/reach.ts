// Whether an inbox is in reach, and what waits in it: as the last stores, takes and heartbeats have shown.

import { performance } from "node:perf_hooks";
import * as timers from "node:timers";

import { codedError, codeOf } from "../base/errors.js";
import { MAX_TIMER_MS } from "../base/time-limit.js";
import type { Inbox, InboxStats } from "./inbox.js";
import { statsOf } from "./stats.js";

/**
 * Node's own, taken before a test runner can replace them: its clock would run the heartbeats without end, and jsdom's
 * timers keep a process alive.
 */
const { setTimeout, clearTimeout, setImmediate } = timers;

const DEFAULT_LEASE_MS = 15_000;
/** For how long a failure to take messages out counts after its last report, in milliseconds: two reports, and some. */
const REPORTED_MS = 2_000;

/** What the last heartbeat has shown. */
type Counts = Pick<InboxStats, "dead" | "oldestWaitingMs">;

const NOTHING: Counts = { dead: 0, oldestWaitingMs: 0 };

export class Reach {
  readonly #stats: (() => Promise<InboxStats>) | undefined;
  /** Milliseconds between two heartbeats, and how long one may take: both within a lease, with the rest to spare. */
  readonly #beatMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #isContractBroken = false;
  /** When something last succeeded: a store, a take or a heartbeat. All times are by the monotonic clock. */
  #goodAt: number;
  /** When a heartbeat was missed, if none has succeeded since. */
  #missedAt = -Infinity;
  #isReported = false;
  /** How many stores have failed in a row, and when the last one did. */
  #notStored = 0;
  #notStoredAt = -Infinity;
  /** When messages could not be taken out, if none was handed out and no heartbeat has succeeded since. */
  #notTakenAt = -Infinity;
  #counts = NOTHING;

  constructor(inbox: Inbox) {
    this.#stats = statsOf(inbox);
    const { leaseMs = DEFAULT_LEASE_MS } = inbox;
    // An inbox in JavaScript may have anything there.
    const isDuration = Number.isSafeInteger(leaseMs) && leaseMs > 0 && leaseMs <= MAX_TIMER_MS;
    this.#beatMs = (isDuration ? leaseMs : DEFAULT_LEASE_MS) / 3;
    this.#goodAt = inbox.isLocal === true || this.#stats === undefined ? performance.now() : -Infinity;
  }

  /**
   * Begins the heartbeats. They keep no process alive. An inbox of the user's own may have no `stats`: then none.
   *
   * @param report - called when the inbox does not answer, if nothing else has shown it; once if `stats` returns no
   * counts
   */
  start(report: (cause: unknown) => void): void {
    const stats = this.#stats;
    if (stats === undefined) return;
    setImmediate(() => {
      if (!this.#isStopped) void this.#beat(stats, report);
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** @param isStored - whether it was stored; a duplicate is */
  stored(isStored: boolean): void {
    const now = performance.now();
    this.#notStored = isStored ? 0 : this.#notStored + 1;
    if (isStored) this.#goodAt = now;
    else this.#notStoredAt = now;
  }

  /** @param isTaken - whether messages could be taken out */
  taken(isTaken: boolean): void {
    const now = performance.now();
    if (isTaken) this.#goodAt = now;
    this.#notTakenAt = isTaken ? -Infinity : now;
  }

  get isInReach(): boolean {
    const now = performance.now();
    return !this.#isFailing(now) && !this.#isMissing(now);
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** Whether messages cannot be stored, or not taken out. */
  #isFailing(now: number): boolean {
    const leaseMs = 3 * this.#beatMs;
    // Nobody sends callbacks to a process that is not ready: no store would end this. One failure may be one message's.
    const storeMs = this.#notStored > 1 ? leaseMs : this.#beatMs;
    return (this.#notStored > 0 && now - this.#notStoredAt < storeMs) || now - this.#notTakenAt < leaseMs;
  }

  /** What succeeds meanwhile counts more than a heartbeat: an inbox may have `stats` that always fail. */
  #isMissing(now: number): boolean {
    if (this.#goodAt === -Infinity) return true;
    return this.#missedAt > -Infinity && now - this.#goodAt >= this.#beatMs;
  }

  async #beat(stats: () => Promise<InboxStats>, report: (cause: unknown) => void): Promise<void> {
    const beat = await this.#ask(stats);
    if (this.#isStopped) return;
    const now = performance.now();
    if (!("cause" in beat)) this.#answered(now, beat);
    else if (codeOf(beat.cause) === "KALEYRA_SMS_INBOX_CONTRACT") {
      this.#answered(now, NOTHING);
      if (!this.#isContractBroken) report(beat.cause);
      this.#isContractBroken = true;
    } else {
      this.#missedAt = now;
      // While messages cannot be stored or taken out, that is reported already.
      if (!this.#isReported && this.#isMissing(now) && !this.#isFailing(now)) {
        this.#isReported = true;
        report(beat.cause);
      }
    }
    this.#timer = setTimeout(() => void this.#beat(stats, report), this.#beatMs).unref();
  }

  #answered(now: number, counts: Counts): void {
    this.#goodAt = now;
    this.#missedAt = -Infinity;
    this.#isReported = false;
    // While a failure lasts, it is reported once a second: what can be read may still be impossible to write.
    if (now - this.#notTakenAt > REPORTED_MS) this.#notTakenAt = -Infinity;
    this.#counts = counts;
  }

  async #ask(stats: () => Promise<InboxStats>): Promise<Counts | { readonly cause: unknown }> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<{ readonly cause: unknown }>((resolve) => {
      const giveUp = (): void =>
        resolve({ cause: codedError("KALEYRA_SMS_INBOX_FAILED", { why: "it did not answer in time" }) });
      // After a time in which this process was blocked or frozen, an answer that is there is still read.
      timer = setTimeout(() => setImmediate(giveUp), this.#beatMs).unref();
    });
    const answer = stats().catch((cause: unknown) => ({ cause }));
    const beat = await Promise.race([answer, late]);
    clearTimeout(timer);
    return beat;
  }
}
