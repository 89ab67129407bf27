// The processes that work on the file. Each has a lease: until it ends, the others take the process for alive.

import { randomInt } from "node:crypto";

import type { Lease } from "../rounds/engine.js";
import type { Statements } from "./statements.js";

/** A lease that ends later than this many leases from now was written by a clock that was ahead. */
const MAX_LEASES = 10;

/** The largest number that `randomInt` takes: an id is never used again. */
const IDS = 2 ** 48 - 1;

/**
 * The lease of a process that has written none. The process knows its id before it writes: if its thread ends after the
 * first commit, the next one goes on with what that one took.
 */
export const unwrittenLease = (): Lease => ({ owner: randomInt(1, IDS), until: 0 });

export class Processes {
  readonly #statements: Statements;
  readonly #leaseMs: number;

  constructor(statements: Statements, leaseMs: number) {
    this.#statements = statements;
    this.#leaseMs = leaseMs;
  }

  /**
   * Returns a lease with most of its time left: the old one as it is, or renewed. If other processes have taken this
   * one for dead, it gets a new lease and a new id.
   *
   * @param isForced - whether to renew the lease in any case
   */
  renew(lease: Lease, now: number, isForced: boolean): Lease {
    if (!isForced && !this.isOld(lease, now)) return lease;
    const until = now + this.#leaseMs;
    if (this.#statements.run("renew", until, lease.owner) === 1) return { ...lease, until };
    const { owner } = lease.until === 0 ? lease : unwrittenLease();
    this.#statements.run("addProcess", owner, until);
    return { owner, until };
  }

  /** Whether to renew a lease: a third of it is over, or the clock was set back and it ends too late. */
  isOld({ until }: Lease, now: number): boolean {
    return until - now < (this.#leaseMs * 2) / 3 || until - now > this.#leaseMs;
  }

  /** The other processes whose lease has ended, each with the end of its lease. */
  expired(self: number, now: number): ReadonlyMap<number, number> {
    return new Map(this.#statements.rows("expired", now, self).map(({ id, until }) => [Number(id), Number(until)]));
  }

  remove(owner: number): void {
    this.#statements.run("removeProcess", owner);
  }

  /** Corrects leases that end too late: they were written before the clock was set back. */
  clampLeases(now: number): void {
    const until = now + MAX_LEASES * this.#leaseMs;
    this.#statements.run("shorten", until, until);
  }
}
