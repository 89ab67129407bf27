// Remembers, in the memory of this process, the keys of the handled messages.

/**
 * A key, and until when it is remembered: milliseconds of a monotonic clock.
 * They are whole and small, since V8 stores such numbers without extra memory.
 */
type Entry = readonly [key: string, until: number];

export class HandledKeys {
  readonly #windowMs: number;
  readonly #max: number;
  /** In order of handling, the oldest first. */
  readonly #until = new Map<string, number>();
  /** One iterator for the whole life: a new one would step over every deleted entry, each time. */
  readonly #inOrder = this.#until.entries();
  #oldest: Entry | undefined;

  /** @param max - how many keys are remembered; beyond it, the oldest is forgotten */
  constructor(windowMs: number, max: number) {
    this.#windowMs = windowMs;
    this.#max = max;
  }

  has(key: string): boolean {
    const until = this.#until.get(key);
    return until !== undefined && until > sinceStart();
  }

  add(key: string): void {
    const now = sinceStart();
    // Deleted first, so that it is added at the end.
    this.#until.delete(key);
    this.#until.set(key, now + this.#windowMs);
    this.#oldest ??= this.#next();
    while (this.#oldest !== undefined && (this.#oldest[1] <= now || this.#until.size > this.#max)) {
      const [oldest, until] = this.#oldest;
      // If it was handled again since, its newer entry comes later and is kept.
      if (this.#until.get(oldest) === until) this.#until.delete(oldest);
      this.#oldest = this.#next();
    }
  }

  #next(): Entry | undefined {
    const { done, value } = this.#inOrder.next();
    return done === true ? undefined : value;
  }
}

function sinceStart(): number {
  return Math.trunc(performance.now());
}
