// Wakes the processes that hand messages out when another process has stored one.

import { createHash, randomUUID } from "node:crypto";

import type { PostgresClient } from "./pool.js";
import type { Requests } from "./requests.js";
import { NOTIFY } from "./sql.js";

/** The shortest time between two notifications of a process, in milliseconds. */
const NOTIFY_MS = 5;
/** How often a process checks that notifications reach it, in milliseconds. */
const CHECK_MS = 15_000;
/** How long a notification may take, in milliseconds. */
const ARRIVAL_MS = 2_000;
/** When to listen again after the connection was lost, in milliseconds. */
const LOST_MS = 1_000;
/** When to listen again after notifications did not come, as through a pooler that forbids it, in milliseconds. */
const UNHEARD_MS = 30_000;

export class Notifications {
  readonly #requests: Requests;
  readonly #onNotified: () => void;
  readonly #channel: string;
  /** The payload of this process's own notifications. */
  readonly #self = randomUUID();
  #client: PostgresClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isArriving = false;
  /** Ends the check that runs. */
  #checked: (isArriving: boolean) => void = () => undefined;
  #notifying: Promise<void> | undefined;
  /** How many notifications were wanted. */
  #wanted = 0;
  #listening: Promise<void> | undefined;
  #isClosed = false;

  /** @param onNotified - called when another process has stored a message */
  constructor(requests: Requests, schema: string, name: string, onNotified: () => void) {
    this.#requests = requests;
    this.#onNotified = onNotified;
    const inbox = createHash("sha256")
      .update(JSON.stringify([schema, name]))
      .digest("hex")
      .slice(0, 32);
    this.#channel = `express_kaleyra_sms_${inbox}`;
  }

  /** Whether notifications reach this process. Otherwise, it must look often. */
  get isArriving(): boolean {
    return this.#isArriving;
  }

  /** Listens, on a client of its own, until it is closed. */
  listen(): void {
    // One at a time: each opens a client.
    this.#listening ??= this.#listen().finally(() => (this.#listening = undefined));
  }

  /** Notifies the other processes, soon. */
  notify(): void {
    this.#wanted++;
    this.#notifying ??= this.#notify();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#checked(false);
    this.#drop();
    await Promise.all([this.#listening, this.#notifying]);
  }

  async #notify(): Promise<void> {
    let sent: number;
    do {
      sent = this.#wanted;
      // If it fails, the others look by themselves.
      await this.#requests.rows(NOTIFY, [this.#channel, this.#self]).catch(() => undefined);
      if (!this.#isClosed) await new Promise((resolve) => setTimeout(resolve, NOTIFY_MS));
    } while (sent !== this.#wanted);
    this.#notifying = undefined;
  }

  async #listen(): Promise<void> {
    clearTimeout(this.#timer);
    let nextMs = LOST_MS;
    try {
      this.#client ??= await this.#open();
      const client = this.#client;
      const isArriving = new Promise<boolean>((resolve) => (this.#checked = resolve));
      this.#timer = setTimeout(() => this.#checked(false), ARRIVAL_MS);
      await this.#requests.rows(NOTIFY, [this.#channel, this.#self]);
      this.#isArriving = await isArriving;
      if (!this.#isArriving && this.#client === client) nextMs = UNHEARD_MS;
    } catch {
      this.#isArriving = false;
    }
    clearTimeout(this.#timer);
    if (this.#isArriving) nextMs = CHECK_MS;
    else this.#drop();
    if (this.#isClosed) this.#drop();
    else this.#timer = setTimeout(() => this.listen(), nextMs);
  }

  async #open(): Promise<PostgresClient> {
    const client = await this.#requests.connect();
    try {
      client.on("notification", ({ channel, payload }) => {
        if (channel !== this.#channel) return;
        if (payload === this.#self) this.#checked(true);
        else this.#onNotified();
      });
      client.on("end", () => this.#lost(client));
      client.on("error", () => this.#lost(client));
      await this.#requests.run(client, `LISTEN ${this.#channel}`);
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** The connection has ended: what was stored since is found by looking. */
  #lost(client: PostgresClient): void {
    if (this.#client !== client) return;
    this.#checked(false);
    this.#drop();
    this.#onNotified();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.listen(), LOST_MS);
  }

  #drop(): void {
    this.#isArriving = false;
    const client = this.#client;
    this.#client = undefined;
    client?.release(true);
  }
}
