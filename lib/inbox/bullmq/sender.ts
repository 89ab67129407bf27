// Sends messages to Redis. Those that come in one turn of the event loop are sent together.

import { AsyncResource } from "node:async_hooks";
import type { Redis as Client } from "ioredis";

import { codedError } from "../../base/errors.js";
import type { SmsMessage } from "../../callback/message.js";
import { Arrivals, type Arrival } from "../arrivals.js";
import type { Ledger, Stored } from "./ledger.js";
import { redisFailed, replicasMissing, unreachable } from "./unreachable.js";

/** How many messages are sent together at most. */
const BATCH = 500;
/** How many batches are in flight at most: one is written while the replies of another are read. */
const MAX_IN_FLIGHT = 2;

export class Sender {
  readonly #client: Client;
  readonly #ledger: Ledger;
  readonly #arrivals = new Arrivals();
  #inFlight = 0;
  #lastError: Error = redisFailed("no connection in time");
  #next: NodeJS.Immediate | undefined;
  /** The messages that wait for a connection. */
  readonly #unsent = new WeakSet<Arrival>();
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

  /** Waits for Redis until the signal aborts: the provider will hardly send a rejected callback again. */
  store(message: SmsMessage, signal: AbortSignal): Promise<Stored> {
    this.#sendSoon();
    return this.#arrivals.add(message, signal);
  }

  /** Rejects the messages that are not sent yet. */
  close(): void {
    clearImmediate(this.#next);
    this.#arrivals.reject(codedError("KALEYRA_SMS_INBOX_CLOSED"));
  }

  #sendSoon(): void {
    this.#next ??= setImmediate(this.#boundSend);
  }

  #send(): void {
    this.#next = undefined;
    this.#dropAborted();
    while (this.#client.status === "ready" && this.#inFlight < MAX_IN_FLIGHT && this.#arrivals.waiting.length > 0) {
      void this.#write(this.#arrivals.take(BATCH));
    }
    for (const arrival of this.#arrivals.waiting) {
      if (this.#unsent.has(arrival)) continue;
      this.#unsent.add(arrival);
      arrival.signal?.addEventListener("abort", () => this.#dropAborted(), { once: true });
    }
  }

  /** The error says what is wrong with Redis. */
  #dropAborted(): void {
    this.#arrivals.dropAborted(this.#client.status === "ready" ? undefined : () => unreachable(this.#lastError));
  }

  async #write(batch: readonly Arrival[]): Promise<void> {
    this.#inFlight++;
    try {
      const stored = await this.#ledger.add(batch.map(({ message }) => message));
      if (this.#ledger.needsReplicas) await this.#waitForReplicas(batch);
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

  /**
   * For duplicates as well: the first delivery may have got a 503 because no replica had it.
   *
   * @throws Error if too few replicas have everything that was written
   */
  async #waitForReplicas(batch: readonly Arrival[]): Promise<void> {
    for (const { signal, reject } of batch) {
      const tooLate = (): void => reject(replicasMissing());
      if (signal?.aborted === true) tooLate();
      else signal?.addEventListener("abort", tooLate, { once: true });
    }
    await this.#ledger.waitForReplicas();
  }
}
