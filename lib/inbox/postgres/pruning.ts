// Removes the keys of messages that were done longer ago than `retentionMs`, some at a time, beside the rounds.

import type { Requests } from "./requests.js";

/** How often it looks, in milliseconds. */
const INTERVAL_MS = 1_000;
/** How many keys are removed at once. */
const BATCH = 5_000;

export class Pruning {
  readonly #requests: Requests;
  readonly #statement: string;
  readonly #retentionMs: number;
  #nextAt = 0;
  #running: Promise<void> | undefined;

  constructor(requests: Requests, statement: string, retentionMs: number) {
    this.#requests = requests;
    this.#statement = statement;
    this.#retentionMs = retentionMs;
  }

  /** Removes keys if it is time. */
  prune(inbox: number): void {
    const now = performance.now();
    if (this.#running !== undefined || now < this.#nextAt) return;
    this.#nextAt = now + Math.min(INTERVAL_MS, this.#retentionMs);
    this.#running = this.#prune(inbox).finally(() => (this.#running = undefined));
  }

  async close(): Promise<void> {
    await this.#running;
  }

  async #prune(inbox: number): Promise<void> {
    try {
      const [row] = await this.#requests.rows(this.#statement, [inbox, this.#retentionMs, BATCH]);
      if (Number(row?.pruned) === BATCH) this.#nextAt = 0;
    } catch {
      // A round will report that the database failed. The keys stay until the next time.
    }
  }
}
