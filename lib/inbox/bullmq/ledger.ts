// Reads and changes the queue, except for the changes that BullMQ's worker makes.

import type { Job as BullmqJob, JobType, Queue } from "bullmq";
import type { Redis as Client } from "ioredis";

import type { SmsMessage } from "../../callback/message.js";
import { CUT_SHORT } from "../attempt.js";
import type { DeadLetter, InboxStats } from "../operable-inbox.js";
import type { BullmqInboxSettings } from "./bullmq-options.js";
import { idOf, JOB_NAME, newEntry, optionsOf, parsedEntry } from "./job.js";
import { Job } from "./peers.js";
import { ALREADY_DONE, ALREADY_QUEUED, replaceData } from "./scripts.js";
import { redisFailed, replicasMissing } from "./unreachable.js";

/** The result of storing a message. */
export type Stored = "stored" | "duplicate";

const WAITING = ["wait", "prioritized"] as const satisfies JobType[];
/** In the order in which a job goes through them. */
const STATES = [...WAITING, "active", "delayed", "failed"] as const satisfies JobType[];
/** How many jobs are read at once. */
const PAGE = 500;

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

  /** Counts the messages in each state. */
  async stats(now: number): Promise<InboxStats> {
    const counts = await this.#queue.getJobCounts(...STATES);
    const [oldest] = await this.#queue.getRanges(["wait"], 0, 0, true);
    const since = oldest === undefined ? null : await this.#client.hget(this.#queue.toKey(oldest), "timestamp");
    const count = (...states: JobType[]): number => states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
    return {
      waiting: count(...WAITING),
      running: count("active"),
      delayed: count("delayed"),
      dead: count("failed"),
      oldestWaitingMs: since === null ? 0 : Math.max(now - (whole(since) ?? now), 0),
    };
  }

  async deadLetters(limit: number, after: string | undefined): Promise<DeadLetter[]> {
    const rank = after === undefined ? null : await this.#client.zrank(this.#failed, idOf(after));
    const letters: DeadLetter[] = [];
    for (let start = rank === null ? 0 : rank + 1; letters.length < limit; start += PAGE) {
      const ids = await this.#queue.getRanges(["failed"], start, start + Math.min(PAGE, limit) - 1, true);
      if (ids.length === 0) break;
      const texts = await this.#read(ids);
      const found = await Promise.all(ids.map((id, n) => this.#letter(id, texts[n] ?? null)));
      letters.push(...found.filter((letter) => letter !== undefined).slice(0, limit - letters.length));
    }
    return letters;
  }

  /** @returns 1 if a dead letter has that key, otherwise 0 */
  async replay(key: string): Promise<number> {
    return (await this.#retry(idOf(key))) ? 1 : 0;
  }

  /** Replays the messages that are dead letters at the instant `now`. @returns their number */
  async replayAll(now: number): Promise<number> {
    let replayed = 0;
    for (;;) {
      const ids = await this.#client.zrangebyscore(this.#failed, "-inf", now, "LIMIT", 0, PAGE);
      const retried = await Promise.all(ids.map((id) => this.#retry(id)));
      const some = retried.filter(Boolean).length;
      replayed += some;
      if (some === 0) return replayed;
    }
  }

  /** Erases the messages of a source. @returns their number */
  async forget(source: string): Promise<number> {
    let forgotten = 0;
    // Until none is found: during a search, a message may move from a state still to be searched to one already
    // searched.
    for (;;) {
      let found = 0;
      for (const state of STATES) found += await this.#forgetIn(state, source);
      if (found === 0) return forgotten;
      forgotten += found;
    }
  }

  async #forgetIn(state: JobType, source: string): Promise<number> {
    let forgotten = 0;
    for (let start = 0; ; start += PAGE) {
      const ids = await this.#queue.getRanges([state], start, start + PAGE - 1);
      if (ids.length === 0) return forgotten;
      const texts = await this.#read(ids);
      let removed = 0;
      for (const [n, id] of ids.entries()) {
        const entry = parsedEntry(id, texts[n] ?? null);
        if (entry?.message?.source !== source) continue;
        if (state !== "active" && (await this.#queue.remove(id)) === 1) removed++;
        // The message runs, or was taken in the meantime. Its key stays, so that a duplicate is recognized.
        else await replaceData(this.#client, this.#queue.toKey(id), JSON.stringify({ key: entry.key }));
        forgotten++;
      }
      // The jobs behind the removed ones have moved up.
      start -= removed;
    }
  }

  /** @param reply - of the script: the id of the new job, or the reason why it added none */
  async #resultOf(message: SmsMessage, reply: string | undefined): Promise<Stored> {
    if (reply === ALREADY_DONE) return "duplicate";
    return reply === ALREADY_QUEUED ? this.#resultOfKnown(message) : "stored";
  }

  /** The result for a message whose key was in the queue a moment ago. */
  async #resultOfKnown(message: SmsMessage): Promise<Stored> {
    const id = idOf(message.key);
    const [text = null] = await this.#read([id]);
    if (text !== null) {
      if (parsedEntry(id, text) === undefined)
        throw redisFailed("its place in the queue is taken by a job that is not a message");
      const state = await this.#queue.getJobState(id);
      if (state === "failed") return (await this.#retry(id)) ? "stored" : "duplicate";
      if (state !== "unknown") return "duplicate";
      // The job is in no list: it has just ended, or Redis refused half of its write, and no worker would ever take it.
      await this.#queue.remove(id);
    }
    const [stored] = await this.add([message]);
    if (stored?.status === "fulfilled") return stored.value;
    throw stored?.reason;
  }

  /** @returns `false` if the job is not, or no longer, a dead letter */
  async #retry(id: string): Promise<boolean> {
    try {
      await this.#job(id).retry("failed", RESET_ATTEMPTS);
      return true;
    } catch (error) {
      if (isElsewhere(error)) return false;
      throw error;
    }
  }

  /** The dead letter of a job; `undefined` if the job is not, or no longer, a message of this inbox. */
  async #letter(id: string, text: string | null): Promise<DeadLetter | undefined> {
    const message = parsedEntry(id, text)?.message;
    if (message === undefined) return undefined;
    // Not through BullMQ: if one field is damaged, it reads none.
    const fields = await this.#client.hmget(this.#queue.toKey(id), "stc", "atm", "finishedOn", "failedReason");
    const [stalled = 0, made = 0, failedAt = 0] = fields.map(whole);
    const reason = fields[3] ?? "unknown";
    const isCutShort = stalled > 0 && reason === STALLED;
    return {
      key: message.key,
      message,
      attempts: isCutShort ? stalled : made,
      failedAt: new Date(failedAt).toISOString(),
      reason: isCutShort ? CUT_SHORT : reason,
    };
  }

  /** A job by its id alone: its data may be damaged, and need not be read. */
  #job(id: string): BullmqJob<unknown> {
    return new Job<unknown>(this.#queue, JOB_NAME, {}, {}, id);
  }

  /** Reads the data of jobs as stored in Redis. */
  async #read(ids: readonly string[]): Promise<Array<string | null>> {
    const pipeline = this.#client.pipeline();
    for (const id of ids) pipeline.hget(this.#queue.toKey(id), "data");
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, text]) => {
      if (error !== null) throw error;
      return text as string | null;
    });
  }

  get #failed(): string {
    return this.#queue.toKey("failed");
  }
}

/** The number in a field of a job; `undefined` if it is not a whole number. */
function whole(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** BullMQ's reason for a job whose process died in each attempt. */
const STALLED = "job stalled more than allowable limit";
/** Whether it is BullMQ's error for a job that does not exist, or is in another state. */
function isElsewhere(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === -1 || code === -3;
}
