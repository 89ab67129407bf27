// A message that is being handled. Its duplicates wait for its end, each within a time limit of its own.

import type { TimeLimit } from "../../base/time-limit.js";
import type { Handling } from "../../handlers/handling.js";

export type Ended = Handling["outcome"];

export class Running {
  #ended: Ended | undefined;
  readonly #waiting = new Set<() => void>();

  end(outcome: Ended): void {
    this.#ended = outcome;
    for (const wake of this.#waiting) wake();
  }

  /**
   * Resolves with how the message ended, or `timed-out` if that takes longer than the limit.
   * Each caller gets a promise of its own: a shared one that never settles would keep every caller in memory.
   */
  async wait(limit: TimeLimit): Promise<Ended> {
    let wake = (): void => undefined;
    const ended = new Promise<void>((resolve) => (wake = resolve));
    this.#waiting.add(wake);
    await limit.wait(ended);
    this.#waiting.delete(wake);
    return this.#ended ?? "timed-out";
  }
}
