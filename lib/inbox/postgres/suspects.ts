// Finds the processes that are dead: their lease has ended, and they had the time to renew it.

import type { Row } from "./requests.js";

/**
 * After an outage, the others get a lease more to renew theirs, and at least this long, in milliseconds: a request that
 * they sent in the outage may wait for a connection, then for its answer, and then be repeated.
 */
const RECOVERY_MS = 3_000;

interface Suspect {
  readonly owner: number;
  /** When its lease ended, by the clock of the server. */
  readonly until: number;
  /** When this process noticed. By the monotonic clock, in milliseconds. */
  readonly since: number;
}

export class Suspects {
  readonly #graceMs: number;
  readonly #leaseMs: number;
  #suspects: readonly Suspect[] = [];
  /** When the next lease of another process ends. By the monotonic clock. */
  #nextAt = 0;
  /** When this process could not write for the last time. By the monotonic clock. */
  #failedAt = -Infinity;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
    this.#graceMs = leaseMs / 3;
  }

  /** Whether to ask the database for leases that have ended. */
  isDue(): boolean {
    return performance.now() >= this.#nextAt;
  }

  /** To be called when the database could not be written: nobody may have been able to renew a lease. */
  failed(): void {
    this.#failedAt = performance.now();
  }

  /** @param expired - the processes whose lease has ended @param next - in how many milliseconds the next one ends */
  seen(expired: readonly Row[], [next]: readonly Row[]): void {
    const now = performance.now();
    this.#suspects = expired.map(({ r_n, r_seq }) => {
      const [owner, until] = [Number(r_n), Number(r_seq)];
      const known = this.#suspects.find((one) => one.owner === owner && one.until === until);
      return known ?? { owner, until, since: now };
    });
    const ends = next === undefined || next.r_n === null ? this.#leaseMs : Number(next.r_n);
    this.#nextAt = now + Math.min(ends, this.#suspects.length > 0 ? this.#graceMs : Infinity, this.#leaseMs);
  }

  /** The processes that are dead by now. */
  dead(): readonly Suspect[] {
    const now = performance.now();
    return this.#suspects.filter(({ since }) => now >= this.#aliveUntil(since));
  }

  takenOver(dead: readonly Suspect[]): void {
    this.#suspects = this.#suspects.filter((one) => !dead.includes(one));
  }

  /**
   * The end of a lease is not enough: while nobody could write, its owner could not renew it. So it has a third of a
   * lease more, and after an outage a whole one, from when this process could write.
   */
  #aliveUntil(since: number): number {
    const recovered = Math.max(since, this.#failedAt);
    const isOutage = since - this.#failedAt < this.#leaseMs + RECOVERY_MS;
    return recovered + (isOutage ? Math.max(this.#leaseMs, RECOVERY_MS) : this.#graceMs);
  }
}
