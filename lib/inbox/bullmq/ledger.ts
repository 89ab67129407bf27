// Writes messages into the queue, and dead letters back into it.

import type { Job as BullmqJob, Queue } from "bullmq";
import type { Redis as Client } from "ioredis";

import type { SmsMessage } from "../../callback/message.js";
import type { BullmqInboxSettings } from "./bullmq-options.js";
import { idOf, JOB_NAME, newEntry, optionsOf, parsedEntry } from "./job.js";
import { Job } from "./peers.js";
import { ALREADY_DONE, ALREADY_QUEUED } from "./scripts.js";
import { redisFailed, replicasMissing } from "./unreachable.js";

/** The result of storing a message. */
export type Stored = "stored" | "duplicate";

/** How long to wait for replicas at most, in milliseconds: less than the connection's `socketTimeout`. */
const MAX_WAIT_MS = 2_000;

const RESET_ATTEMPTS = { resetAttemptsMade: true, resetAttemptsStarted: true } as const;

export class Ledger {
  readonly #queue: Queue<unknown>;
  readonly #client: Client;
  readonly #settings: BullmqInboxSettings;

  constructor(queue: Queue<unknown>, client: Client, settings: BullmqInboxSettings) {
    this.#queue = queue;
    this.#client = client;
    this.#settings = settings;
  }

  /** Stores messages, all or none. Only the result of a duplicate may fail by itself. */
  async add(messages: readonly SmsMessage[]): Promise<Array<PromiseSettledResult<Stored>>> {
    const options = optionsOf(this.#settings);
    const jobs = messages.map((message) => ({
      name: JOB_NAME,
      data: newEntry(message),
      opts: { ...options, jobId: idOf(message.key) },
    }));
    const added = await this.#queue.addBulk(jobs);
    return Promise.allSettled(messages.map((message, n) => this.#resultOf(message, added[n]?.id)));
  }

  get needsReplicas(): boolean {
    return this.#settings.replicas > 0;
  }

  /** @throws Error if too few replicas have everything that was written */
  async waitForReplicas(): Promise<void> {
    const { replicas } = this.#settings;
    if ((await this.#client.wait(replicas, MAX_WAIT_MS)) < replicas) throw replicasMissing();
  }

  /** @param reply - of the script: the id of the new job, or the reason why it added none */
  async #resultOf(message: SmsMessage, reply: string | undefined): Promise<Stored> {
    if (reply === ALREADY_DONE) return "duplicate";
    return reply === ALREADY_QUEUED ? this.#resultOfKnown(message) : "stored";
  }

  /** The result for a message whose key was in the queue a moment ago. */
  async #resultOfKnown(message: SmsMessage): Promise<Stored> {
    const id = idOf(message.key);
    const [text = null] = await this.read([id]);
    if (text !== null) {
      if (parsedEntry(id, text) === undefined)
        throw redisFailed("its place in the queue is taken by a job that is not a message");
      const state = await this.#queue.getJobState(id);
      if (state === "failed") return (await this.retry(id)) ? "stored" : "duplicate";
      if (state !== "unknown") return "duplicate";
      // The job is in no list: it has just ended, or Redis refused half of its write, and no worker would ever take it.
      await this.#queue.remove(id);
    }
    const [stored] = await this.add([message]);
    if (stored?.status === "fulfilled") return stored.value;
    throw stored?.reason;
  }

  /** Gives a dead letter all its attempts again. @returns `false` if the job is not, or no longer, a dead letter */
  async retry(id: string): Promise<boolean> {
    try {
      await this.#job(id).retry("failed", RESET_ATTEMPTS);
      return true;
    } catch (error) {
      if (isElsewhere(error)) return false;
      throw error;
    }
  }

  /** A job by its id alone: its data may be damaged, and need not be read. */
  #job(id: string): BullmqJob<unknown> {
    return new Job<unknown>(this.#queue, JOB_NAME, {}, {}, id);
  }

  /** Reads the data of jobs as stored in Redis. */
  async read(ids: readonly string[]): Promise<Array<string | null>> {
    const pipeline = this.#client.pipeline();
    for (const id of ids) pipeline.hget(this.#queue.toKey(id), "data");
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, text]) => {
      if (error !== null) throw error;
      return text as string | null;
    });
  }
}

/** Whether it is BullMQ's error for a job that does not exist, or is in another state. */
function isElsewhere(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === -1 || code === -3;
}
