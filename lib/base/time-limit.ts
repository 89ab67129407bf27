// Limits how long the package waits for the user's code: handlers, and the inbox.

/** Node.js sets a longer timer to 1 ms. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** One limit for many waits, all of which can be ended at once. */
export class TimeLimit {
  /** In milliseconds. */
  readonly ms: number;
  readonly #waits = new Set<() => void>();
  #isOver = false;

  constructor(ms: number) {
    this.ms = ms;
  }

  /** Waits for a promise, which must not reject. Resolves with `false` if the time is over first. */
  wait(settled: Promise<unknown>): Promise<boolean> {
    if (this.#isOver) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (inTime: boolean): void => {
        clearTimeout(timer);
        this.#waits.delete(expire);
        resolve(inTime);
      };
      const expire = (): void => end(false);
      const timer = setTimeout(expire, this.ms);
      this.#waits.add(expire);
      void settled.then(() => end(true));
    });
  }

  /** Whether `expire` was called: the time of every wait is over, future ones included. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends every wait, as if its time were over. */
  expire(): void {
    this.#isOver = true;
    for (const expire of this.#waits) expire();
  }
}
