// What a process knows of what the others do with the file: it looks from time to time, since nobody tells it.

import type { Ledger } from "./ledger.js";
import type { Processes } from "./processes.js";
import type { Suspects } from "./round.js";

/** How often it looks, in milliseconds. */
export const LOOK_MS = 100;
/** By how much a clock is set back at the least that is heeded, in milliseconds. */
const SET_BACK_MS = 500;

export class Watch {
  readonly #ledger: Ledger;
  readonly #processes: Processes;
  readonly #leaseMs: number;
  /** From when on something is due, as far as is known, in milliseconds since the epoch; `Infinity` where nothing is. */
  due = 0;
  /** Processes whose lease has run out. */
  suspects: Suspects = new Map();
  /** Whether the clock may have been set back since that was heeded last. */
  isClockSetBack = false;
  /** When another process may be dead. */
  #inspectAt = Infinity;
  /** By a clock that nobody sets. */
  #lookedAt = -Infinity;
  /** How far the other clock is ahead of it, in milliseconds. */
  #ahead = Infinity;
  /** Of the file, as another process wrote it last. */
  #version = -1;

  constructor(ledger: Ledger, processes: Processes, leaseMs: number) {
    this.#ledger = ledger;
    this.#processes = processes;
    this.#leaseMs = leaseMs;
  }

  /** Where it is time for it. @param self - as what the process is known */
  look(self: number): void {
    const at = performance.now();
    if (at - this.#lookedAt < LOOK_MS) return;
    this.due = this.#ledger.nextDue();
    const since = Array.from(this.suspects.values(), (suspect) => suspect.since);
    const suspectedSince = Math.min(...since, Infinity);
    this.#inspectAt = Math.max(
      this.#processes.nextEnd(self),
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

  /** A round is committed: until the next look, this process knows what is in the file. */
  committed(due: number, suspects: Suspects): void {
    this.due = due;
    this.suspects = suspects;
    this.isClockSetBack = false;
    this.#inspectAt = Infinity;
  }

  /** Whether another process has written since it was asked last. */
  hasChanged(): boolean {
    const version = this.#processes.version();
    const hasChanged = version !== this.#version;
    this.#version = version;
    return hasChanged;
  }
}
