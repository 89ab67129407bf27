// Which processes work on the file, each with a lease: until when the others take it to be alive.

import type { SqliteDatabase } from "./driver.js";
import { Statements } from "./statements.js";

/** As what a process is known to the others, and until when they take it to be alive, in milliseconds since the epoch. */
export interface Lease {
  readonly owner: number;
  readonly until: number;
}

/** How many times as long as a lease of this process's one of another's may be. */
const FAR_LEASES = 10;

const SQL = {
  enlist: "INSERT INTO process (until) VALUES (?)",
  renew: "UPDATE process SET until = ? WHERE id = ?",
  expired: "SELECT id, until FROM process WHERE until < ? AND id <> ?",
  next: "SELECT MIN(until) AS until FROM process WHERE id <> ?",
  dismiss: "DELETE FROM process WHERE id = ?",
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
   * A lease that holds for most of its time: the old one, the old one made longer, or a new one where others have taken the process for dead.
   *
   * @param isForced - whether to make it longer in any case
   */
  renewed(lease: Lease | undefined, now: number, isForced: boolean): Lease {
    if (lease !== undefined && !isForced && !this.isOld(lease, now)) return lease;
    const until = now + this.#leaseMs;
    if (lease !== undefined && this.#statements.run("renew", until, lease.owner) === 1) {
      return { owner: lease.owner, until };
    }
    return { owner: Number(this.#statements.get("enlist").run(until).lastInsertRowid), until };
  }

  /** Whether a lease should be renewed; also one that ends later than it can, since the clock was set back. */
  isOld({ until }: Lease, now: number): boolean {
    return until - now < (this.#leaseMs * 2) / 3 || until - now > this.#leaseMs;
  }

  /** When the first lease of another process ends, in milliseconds since the epoch; `Infinity` where there is no other. */
  nextEnd(self: number): number {
    return Number(this.#statements.row("next", self).until ?? Infinity);
  }

  /** Other processes whose lease has run out, each with until when it was. */
  expired(self: number, now: number): ReadonlyMap<number, number> {
    return new Map(this.#statements.rows("expired", now, self).map(({ id, until }) => [Number(id), Number(until)]));
  }

  dismiss(owner: number): void {
    this.#statements.run("dismiss", owner);
  }

  /** Once the clock may have been set back: a lease that ends far ahead was written before. */
  clampLeases(now: number): void {
    const until = now + FAR_LEASES * this.#leaseMs;
    this.#statements.run("shorten", until, until);
  }

  /** Changes with every commit of another handle's. */
  version(): number {
    return Number(this.#statements.row("version").data_version);
  }
}
