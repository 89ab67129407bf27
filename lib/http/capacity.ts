// How many callbacks are in hand, and whether there is room for another.

/**
 * Where a callback is: functions of the user's are asked whether its caller may call, handlers are told that it may not, its body is being read, or its
 * message waits or is handled. Each place has room of its own, so that strangers take none of those behind it.
 */
export type Place = "checking" | "refusing" | "reading" | "handling";

export class Capacity {
  readonly #max: number;
  readonly #inHand: Record<Place, number> = { checking: 0, refusing: 0, reading: 0, handling: 0 };
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  /** @param max - how many in each place */
  constructor(max: number) {
    this.#max = max;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Takes one in hand; `false` where there is no room. */
  enter(place: Place): boolean {
    if (this.#closed || this.#inHand[place] >= this.#max) return false;
    this.#inHand[place]++;
    return true;
  }

  /** One that is in hand goes on, also while the router closes; `false` where there is no room, and it stays where it is. */
  move(from: Place, to: Place): boolean {
    if (this.#inHand[to] >= this.#max) return false;
    this.#inHand[to]++;
    this.leave(from);
    return true;
  }

  leave(place: Place): void {
    this.#inHand[place]--;
    if (this.#isEmpty) this.#whenEmpty?.();
  }

  /** Lets nobody in any more; resolves when none is in hand. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#isEmpty ? Promise.resolve() : new Promise((resolve) => (this.#whenEmpty = resolve));
  }

  get #isEmpty(): boolean {
    const { checking, refusing, reading, handling } = this.#inHand;
    return checking + refusing + reading + handling === 0;
  }
}
