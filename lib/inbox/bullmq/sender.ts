// Messages on their way into Redis: those that come in one turn of the event loop go together.

import { AsyncResource } from "node:async_hooks";
import type { Redis as Client } from "ioredis";

import { codedError } from "../../base/errors.js";
import type { SmsMessage } from "../../callback/message.js";
import { Arrivals, type Arrival } from "../arrivals.js";
import type { Ledger, Stored } from "./ledger.js";
import { redisFailed, unreachable } from "./unreachable.js";

/** Messages that go together, at most. */
const BATCH = 500;
/** One is written while another is read back. */
const MOST_IN_FLIGHT = 2;
/** What waits for a connection is given up so much before its deadline, in milliseconds: whoever waits learns what Redis lacks. */
const EARLY_MS = 20;

export class Sender {
  readonly #client: Client;
  readonly #ledger: Ledger;
  readonly #arrivals = new Arrivals();
  #inFlight = 0;
  #lack: Error = redisFailed("no connection in time");
  #next: NodeJS.Immediate | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /** In the asynchronous context in which the inbox was made: that of a message which came would be kept for as long as others follow it. */
  readonly #step = AsyncResource.bind(() => this.#send());

  constructor(client: Client, ledger: Ledger) {
    this.#client = client;
    this.#ledger = ledger;
    client.on("error", (error) => (this.#lack = error));
    client.on("ready", () => this.#soon());
  }

  /** Waits for Redis until the deadline: whoever is answered that it was not stored will hardly send it again. */
  store(message: SmsMessage, deadline: number): Promise<Stored> {
    this.#soon();
    return this.#arrivals.add(message, deadline);
  }

  /** Gives up what is not sent. */
  close(): void {
    clearImmediate(this.#next);
    clearTimeout(this.#expiry);
    this.#arrivals.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
  }

  #soon(): void {
    this.#next ??= setImmediate(this.#step);
  }

  #send(): void {
    this.#next = undefined;
    this.#arrivals.dropLate(Date.now() + EARLY_MS, () =>
      this.#client.status === "ready" ? codedError("KALEYRA_SMS_STORE_TIMEOUT") : unreachable(this.#lack),
    );
    while (this.#client.status === "ready" && this.#inFlight < MOST_IN_FLIGHT && this.#arrivals.waiting.length > 0) {
      void this.#write(this.#arrivals.take(BATCH));
    }
    clearTimeout(this.#expiry);
    if (this.#arrivals.waiting.length === 0) return;
    const first = this.#arrivals.waiting.reduce((earliest, { deadline }) => Math.min(earliest, deadline), Infinity);
    this.#expiry = setTimeout(this.#step, Math.max(first - EARLY_MS - Date.now(), 1));
  }

  async #write(batch: readonly Arrival[]): Promise<void> {
    this.#inFlight++;
    try {
      const last = batch.reduce((latest, { deadline }) => Math.max(latest, deadline), 0);
      const messages = batch.map(({ message }) => message);
      const stored = await this.#ledger.add(messages, last);
      batch.forEach(({ resolve, reject }, n) => {
        const result = stored[n];
        if (result?.status === "fulfilled") resolve(result.value);
        else reject(unreachable(result?.reason));
      });
    } catch (error) {
      for (const { reject } of batch) reject(unreachable(error));
    }
    this.#inFlight--;
    if (this.#arrivals.waiting.length > 0) this.#soon();
  }
}
