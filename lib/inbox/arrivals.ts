// The messages that wait to be written, each until its deadline.

import type { SmsMessage } from "../callback/message.js";

type Stored = "stored" | "duplicate";

export interface Arrival {
  readonly message: SmsMessage;
  /** In milliseconds since the epoch. */
  readonly deadline: number;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (cause: unknown) => void;
}

export class Arrivals {
  #waiting: Arrival[] = [];

  /** @returns a promise that settles once the message is written, or will not be */
  add(message: SmsMessage, deadline: number): Promise<Stored> {
    return new Promise((resolve, reject) => this.#waiting.push({ message, deadline, resolve, reject }));
  }

  get waiting(): readonly Arrival[] {
    return this.#waiting;
  }

  /** Removes and returns the messages that came first. */
  take(limit = Infinity): Arrival[] {
    return this.#waiting.splice(0, limit);
  }

  /** Removes and rejects the messages past their deadline. They are never written: their callbacks are answered 503. */
  dropLate(now: number, cause: () => unknown): void {
    if (!this.#waiting.some(({ deadline }) => deadline <= now)) return;
    const late = this.#waiting.filter(({ deadline }) => deadline <= now);
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
    for (const { reject } of late) reject(cause());
  }

  /** Removes and rejects every message. */
  reject(cause: unknown): void {
    for (const { reject } of this.take()) reject(cause);
  }
}
