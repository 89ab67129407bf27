// How long the package waits for what is not its own: handlers, and the inbox.

/** One limit for many waits, all of which can be ended at once. */
export class TimeLimit {
  /** In milliseconds. */
  readonly ms: number;
  readonly #waits = new Set<() => void>();
  #isOver = false;

  constructor(ms: number) {
    this.ms = ms;
  }

  /** Waits for a promise that does not reject; `false` where the time is over first. */
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

  /** Whether the time of every wait, also of those to come, is over. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends every wait, as if its time were over. */
  expire(): void {
    this.#isOver = true;
    for (const expire of this.#waits) expire();
  }
}
