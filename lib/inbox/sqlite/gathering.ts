// How long a transaction waits for more: the more it holds, the less it costs each.

/** As long as more comes in each turn of the event loop, and at the most so long, in milliseconds. */
const GATHER_MS = 5;

export class Gathering {
  /** How many there were in the turn before; 0 where nothing is gathered. */
  #count = 0;
  #since = 0;

  /** Whether to wait one more turn. @param count - how many there are by now */
  isMoreComing(count: number): boolean {
    if (this.#count === 0) this.#since = performance.now();
    const isMore = count > this.#count && performance.now() - this.#since < GATHER_MS;
    this.#count = isMore ? count : 0;
    return isMore;
  }
}
