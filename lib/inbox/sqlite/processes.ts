// The processes that work on the file. Each has a lease: until it ends, the others take the process for alive.

import type { Lease } from "../rounds/engine.js";
import type { SqliteDatabase } from "./driver.js";
import { Statements } from "./statements.js";

/** A lease that ends later than this many leases from now was written by a clock that was ahead. */
const MAX_LEASES = 10;

const SQL = {
  add: "INSERT INTO process (until) VALUES (?)",
  renew: "UPDATE process SET until = ? WHERE id = ?",
  expired: "SELECT id, until FROM process WHERE until < ? AND id <> ?",
  next: "SELECT MIN(until) AS until FROM process WHERE id <> ?",
  remove: "DELETE FROM process WHERE id = ?",
  shorten: "UPDATE process SET until = ? WHERE until > ?",
  version: "PRAGMA data_version",
} as const;

export class Processes {
  readonly #statements: Statements<keyof typeof SQL>;
  readonly #leaseMs: number;

  constructor(database: SqliteDatabase, leaseMs: number) {
    this.#statements = new Statements(database, SQL);
    this.#leaseMs = leaseMs;
  }

  /**
   * Returns a lease with most of its time left: the old one as it is, or renewed. If other processes have taken this
   * one for dead, it gets a new lease and a new id.
   *
   * @param isForced - whether to renew the lease in any case
   */
  renew(lease: Lease | undefined, now: number, isForced: boolean): Lease {
    if (lease !== undefined && !isForced && !this.isOld(lease, now)) return lease;
    const until = now + this.#leaseMs;
    if (lease !== undefined && this.#statements.run("renew", until, lease.owner) === 1) {
      return { owner: lease.owner, until };
    }
    return { owner: Number(this.#statements.get("add").run(until).lastInsertRowid), until };
  }

  /** Whether to renew a lease: a third of it is over, or the clock was set back and it ends too late. */
  isOld({ until }: Lease, now: number): boolean {
    return until - now < (this.#leaseMs * 2) / 3 || until - now > this.#leaseMs;
  }

  /** When the next lease of another process ends, in milliseconds since the epoch; `Infinity` if there is no other. */
  nextLeaseEnd(self: number): number {
    return Number(this.#statements.row("next", self).until ?? Infinity);
  }

  /** The other processes whose lease has ended, each with the end of its lease. */
  expired(self: number, now: number): ReadonlyMap<number, number> {
    return new Map(this.#statements.rows("expired", now, self).map(({ id, until }) => [Number(id), Number(until)]));
  }

  remove(owner: number): void {
    this.#statements.run("remove", owner);
  }

  /** Corrects leases that end too late: they were written before the clock was set back. */
  clampLeases(now: number): void {
    const until = now + MAX_LEASES * this.#leaseMs;
    this.#statements.run("shorten", until, until);
  }

  /** A number that changes with every commit through another handle. */
  version(): number {
    return Number(this.#statements.row("version").data_version);
  }
}
