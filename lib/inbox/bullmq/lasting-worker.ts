// BullMQ's worker, made to stand what Redis refuses for a while, and what a job may hold.

import { setImmediate, setTimeout } from "node:timers/promises";
import type { Job, JobJson, JobsOptions, WorkerOptions } from "bullmq";
import type { Redis as Client } from "ioredis";

import { keyOf } from "./job.js";
import { Worker as Base } from "./peers.js";
import { isDone, mendActive, takeLease } from "./scripts.js";
import { isRefused } from "./unreachable.js";

/** How soon is tried again what Redis refused, in milliseconds. */
const REFUSED_MS = 100;

/** How an attempt ended: gives what BullMQ's processor gave, or throws what it threw. */
type End = () => unknown;

/** An end that is not written yet, and which attempt that was. */
interface Unwritten extends Pick<Job, "attemptsMade" | "attemptsStarted"> {
  readonly end: End;
}

/**
 * Redis may answer, and refuse to write: when it cannot save to its disk, is a replica, or loads. BullMQ then counts what was handled as failed,
 * gives up when that is refused, too, and lets the lease run out, so that the message is handled again.
 *
 * This one writes how an attempt ended as often as it takes, and takes nothing out in its place meanwhile. Where the lease ran out all the same
 * and the message comes again, it ends as it had ended.
 */
export class LastingWorker extends Base<unknown> {
  readonly #client: Client;
  readonly #leaseMs: number;
  /** By the id of the job. One that went to another process stays: no more than run at once, for each outage. */
  readonly #unwritten = new Map<string, Unwritten>();

  /** Why ends of what was handled were not written. */
  readonly #lost = new WeakSet<Error>();

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
    // It may be a damaged job that fails BullMQ. Where it is not, Redis may refuse this too, and another error follows.
    this.on("error", () => void mendActive(client, this.toKey("active"), asStored).catch(() => undefined));
    this.#client = client;
    this.#leaseMs = leaseMs;
  }

  /** BullMQ would take a job out again and again whose data it cannot read. */
  protected override createJob(job: JobJson, id: string): Job<unknown> {
    // What is no number is NaN here.
    const counted = { ...job, attemptsMade: job.attemptsMade || 0 };
    try {
      return super.createJob(counted, id);
    } catch {
      return super.createJob({ ...counted, data: "null" }, id);
    }
  }

  /** BullMQ would ask again at once. */
  protected override async moveToActive(token: string, name?: string): Promise<Job<unknown>> {
    try {
      return await super.moveToActive(token, name);
    } catch (error) {
      if (isRefused(error)) await setTimeout(REFUSED_MS);
      throw error;
    }
  }

  /** BullMQ looks for what dead processes held only 5 s after it could not, and its process lives on that long when all is closed. */
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
    // Redis answers for many at once. Handled in one turn, no end of them is written before all have ended, or the process has died.
    await setImmediate();
    return super.callProcessJob(job, token);
  }

  /** By a process that lost its lease, or died, between keeping the key and removing the job. */
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
    // BullMQ takes for a failure that the end of what was handled could not be written, since another process has the job.
    if (this.#lost.has(error)) throw error;
    // It gives up what has stalled too often, and asks no processor.
    if (job.deferredFailure && (await this.#wasHandled(job)))
      return this.handleCompleted(undefined, job, token, fetchNext);
    const end = (): never => {
      throw error;
    };
    return this.#write(job, token, end, () => super.handleFailed(error, job, token, fetchNext));
  }

  /** @returns the next job, as BullMQ gives it */
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
        if (isRefused(error)) await this.#pause(error);
      }
      await this.#renew(id, token);
    }
  }

  /** Of a lease that ran out, since Redis refused to renew it, too. One that somebody else has got by now stays theirs. */
  async #renew(id: string, token: string): Promise<void> {
    try {
      await takeLease(this.#client, this.toKey(id), token, this.#leaseMs);
    } catch (error) {
      if (!isRefused(error)) throw error;
      await this.#pause(error);
    }
  }

  async #pause(error: Error): Promise<void> {
    this.emit("error", error);
    await setTimeout(REFUSED_MS);
  }
}

/** BullMQ's code where the lease ran out, and nobody else has got it yet. */
function isLapsed(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === -2;
}
