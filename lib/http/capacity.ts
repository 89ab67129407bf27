// How many callbacks are in hand, and whether there is room for another.

/** Where a callback is whose caller may call: its body is being read, or its message waits or is handled. Each place has room of its own. */
export type Place = "reading" | "handling";

/** A callback whose caller is being checked: called when it has to go, since others came. */
export type Check = () => void;

export class Capacity {
  readonly #max: number;
  readonly #inHand: Record<Place, number> = { reading: 0, handling: 0 };
  /** The one that takes longest stands first. */
  readonly #checks = new Set<Check>();
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  /** @param max - how many in each place, and how many whose caller is being checked */
  constructor(max: number) {
    this.#max = max;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Takes one in hand whose caller is being checked. Where there is no room, the one that takes longest has to go: strangers and slow checks never keep
   * out one that is checked quickly.
   */
  check(check: Check): void {
    const [slowest] = this.#checks;
    if (slowest !== undefined && this.#checks.size >= this.#max) {
      this.#checks.delete(slowest);
      slowest();
    }
    this.#checks.add(check);
  }

  /** Takes one in hand; `false` where there is no room. */
  enter(place: Place): boolean {
    if (this.#closed || this.#inHand[place] >= this.#max) return false;
    this.#inHand[place]++;
    return true;
  }

  /** One that is in hand goes on, also while the router closes; `false` where there is no room, and it stays where it is. */
  move(from: Place | Check, to: Place): boolean {
    if (this.#inHand[to] >= this.#max) return false;
    this.#inHand[to]++;
    this.leave(from);
    return true;
  }

  leave(place: Place | Check): void {
    if (typeof place === "function") this.#checks.delete(place);
    else this.#inHand[place]--;
    if (this.#isEmpty) this.#whenEmpty?.();
  }

  /** Lets nobody in any more; resolves when none is in hand. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#isEmpty ? Promise.resolve() : new Promise((resolve) => (this.#whenEmpty = resolve));
  }

  get #isEmpty(): boolean {
    return this.#checks.size + this.#inHand.reading + this.#inHand.handling === 0;
  }
}
