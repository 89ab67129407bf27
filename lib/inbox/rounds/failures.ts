// Rounds that failed one after the other: when the next one is tried, and whether the failure is reported.

/** The longest delay after a failure that is likely to be brief, in milliseconds. */
const BRIEF_MS = 5;
/** The longest delay after any other failure, in milliseconds. */
const MAX_RETRY_MS = 1_000;
/** How long a failure may pass for a brief one before it is reported, in milliseconds. */
const PATIENCE_MS = 1_000;

export class Failures {
  /**
   * After an outage, this process must renew its lease before another one takes its messages over: that may wait for no
   * more than a third of a lease.
   */
  readonly maxRetryMs: number;
  /** When the first one failed, by the monotonic clock. */
  #since: number | undefined;
  #retryMs = 0;

  constructor(leaseMs: number) {
    this.maxRetryMs = Math.min(MAX_RETRY_MS, leaseMs / 6);
  }

  /**
   * To be called when a round failed.
   *
   * @param isBrief - whether the failure may be over in a moment
   * @returns when the first one failed, and whether to report this one
   */
  failed(isBrief: boolean): { readonly since: number; readonly isReported: boolean } {
    const now = performance.now();
    const lastMs = this.retryMs ?? BRIEF_MS;
    const since = (this.#since ??= now);
    this.#retryMs = isBrief ? Math.ceil(Math.random() * BRIEF_MS) : Math.min(2 * lastMs, this.maxRetryMs);
    return { since, isReported: !isBrief || now - since >= PATIENCE_MS };
  }

  /** To be called when a round succeeded. */
  over(): void {
    this.#since = undefined;
  }

  /** The delay of the next round in milliseconds; `undefined` if the last one succeeded. */
  get retryMs(): number | undefined {
    return this.#since === undefined ? undefined : this.#retryMs;
  }
}
