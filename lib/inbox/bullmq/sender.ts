// Sends messages to Redis. Those that come in one turn of the event loop are sent together.

import { AsyncResource } from "node:async_hooks";
import type { Redis as Client } from "ioredis";

import { codedError } from "../../base/errors.js";
import type { SmsMessage } from "../../callback/message.js";
import { Arrivals, type Arrival } from "../arrivals.js";
import type { Ledger, Stored } from "./ledger.js";
import { redisFailed, unreachable } from "./unreachable.js";

/** How many messages are sent together at most. */
const BATCH = 500;
/** How many batches are in flight at most: one is written while the replies of another are read. */
const MAX_IN_FLIGHT = 2;
/**
 * How long before its deadline a message that waits for a connection is rejected, in milliseconds: the error then says
 * what is wrong with Redis.
 */
const EARLY_MS = 20;

export class Sender {
  readonly #client: Client;
  readonly #ledger: Ledger;
  readonly #arrivals = new Arrivals();
  #inFlight = 0;
  #lastError: Error = redisFailed("no connection in time");
  #next: NodeJS.Immediate | undefined;
  #expiry: NodeJS.Timeout | undefined;
  /**
   * Bound to the asynchronous context in which the inbox was made: the sender must not keep the context of a callback.
   */
  readonly #boundSend = AsyncResource.bind(() => this.#send());

  constructor(client: Client, ledger: Ledger) {
    this.#client = client;
    this.#ledger = ledger;
    client.on("error", (error) => (this.#lastError = error));
    client.on("ready", () => this.#sendSoon());
  }

  /** Waits for Redis until the deadline: the provider will hardly send a rejected callback again. */
  store(message: SmsMessage, deadline: number): Promise<Stored> {
    this.#sendSoon();
    return this.#arrivals.add(message, deadline);
  }

  /** Rejects the messages that are not sent yet. */
  close(): void {
    clearImmediate(this.#next);
    clearTimeout(this.#expiry);
    this.#arrivals.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
  }

  #sendSoon(): void {
    this.#next ??= setImmediate(this.#boundSend);
  }

  #send(): void {
    this.#next = undefined;
    this.#arrivals.dropLate(Date.now() + EARLY_MS, () =>
      this.#client.status === "ready" ? codedError("KALEYRA_SMS_STORE_TIMEOUT") : unreachable(this.#lastError),
    );
    while (this.#client.status === "ready" && this.#inFlight < MAX_IN_FLIGHT && this.#arrivals.waiting.length > 0) {
      void this.#write(this.#arrivals.take(BATCH));
    }
    clearTimeout(this.#expiry);
    if (this.#arrivals.waiting.length === 0) return;
    const first = this.#arrivals.waiting.reduce((earliest, { deadline }) => Math.min(earliest, deadline), Infinity);
    this.#expiry = setTimeout(this.#boundSend, Math.max(first - EARLY_MS - Date.now(), 1));
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
    if (this.#arrivals.waiting.length > 0) this.#sendSoon();
  }
}
