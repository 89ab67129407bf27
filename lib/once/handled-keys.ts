// Remembers, in the memory of this process, which messages were handled.

export class HandledKeys {
  readonly #windowMs: number;
  readonly #max: number;
  /** Until when each key is remembered; in order of handling, so that the oldest stands first. */
  readonly #until = new Map<string, number>();

  /** @param max - how many keys at the most: beyond it the oldest is forgotten */
  constructor(windowMs: number, max: number) {
    this.#windowMs = windowMs;
    this.#max = max;
  }

  has(key: string): boolean {
    const until = this.#until.get(key);
    return until !== undefined && until > Date.now();
  }

  add(key: string): void {
    const now = Date.now();
    this.#until.delete(key);
    this.#until.set(key, now + this.#windowMs);
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size <= this.#max) break;
      this.#until.delete(oldest);
    }
  }
}
