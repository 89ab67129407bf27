// Ends a router: it is drained, then closed.

import { invalidArgument } from "../base/errors.js";
import { hasOnly } from "../base/record.js";
import { MAX_TIMER_MS } from "../base/time-limit.js";

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
  /** By the monotonic clock. */
  #drainedAt = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;
  #endDraining = (): void => undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  get hasBegun(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * A further call can make the draining shorter, never longer. All calls resolve when the router is closed.
   *
   * @throws TypeError if an option is unknown or has a wrong value
   */
  begin(options: unknown): Promise<void> {
    const drainMs = readDrainMs(options);
    this.#closed ??= this.#drainAndClose();
    const drainedAt = performance.now() + drainMs;
    if (drainedAt < this.#drainedAt) {
      this.#drainedAt = drainedAt;
      clearTimeout(this.#timer);
      if (drainMs === 0) this.#endDraining();
      else this.#timer = setTimeout(this.#endDraining, drainMs);
    }
    return this.#closed;
  }

  async #drainAndClose(): Promise<void> {
    const drained = new Promise<void>((resolve) => (this.#endDraining = resolve));
    this.#deps.begin();
    await drained;
    await this.#deps.close();
  }
}

function readDrainMs(options: unknown): number {
  if (!hasOnly(options, ["drainMs"])) throw invalidArgument("sms.close takes { drainMs }, or nothing.");
  const { drainMs = 0 } = options;
  if (!Number.isSafeInteger(drainMs) || (drainMs as number) < 0 || (drainMs as number) > MAX_TIMER_MS)
    throw invalidArgument(`sms.close({ drainMs }) takes a whole number of milliseconds from 0 to ${MAX_TIMER_MS}.`);
  return drainMs as number;
}
