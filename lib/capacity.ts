// How many callbacks are in hand, and whether there is room for another.

export class Capacity {
  readonly #max: number;
  #inHand = 0;
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes one in hand; `false` where there is no room. */
  enter(): boolean {
    if (this.#closed || this.#inHand >= this.#max) return false;
    this.#inHand++;
    return true;
  }

  leave(): void {
    this.#inHand--;
    if (this.#inHand === 0) this.#whenEmpty?.();
  }

  /** Lets nobody in any more; resolves when none is in hand. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#inHand === 0 ? Promise.resolve() : new Promise((resolve) => (this.#whenEmpty = resolve));
  }
}
