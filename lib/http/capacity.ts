// Counts the callbacks in flight, and decides whether another one is let in.

/**
 * The stages of a callback: handlers of `unauthorized` run, the body is being read, the message waits or is being
 * handled, or it is a duplicate of a message in flight and waits for its end. Each stage has `maxInFlight` slots of its own, so that strangers cannot use up the provider's.
 */
export type Stage = "refusing" | "reading" | "handling" | "duplicate";

/** A callback whose caller the user's functions are checking. Called to end the check if another needs its slot. */
export type Check = () => void;

/** The slot that a callback in flight occupies. */
export type Slot = Stage | Check;

export class Capacity {
  readonly #max: number;
  readonly #inFlight: Record<Stage, number> = { refusing: 0, reading: 0, handling: 0, duplicate: 0 };
  /** The longest running first. */
  readonly #checks = new Set<Check>();
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  /** @param max - slots of each stage, and as many for callers being checked */
  constructor(max: number) {
    this.#max = max;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Lets a callback in, unless the router is closing or its stage is full.
   *
   * A check always gets a slot: if all are taken, the longest running check is ended. On arrival, the provider looks
   * like any stranger, and strangers with slow checks must not keep it out.
   *
   * @returns whether the callback was let in
   */
  enter(slot: Slot): boolean {
    if (this.#closed) return false;
    if (typeof slot === "function") {
      const [slowest] = this.#checks;
      if (slowest !== undefined && this.#checks.size >= this.#max) slowest();
      this.#checks.add(slot);
      return true;
    }
    if (this.#inFlight[slot] >= this.#max) return false;
    this.#inFlight[slot]++;
    return true;
  }

  /**
   * Moves a callback to its next stage, also while the router is closing.
   *
   * @returns `false` if that stage is full; the callback then keeps its slot
   */
  move(from: Slot, to: Stage): boolean {
    if (this.#inFlight[to] >= this.#max) return false;
    this.#inFlight[to]++;
    this.leave(from);
    return true;
  }

  /** Ends what a successful `move("handling", "duplicate")` began: the slot that is left is that of handling. */
  handleAgain(): void {
    this.#inFlight.handling++;
    this.#inFlight.duplicate--;
  }

  leave(slot: Slot): void {
    if (typeof slot === "function") this.#checks.delete(slot);
    else this.#inFlight[slot]--;
    if (this.isEmpty) this.#whenEmpty?.();
  }

  /** Stops letting callbacks in. Resolves when none is in flight. */
  close(): Promise<void> {
    this.#closed = true;
    return this.isEmpty ? Promise.resolve() : new Promise((resolve) => (this.#whenEmpty = resolve));
  }

  /** Whether no callback is in flight. */
  get isEmpty(): boolean {
    const { refusing, reading, handling, duplicate } = this.#inFlight;
    return this.#checks.size + refusing + reading + handling + duplicate === 0;
  }
}
