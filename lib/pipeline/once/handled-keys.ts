// Remembers, in the memory of this process, which messages were handled.

/** A key, and until when it is remembered, in milliseconds by a clock that nobody sets. Small integers take no memory of their own. */
type Entry = readonly [key: string, until: number];

export class HandledKeys {
  readonly #windowMs: number;
  readonly #max: number;
  /** In order of handling, so that the oldest stands first. */
  readonly #until = new Map<string, number>();
  /** Walks along behind what is added. A walk from the start would step over all that was forgotten, each time. */
  readonly #inOrder = this.#until.entries();
  #oldest: Entry | undefined;

  /** @param max - how many keys at the most: beyond it the oldest is forgotten */
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
    // Taken out first, so that it is added at the end.
    this.#until.delete(key);
    this.#until.set(key, now + this.#windowMs);
    this.#oldest ??= this.#next();
    while (this.#oldest !== undefined && (this.#oldest[1] <= now || this.#until.size > this.#max)) {
      const [oldest, until] = this.#oldest;
      // Not where it was handled again since: then it stands further on.
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
