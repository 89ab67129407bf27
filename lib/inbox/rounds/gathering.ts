// Decides how long a transaction waits for more messages: the more it writes at once, the less each costs.

/** How long it waits at most, in milliseconds, while more messages come in each turn of the event loop. */
const GATHER_MS = 5;

export class Gathering {
  /** The number of messages in the previous turn; 0 if nothing is gathered. */
  #count = 0;
  #since = 0;

  /** Whether to wait one more turn. @param count - the number of messages so far */
  isMoreComing(count: number): boolean {
    if (this.#count === 0) this.#since = performance.now();
    const isMore = count > this.#count && performance.now() - this.#since < GATHER_MS;
    this.#count = isMore ? count : 0;
    return isMore;
  }
}
