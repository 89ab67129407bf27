// When the next round begins: in the next turn of the event loop, or after a time.

import { AsyncResource } from "node:async_hooks";

export class Alarm {
  /** Bound to the asynchronous context in which the inbox was made: rounds must not keep the context of a callback. */
  readonly #ring: () => void;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(ring: () => void) {
    this.#ring = AsyncResource.bind(ring);
  }

  setNextTurn(): void {
    this.clear();
    this.#immediate = setImmediate(this.#ring);
  }

  set(ms: number): void {
    this.clear();
    this.#timer = setTimeout(this.#ring, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }
}
