// BullMQ's worker, extended to survive a Redis that refuses to write for a while, and damaged jobs.

import { setImmediate, setTimeout } from "node:timers/promises";
import type { Job, JobJson, JobsOptions, WorkerOptions } from "bullmq";
import type { Redis as Client } from "ioredis";

import { keyOf } from "./job.js";
import { Worker as Base } from "./peers.js";
import { isDone, repairActive, takeLease } from "./scripts.js";
import { isRefused } from "./unreachable.js";

/** The delay before a refused command is retried, in milliseconds. */
const REFUSED_MS = 100;

/** The result of an attempt: returns the result of BullMQ's processor, or throws its error. */
type End = () => unknown;

/** A result that is not written yet, and its attempt. */
interface Unwritten extends Pick<Job, "attemptsMade" | "attemptsStarted"> {
  readonly end: End;
}

/**
 * Redis may reply and refuse to write: when it cannot save to its disk, is a replica, or is loading. BullMQ then counts
 * a handled message as failed. If that is refused, too, BullMQ gives up, the lease runs out, and the message is handled
 * again.
 *
 * This worker retries until the result of an attempt is written, and takes no other message in its place meanwhile. If
 * the lease runs out all the same and the worker gets the message again, it returns the same result without handling
 * it.
 */
export class LastingWorker extends Base<unknown> {
  readonly #client: Client;
  readonly #leaseMs: number;
  /**
   * By the id of the job. A result stays here if its job went to another process: in each outage, at most as many as
   * run at once.
   */
  readonly #unwritten = new Map<string, Unwritten>();

  /** The errors for which the result of a handled message could not be written. */
  readonly #lost = new WeakSet<Error>();

  /** The errors for which the result of an attempt is not written yet. */
  readonly #ofWrites = new WeakSet<Error>();

  constructor(
    name: string,
    process: (job: Job<unknown>) => Promise<unknown>,
    client: Client,
    leaseMs: number,
    jobOptions: JobsOptions,
    options: Omit<WorkerOptions, "connection" | "lockDuration">,
  ) {
    super(name, process, { ...options, connection: client, lockDuration: leaseMs });
    const asStored = JSON.stringify(jobOptions);
    // A damaged job may have caused the error. If Redis caused it, it may refuse the repair, too, and another error
    // follows.
    this.on("error", () => void repairActive(client, this.toKey("active"), asStored).catch(() => undefined));
    this.#client = client;
    this.#leaseMs = leaseMs;
  }

  /** BullMQ would take a job with unreadable data again and again. */
  protected override createJob(job: JobJson, id: string): Job<unknown> {
    // A damaged counter is NaN here.
    const counted = { ...job, attemptsMade: job.attemptsMade || 0 };
    try {
      return super.createJob(counted, id);
    } catch {
      return super.createJob({ ...counted, data: "null" }, id);
    }
  }

  /** BullMQ would retry at once. */
  protected override async moveToActive(token: string, name?: string): Promise<Job<unknown>> {
    try {
      return await super.moveToActive(token, name);
    } catch (error) {
      if (isRefused(error)) await setTimeout(REFUSED_MS);
      throw error;
    }
  }

  /** After a failure, BullMQ would wait 5 s before it looks for stalled jobs again. Closing would wait as long. */
  protected override checkConnectionError<Result>(look: () => Promise<Result>): Promise<Result | undefined> {
    return super.checkConnectionError(look, 0);
  }

  protected override async callProcessJob(job: Job<unknown>, token: string): Promise<unknown> {
    const { id = "", attemptsMade, attemptsStarted } = job;
    const before = this.#unwritten.get(id);
    this.#unwritten.delete(id);
    const isSame = before?.attemptsMade === attemptsMade && before.attemptsStarted === attemptsStarted - 1;
    if (isSame) return before.end();
    if (await this.#wasHandled(job)) return undefined;
    // Replies for many jobs come in one turn. If all were handled in it, no result would be written before the last
    // ended.
    await setImmediate();
    return super.callProcessJob(job, token);
  }

  /** Whether a process kept the key of the message, and then died or lost its lease before the job was removed. */
  async #wasHandled({ id = "", stalledCounter }: Job<unknown>): Promise<boolean> {
    if (stalledCounter === 0) return false;
    for (;;) {
      try {
        return await isDone(this.#client, this.toKey("wait"), keyOf(id));
      } catch (error) {
        if (!isRefused(error)) throw error;
        await this.#pause(error);
      }
    }
  }

  protected override async handleCompleted(
    result: unknown,
    job: Job<unknown>,
    token: string,
    fetchNext?: () => boolean,
  ): Promise<Job<unknown>> {
    const end = (): unknown => result;
    try {
      return await this.#write(job, token, end, () => super.handleCompleted(result, job, token, fetchNext));
    } catch (error) {
      if (error instanceof Error) this.#lost.add(error);
      throw error;
    }
  }

  protected override async handleFailed(
    error: Error,
    job: Job<unknown>,
    token: string,
    fetchNext?: () => boolean,
  ): Promise<Job<unknown>> {
    // The message was handled, but another process has its job: BullMQ takes the failed write for a failed attempt.
    if (this.#lost.has(error)) throw error;
    // BullMQ gives up a job that has stalled too often without calling the processor.
    if (job.deferredFailure && (await this.#wasHandled(job)))
      return this.handleCompleted(undefined, job, token, fetchNext);
    const end = (): never => {
      throw error;
    };
    return this.#write(job, token, end, () => super.handleFailed(error, job, token, fetchNext));
  }

  /** Retries until the result is written. @returns the next job, as BullMQ does */
  async #write(job: Job<unknown>, token: string, end: End, write: () => Promise<Job<unknown>>): Promise<Job<unknown>> {
    const { id = "", attemptsMade, attemptsStarted } = job;
    for (;;) {
      try {
        const next = await write();
        this.#unwritten.delete(id);
        return next;
      } catch (error) {
        if (!isRefused(error) && !isLapsed(error)) throw error;
        this.#unwritten.set(id, { end, attemptsMade, attemptsStarted });
        if (isRefused(error)) {
          this.#ofWrites.add(error);
          await this.#pause(error);
        }
      }
      await this.#renew(id, token);
    }
  }

  /** Takes back a lease that ran out while Redis refused to renew it, unless another worker has it by now. */
  async #renew(id: string, token: string): Promise<void> {
    try {
      await takeLease(this.#client, this.toKey(id), token, this.#leaseMs);
    } catch (error) {
      if (!isRefused(error)) throw error;
      await this.#pause(error);
    }
  }

  /** Whether an error that was emitted kept the result of an attempt from being written. */
  isOfWrite(error: Error): boolean {
    return this.#ofWrites.has(error);
  }

  async #pause(error: Error): Promise<void> {
    this.emit("error", error);
    await setTimeout(REFUSED_MS);
  }
}

/** Whether it is BullMQ's error for a lease that ran out and that no other worker has yet. */
function isLapsed(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === -2;
}
