// Messages that wait to be written, each as long as somebody waits for it.

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

  /** @returns a promise for what becomes of it */
  add(message: SmsMessage, deadline: number): Promise<Stored> {
    return new Promise((resolve, reject) => this.#waiting.push({ message, deadline, resolve, reject }));
  }

  get waiting(): readonly Arrival[] {
    return this.#waiting;
  }

  /** The first ones, which wait here no longer. */
  take(most = Infinity): Arrival[] {
    return this.#waiting.splice(0, most);
  }

  /** Rejects those whose deadline has come: whoever sent them is answered that they were not stored, and they never are. */
  dropLate(now: number, cause: () => unknown): void {
    if (!this.#waiting.some(({ deadline }) => deadline <= now)) return;
    const late = this.#waiting.filter(({ deadline }) => deadline <= now);
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
    for (const { reject } of late) reject(cause());
  }

  /** Rejects all that wait. */
  reject(cause: unknown): void {
    for (const { reject } of this.take()) reject(cause);
  }
}
