// Ends a router: it is drained, then closed.

import { invalidArgument } from "../base/errors.js";
import { hasOnly } from "../base/record.js";
import { MAX_TIMER_MS } from "../base/time-limit.js";

/** The options of `sms.close()`. */
export interface CloseOptions {
  /**
   * Milliseconds for which the router answers and handles as before, while load balancers still send callbacks. Its
   * answers close their connections. Default: 0.
   */
  readonly drainMs?: number | undefined;
}

interface Deps {
  /** Called once, at the start. */
  readonly begin: () => void;
  /** Called once, when the draining is over. Does not reject. */
  readonly close: () => Promise<void>;
}

export class Closing {
  readonly #deps: Deps;
  readonly #closed: Promise<void>;
  #resolve = (): void => undefined;
  /** By the monotonic clock. */
  #drainedAt = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isDrained = false;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#closed = new Promise<void>((resolve) => (this.#resolve = resolve));
  }

  get hasBegun(): boolean {
    return this.#drainedAt < Infinity;
  }

  /**
   * A further call can make the draining shorter, never longer. All calls resolve when the router is closed. Without
   * draining, no callback is let in from this call on.
   *
   * @throws TypeError if an option is unknown or has a wrong value
   */
  begin(options: unknown): Promise<void> {
    const drainMs = readDrainMs(options);
    const drainedAt = performance.now() + drainMs;
    if (!this.#isDrained && drainedAt < this.#drainedAt) {
      const isFirst = !this.hasBegun;
      this.#drainedAt = drainedAt;
      if (isFirst) this.#deps.begin();
      clearTimeout(this.#timer);
      if (drainMs === 0) this.#endDraining();
      else this.#timer = setTimeout(() => this.#endDraining(), drainMs);
    }
    return this.#closed;
  }

  #endDraining(): void {
    this.#isDrained = true;
    void this.#deps.close().then(this.#resolve);
  }
}

function readDrainMs(options: unknown): number {
  // The name of a signal: process.once("SIGTERM", sms.close). An error would end the process before what runs has ended.
  if (typeof options === "string") return 0;
  if (!hasOnly(options, ["drainMs"])) throw invalidArgument("sms.close takes { drainMs }, or nothing.");
  const { drainMs = 0 } = options;
  if (!Number.isSafeInteger(drainMs) || (drainMs as number) < 0 || (drainMs as number) > MAX_TIMER_MS)
    throw invalidArgument(`sms.close({ drainMs }) takes a whole number of milliseconds from 0 to ${MAX_TIMER_MS}.`);
  return drainMs as number;
}
