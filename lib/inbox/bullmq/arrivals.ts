// Messages on their way into Redis: those that come in one turn of the event loop go together.

import type { Redis as Client } from "ioredis";

import type { SmsMessage } from "../../callback/message.js";
import type { Ledger, Stored } from "./ledger.js";
import { storeTimeout } from "../store-timeout.js";
import { unreachable } from "./unreachable.js";

/** A message that waits for its turn. */
interface Arrival {
  readonly message: SmsMessage;
  readonly deadline: number;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (cause: Error) => void;
}

/** Messages that go together, at most. */
const BATCH = 500;
/** One is written while another is read back. */
const MOST_IN_FLIGHT = 2;
/** What waits for a connection is given up so much before its deadline, in milliseconds: whoever waits learns what Redis lacks. */
const EARLY_MS = 20;

export class Arrivals {
  readonly #client: Client;
  readonly #ledger: Ledger;
  #waiting: Arrival[] = [];
  #inFlight = 0;
  #lack: Error = new Error("no connection within its time");
  #next: NodeJS.Immediate | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(client: Client, ledger: Ledger) {
    this.#client = client;
    this.#ledger = ledger;
    client.on("error", (error) => (this.#lack = error));
    client.on("ready", () => this.#soon());
  }

  /** Waits for Redis until the deadline: whoever is answered that it was not stored will hardly send it again. */
  store(message: SmsMessage, deadline: number): Promise<Stored> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, deadline, resolve, reject });
      this.#soon();
    });
  }

  /** Gives up what is not sent. */
  close(): void {
    clearImmediate(this.#next);
    clearTimeout(this.#expiry);
    for (const { reject } of this.#waiting.splice(0)) reject(unreachable(new Error("the inbox is closed")));
  }

  #soon(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#send();
    });
  }

  #send(): void {
    this.#dropLate();
    while (this.#client.status === "ready" && this.#inFlight < MOST_IN_FLIGHT && this.#waiting.length > 0) {
      void this.#write(this.#waiting.splice(0, BATCH));
    }
    clearTimeout(this.#expiry);
    if (this.#waiting.length === 0) return;
    const first = this.#waiting.reduce((earliest, { deadline }) => Math.min(earliest, deadline), Infinity);
    this.#expiry = setTimeout(() => this.#send(), Math.max(first - EARLY_MS - Date.now(), 1));
  }

  async #write(batch: readonly Arrival[]): Promise<void> {
    this.#inFlight++;
    try {
      const stored = await this.#ledger.add(batch.map(({ message }) => message));
      batch.forEach(({ resolve, reject }, n) => {
        const result = stored[n];
        if (result?.status === "fulfilled") resolve(result.value);
        else reject(unreachable(result?.reason));
      });
    } catch (error) {
      for (const { reject } of batch) reject(unreachable(error));
    }
    this.#inFlight--;
    if (this.#waiting.length > 0) this.#soon();
  }

  /** Nobody waits for them any longer: they are never sent. */
  #dropLate(): void {
    const now = Date.now() + EARLY_MS;
    if (!this.#waiting.some(({ deadline }) => deadline <= now)) return;
    const late = this.#waiting.filter(({ deadline }) => deadline <= now);
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
    const cause = this.#client.status === "ready" ? storeTimeout() : unreachable(this.#lack);
    for (const { reject } of late) reject(cause);
  }
}
