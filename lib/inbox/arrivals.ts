// The messages that wait to be written, each until nobody waits for it any more.

import type { SmsMessage } from "../callback/message.js";

type Stored = "stored" | "duplicate";

export interface Arrival {
  readonly message: SmsMessage;
  /** Aborts when nobody waits for the message any more. A caller in JavaScript may give none. */
  readonly signal: AbortSignal | undefined;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (cause: unknown) => void;
}

export class Arrivals {
  #waiting: Arrival[] = [];

  /** @returns a promise that settles once the message is written, or will not be */
  add(message: SmsMessage, signal: AbortSignal | undefined): Promise<Stored> {
    return new Promise((resolve, reject) => this.#waiting.push({ message, signal, resolve, reject }));
  }

  get waiting(): readonly Arrival[] {
    return this.#waiting;
  }

  /** Removes and returns the messages that came first. */
  take(limit = Infinity): Arrival[] {
    return this.#waiting.splice(0, limit);
  }

  /**
   * Removes and rejects the messages for which nobody waits any more. They are never written: their callbacks get
   * a 503.
   *
   * @param cause - the error, if it is not the reason of the signal
   * @param kept - how many of the first messages stay: they are being written
   */
  dropAborted(cause?: () => unknown, kept = 0): void {
    const isDropped = ({ signal }: Arrival, n: number): boolean => n >= kept && signal?.aborted === true;
    if (!this.#waiting.some(isDropped)) return;
    const aborted = this.#waiting.filter(isDropped);
    this.#waiting = this.#waiting.filter((arrival, n) => !isDropped(arrival, n));
    for (const { signal, reject } of aborted) reject(cause === undefined ? signal?.reason : cause());
  }

  /** Removes and rejects every message. */
  reject(cause: unknown): void {
    for (const { reject } of this.take()) reject(cause);
  }
}
