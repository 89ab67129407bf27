// How many callbacks are in flight, and whether there is room for another.

/**
 * The stages of a callback. Each has `maxInFlight` places of its own, so that strangers take none of the provider's: handlers of
 * `unauthorized` run, the body is being read, or the message waits or is handled.
 */
export type Stage = "refusing" | "reading" | "handling";

/** A callback whose caller is being checked by functions of the user. Called to end it, if others need its place. */
export type Check = () => void;

/** What a callback in flight occupies. */
export type Place = Stage | Check;

export class Capacity {
  readonly #max: number;
  readonly #inFlight: Record<Stage, number> = { refusing: 0, reading: 0, handling: 0 };
  /** The one that takes longest stands first. */
  readonly #checks = new Set<Check>();
  #closed = false;
  #whenEmpty: (() => void) | undefined;

  /** @param max - the places of each stage, and of callers that are being checked */
  constructor(max: number) {
    this.#max = max;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Takes in a callback.
   *
   * A caller to be checked always gets a place: if all are taken, the check that takes longest is ended. On arrival, nobody can tell the provider from
   * a stranger, and strangers whose checks take long must not keep it out.
   *
   * @returns whether there is room
   */
  enter(place: Place): boolean {
    if (this.#closed) return false;
    if (typeof place === "function") {
      const [slowest] = this.#checks;
      if (slowest !== undefined && this.#checks.size >= this.#max) slowest();
      this.#checks.add(place);
      return true;
    }
    if (this.#inFlight[place] >= this.#max) return false;
    this.#inFlight[place]++;
    return true;
  }

  /** Moves a callback to its next stage, also while the router closes. If there is no room, it stays, and `false` is returned. */
  move(from: Place, to: Stage): boolean {
    if (this.#inFlight[to] >= this.#max) return false;
    this.#inFlight[to]++;
    this.leave(from);
    return true;
  }

  leave(place: Place): void {
    if (typeof place === "function") this.#checks.delete(place);
    else this.#inFlight[place]--;
    if (this.#isEmpty) this.#whenEmpty?.();
  }

  /** Lets no callback in any more. Resolves when none is in flight. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#isEmpty ? Promise.resolve() : new Promise((resolve) => (this.#whenEmpty = resolve));
  }

  get #isEmpty(): boolean {
    const { refusing, reading, handling } = this.#inFlight;
    return this.#checks.size + refusing + reading + handling === 0;
  }
}
