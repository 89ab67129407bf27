// What an operator reads from the queue, and changes in it.

import type { JobType, Queue } from "bullmq";
import type { Redis as Client } from "ioredis";

import { phoneNumber } from "../../callback/phone-number.js";
import { CUT_SHORT } from "../attempt.js";
import type { InboxStats } from "../inbox.js";
import type { DeadLetter, KeptMessage } from "../operable-inbox.js";
import { idOf, parsedEntry } from "./job.js";
import type { Ledger } from "./ledger.js";
import { discardJob, doneOf, keepKey, replaceData } from "./scripts.js";

const WAITING = ["wait", "prioritized"] as const satisfies JobType[];
/** In the order in which a job goes through them. */
const STATES = [...WAITING, "active", "delayed", "failed"] as const satisfies JobType[];
/** The states of `get`, by the names that BullMQ gives them. */
const STATE_OF: ReadonlyMap<string, KeptMessage["state"]> = new Map([
  ["waiting", "waiting"],
  ["prioritized", "waiting"],
  ["active", "running"],
  ["delayed", "delayed"],
  ["failed", "dead"],
]);
/** How many jobs are read at once. */
const PAGE = 500;

export class Upkeep {
  readonly #queue: Queue<unknown>;
  readonly #client: Client;
  readonly #ledger: Ledger;
  readonly #retentionMs: number;

  constructor(queue: Queue<unknown>, client: Client, ledger: Ledger, retentionMs: number) {
    this.#queue = queue;
    this.#client = client;
    this.#ledger = ledger;
    this.#retentionMs = retentionMs;
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
      const texts = await this.#ledger.read(ids);
      const found = await Promise.all(ids.map((id, n) => this.#letter(id, texts[n] ?? null)));
      letters.push(...found.filter((letter) => letter !== undefined).slice(0, limit - letters.length));
    }
    return letters;
  }

  async get(key: string): Promise<KeptMessage | undefined> {
    const id = idOf(key);
    const [text = null] = await this.#ledger.read([id]);
    const message = parsedEntry(id, text)?.message;
    if (message === undefined) return undefined;
    const state = STATE_OF.get(await this.#queue.getJobState(id));
    // It has just ended.
    if (state === undefined) return undefined;
    if (state === "dead") return { state, message, ...(await this.#failureOf(id)) };
    const attempts = await this.#attemptsOf(id);
    return { state, message, attempts: state === "running" ? attempts + 1 : attempts };
  }

  /** @returns 1 if a dead letter has that key, otherwise 0 */
  async replay(key: string): Promise<number> {
    return (await this.#ledger.retry(idOf(key))) ? 1 : 0;
  }

  /** @returns 1 if a dead letter has that key, otherwise 0 */
  async discard(key: string): Promise<number> {
    const id = idOf(key);
    const [text = null] = await this.#ledger.read([id]);
    if (parsedEntry(id, text)?.message === undefined) return 0;
    return discardJob(this.#client, this.#queue.toKey(""), id, doneOf(key, this.#retentionMs));
  }

  /** Replays the messages that are dead letters at the instant `now`. @returns their number */
  async replayAll(now: number): Promise<number> {
    let left = await this.#client.zcount(this.#failed, "-inf", now);
    let replayed = 0;
    // Failed jobs that are not messages stay where they are.
    let skipped = 0;
    while (left > 0) {
      const ids = await this.#client.zrangebyscore(this.#failed, "-inf", now, "LIMIT", skipped, Math.min(PAGE, left));
      if (ids.length === 0) break;
      const texts = await this.#ledger.read(ids);
      const letters = ids.filter((id, n) => parsedEntry(id, texts[n] ?? null)?.message !== undefined);
      const retried = await Promise.all(letters.map((id) => this.#ledger.retry(id)));
      replayed += retried.filter(Boolean).length;
      skipped += ids.length - letters.length;
      left -= ids.length;
    }
    return replayed;
  }

  /** BullMQ counts the jobs of a queue from its first one on. */
  async isUnused(): Promise<boolean> {
    return (await this.#client.exists(this.#queue.toKey("id"))) === 0;
  }

  /** Counts the messages that `forget` would erase. */
  async countOf(source: string): Promise<number> {
    const subscriber = phoneNumber(source);
    // A message may move from one state to the next during the search.
    const found = new Set<string>();
    for (const state of STATES) {
      for (let start = 0; ; start += PAGE) {
        const ids = await this.#queue.getRanges([state], start, start + PAGE - 1);
        if (ids.length === 0) break;
        const texts = await this.#ledger.read(ids);
        for (const [n, id] of ids.entries()) {
          const message = parsedEntry(id, texts[n] ?? null)?.message;
          if (message !== undefined && phoneNumber(message.source) === subscriber) found.add(id);
        }
      }
    }
    return found.size;
  }

  /** Erases the messages of a subscriber. @returns their number */
  async forget(source: string): Promise<number> {
    const subscriber = phoneNumber(source);
    let forgotten = 0;
    // Until none is found: during a search, a message may move from a state still to be searched to one already
    // searched.
    for (;;) {
      let found = 0;
      for (const state of STATES) found += await this.#forgetIn(state, subscriber);
      if (found === 0) return forgotten;
      forgotten += found;
    }
  }

  async #forgetIn(state: JobType, subscriber: string): Promise<number> {
    let forgotten = 0;
    for (let start = 0; ; start += PAGE) {
      const ids = await this.#queue.getRanges([state], start, start + PAGE - 1);
      if (ids.length === 0) return forgotten;
      const texts = await this.#ledger.read(ids);
      let removed = 0;
      for (const [n, id] of ids.entries()) {
        const entry = parsedEntry(id, texts[n] ?? null);
        if (entry?.message === undefined || phoneNumber(entry.message.source) !== subscriber) continue;
        // The key stays, so that a duplicate is recognized. It is kept first: the process may end in between.
        if (state !== "active")
          await keepKey(this.#client, this.#queue.toKey(""), doneOf(entry.key, this.#retentionMs));
        if (state !== "active" && (await this.#queue.remove(id)) === 1) removed++;
        // The message runs, or has begun to run in the meantime.
        else await replaceData(this.#client, this.#queue.toKey(id), JSON.stringify({ key: entry.key }));
        forgotten++;
      }
      // The jobs behind the removed ones have moved up.
      start -= removed;
    }
  }

  /** The dead letter of a job; `undefined` if the job is not, or no longer, a message of this inbox. */
  async #letter(id: string, text: string | null): Promise<DeadLetter | undefined> {
    const message = parsedEntry(id, text)?.message;
    if (message === undefined) return undefined;
    const failedAt = whole(await this.#client.hget(this.#queue.toKey(id), "finishedOn")) ?? 0;
    return {
      key: message.key,
      message,
      failedAt: new Date(failedAt).toISOString(),
      ...(await this.#failureOf(id)),
    };
  }

  async #failureOf(id: string): Promise<Pick<DeadLetter, "attempts" | "reason">> {
    // Not through BullMQ: if one field is damaged, it reads none.
    const fields = await this.#client.hmget(this.#queue.toKey(id), "stc", "atm", "failedReason");
    const [stalled = 0, made = 0] = fields.map(whole);
    const reason = fields[2] ?? "unknown";
    const isCutShort = stalled > 0 && reason === STALLED;
    return { attempts: isCutShort ? stalled : made, reason: isCutShort ? CUT_SHORT : reason };
  }

  /** The number of attempts that have ended. */
  async #attemptsOf(id: string): Promise<number> {
    return whole(await this.#client.hget(this.#queue.toKey(id), "atm")) ?? 0;
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
