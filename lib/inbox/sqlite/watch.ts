// Watches what other processes do with the file. SQLite sends no notifications, so it looks from time to time.

import type { Suspects } from "./round.js";
import type { Statements } from "./statements.js";

/** How often it looks, in milliseconds. */
export const LOOK_MS = 100;
/** The smallest setting back of the clock that counts, in milliseconds. */
const SET_BACK_MS = 500;

export class Watch {
  readonly #statements: Statements;
  readonly #leaseMs: number;
  /** When the next message is known to be due, in milliseconds since the epoch; `Infinity` if none is. */
  due = 0;
  /** The processes whose lease has ended. */
  suspects: Suspects = new Map();
  /** Whether the clock may have been set back since the last round. */
  isClockSetBack = false;
  /** When another process may be dead, in milliseconds since the epoch. */
  #inspectAt = Infinity;
  /** By the monotonic clock. */
  #lookedAt = -Infinity;
  /** How far the system clock is ahead of the monotonic clock, in milliseconds. */
  #ahead = Infinity;
  /** The last `data_version` of the file. */
  #version = -1;

  constructor(statements: Statements, leaseMs: number) {
    this.#statements = statements;
    this.#leaseMs = leaseMs;
  }

  /** Looks at the file, at most every `LOOK_MS`. @param self - the id of this process in the file */
  look(self: number): void {
    const at = performance.now();
    if (at - this.#lookedAt < LOOK_MS) return;
    this.due = Number(this.#statements.row("nextDue").due ?? Infinity);
    const since = Array.from(this.suspects.values(), (suspect) => suspect.since);
    const suspectedSince = Math.min(...since, Infinity);
    this.#inspectAt = Math.max(
      Number(this.#statements.row("nextLeaseEnd", self).until ?? Infinity),
      suspectedSince === Infinity ? 0 : suspectedSince + this.#leaseMs / 3,
    );
    this.#lookedAt = at;
    const ahead = Date.now() - at;
    if (ahead < this.#ahead - SET_BACK_MS) this.isClockSetBack = true;
    this.#ahead = ahead;
  }

  /** Whether to look for dead processes. */
  isInspectionDue(now: number): boolean {
    return this.#inspectAt <= now;
  }

  /** To be called when a round is committed. Until the next look, this process relies on its result. */
  committed(due: number, suspects: Suspects): void {
    this.due = due;
    this.suspects = suspects;
    this.isClockSetBack = false;
    this.#inspectAt = Infinity;
  }

  /** Whether another process has written since the last call. */
  hasChanged(): boolean {
    const version = Number(this.#statements.row("dataVersion").data_version);
    const hasChanged = version !== this.#version;
    this.#version = version;
    return hasChanged;
  }
}
