// What the queue holds, and every change of it but those that BullMQ's worker makes.

import type { Job as BullmqJob, JobType, Queue } from "bullmq";
import type { Redis as Client } from "ioredis";

import type { SmsMessage } from "../../callback/message.js";
import { CUT_SHORT } from "../attempt.js";
import type { DeadLetter, InboxStats } from "../inbox.js";
import type { BullmqInboxSettings } from "./bullmq-options.js";
import { idOf, JOB_NAME, newEntry, optionsOf, parsedEntry } from "./job.js";
import { Job } from "./peers.js";
import { DONE_ALREADY, HELD_ALREADY, replaceData } from "./scripts.js";
import { redisFailed } from "./unreachable.js";

/** What became of a message that came. */
export type Stored = "stored" | "duplicate";

const WAITING = ["wait", "prioritized"] as const satisfies JobType[];
/** In the order in which a job goes through them. */
const STATES = [...WAITING, "active", "delayed", "failed"] as const satisfies JobType[];
/** Jobs that are read at once. */
const PAGE = 500;

/** For how long replicas are waited for, in milliseconds: shorter than the connection takes Redis for silent. */
const LONGEST_WAIT_MS = 2_000;
/** Redis looks ten times a second which time is over, in milliseconds: who waits learns what was lacking, and not that it took too long. */
const WAIT_EARLY_MS = 150;

const AGAIN = { resetAttemptsMade: true, resetAttemptsStarted: true } as const;

export class Ledger {
  readonly #queue: Queue<unknown>;
  readonly #client: Client;
  readonly #settings: BullmqInboxSettings;

  constructor(queue: Queue<unknown>, client: Client, settings: BullmqInboxSettings) {
    this.#queue = queue;
    this.#client = client;
    this.#settings = settings;
  }

  /**
   * Writes messages, all or none; of one that is a repeat, what became of it may fail by itself.
   *
   * @param deadline - milliseconds since the epoch, until which replicas are waited for
   */
  async add(messages: readonly SmsMessage[], deadline: number): Promise<Array<PromiseSettledResult<Stored>>> {
    const stored = await this.#add(messages);
    await this.#replicated(deadline);
    return stored;
  }

  async #add(messages: readonly SmsMessage[]): Promise<Array<PromiseSettledResult<Stored>>> {
    const options = optionsOf(this.#settings);
    const jobs = messages.map((message) => ({
      name: JOB_NAME,
      data: newEntry(message),
      opts: { ...options, jobId: idOf(message.key) },
    }));
    const added = await this.#queue.addBulk(jobs);
    return Promise.allSettled(messages.map((message, n) => this.#added(message, added[n]?.id)));
  }

  /** How many messages are where. */
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

  /** @returns how many dead letters there were: 1, or 0 */
  async replay(key: string): Promise<number> {
    return (await this.#retry(idOf(key))) ? 1 : 0;
  }

  /** Those that are dead by now. @returns how many */
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

  /** @returns how many messages of the source there were */
  async forget(source: string): Promise<number> {
    let forgotten = 0;
    // Until none is found: while one place is searched, a message may go from one that is still to be searched to one that was.
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
        // It runs, or was taken out in the meantime. The key stays, so that a repeat is told.
        else await replaceData(this.#client, this.#queue.toKey(id), JSON.stringify({ key: entry.key }));
        forgotten++;
      }
      // What comes after them has moved up.
      start -= removed;
    }
  }

  /** Of duplicates as well: the first may have been answered 503 because no replica had it. @throws Error unless enough replicas have all of it */
  async #replicated(deadline: number): Promise<void> {
    const { replicas } = this.#settings;
    if (replicas === 0) return;
    const ms = Math.min(Math.max(deadline - WAIT_EARLY_MS - Date.now(), 1), LONGEST_WAIT_MS);
    if ((await this.#client.wait(replicas, ms)) < replicas)
      throw redisFailed("fewer replicas than options.replicas confirmed it in time");
  }

  /** @param answer - of what adds it: the id of the job, or why there is none */
  async #added(message: SmsMessage, answer: string | undefined): Promise<Stored> {
    if (answer === DONE_ALREADY) return "duplicate";
    return answer === HELD_ALREADY ? this.#held(message) : "stored";
  }

  /** What a message is whose key the queue held a moment ago. */
  async #held(message: SmsMessage): Promise<Stored> {
    const id = idOf(message.key);
    const [text = null] = await this.#read([id]);
    if (text !== null) {
      if (parsedEntry(id, text) === undefined)
        throw redisFailed("its place in the queue is taken by a job that is not a message");
      const state = await this.#queue.getJobState(id);
      if (state === "failed") return (await this.#retry(id)) ? "stored" : "duplicate";
      if (state !== "unknown") return "duplicate";
      // Written by half, since Redis refused the other half: it is in no list, and nobody would ever take it out. Or it has just ended.
      await this.#queue.remove(id);
    }
    const [stored] = await this.#add([message]);
    if (stored?.status === "fulfilled") return stored.value;
    throw stored?.reason;
  }

  /** `false` where it is no dead letter, or none any longer. */
  async #retry(id: string): Promise<boolean> {
    try {
      await this.#job(id).retry("failed", AGAIN);
      return true;
    } catch (error) {
      if (isElsewhere(error)) return false;
      throw error;
    }
  }

  /** `undefined` where it is no message of this inbox's, or none any longer. */
  async #letter(id: string, text: string | null): Promise<DeadLetter | undefined> {
    const message = parsedEntry(id, text)?.message;
    if (message === undefined) return undefined;
    // Not by BullMQ, which reads none of them where one field is damaged.
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

  /** A job that is known by its id alone: its data may be anything, and need not be fetched. */
  #job(id: string): BullmqJob<unknown> {
    return new Job<unknown>(this.#queue, JOB_NAME, {}, {}, id);
  }

  /** The data of jobs, as they stand in Redis. */
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

/** A number in a field of a job's; `undefined` where it is none. */
function whole(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What BullMQ gives as the reason of a job whose process died in each attempt. */
const STALLED = "job stalled more than allowable limit";
/** BullMQ's codes of a job that does not exist, or is in another state. */
function isElsewhere(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === -1 || code === -3;
}
