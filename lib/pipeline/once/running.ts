// A message that is being handled, for its repeats: they wait for its end, each for its own time, and leave nothing behind.

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

  /** How it ended; `timed-out` where that takes longer than the limit. A promise of its own: of one that never settles, nobody could let go. */
  async wait(limit: TimeLimit): Promise<Ended> {
    let wake = (): void => undefined;
    const ended = new Promise<void>((resolve) => (wake = resolve));
    this.#waiting.add(wake);
    await limit.wait(ended);
    this.#waiting.delete(wake);
    return this.#ended ?? "timed-out";
  }
}
