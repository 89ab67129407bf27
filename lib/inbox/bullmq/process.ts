// What BullMQ's worker does with a job: one attempt at its message.

import type { Job } from "bullmq";

import { codedError } from "../../base/errors.js";
import { attempt } from "../attempt.js";
import type { InboxWork } from "../inbox.js";
import { entryOf } from "./job.js";
import { UnrecoverableError, WaitingError } from "./peers.js";
import { doneOf, type Done } from "./scripts.js";

interface Deps {
  readonly work: InboxWork;
  /** Resolves when the inbox is being closed. */
  readonly closing: Promise<void>;
  /** For how long the key of what was handled is kept. */
  readonly retentionMs: number;
}

/** BullMQ stores the text of what this rejects with: it is a reason of ours, and nothing that a handler threw. */
export function createProcess({ work, closing, retentionMs }: Deps): (job: Job<unknown>) => Promise<Done> {
  return async (job) => {
    const entry = entryOf(job.id, job.data);
    if (entry === undefined) {
      work.failed(codedError("KALEYRA_SMS_FOREIGN_JOB"));
      throw new UnrecoverableError("no message of this inbox's");
    }
    const { key, message } = entry;
    // Forgotten while it ran.
    if (message === undefined) return doneOf(key, retentionMs);
    const number = job.attemptsMade + 1;
    const final = number >= (job.opts.attempts ?? 1);
    const outcome = await attempt(work, message, { attempt: number, final });
    switch (outcome.outcome) {
      case "handled":
        return doneOf(key, retentionMs);
      case "released":
        // Not before the worker is closed, which would take it out at once.
        await closing;
        await job.moveToWait(job.token);
        throw new WaitingError();
      case "failed":
        // BullMQ keeps it as the reason of the failed job.
        // eslint-disable-next-line no-restricted-syntax
        throw new Error(outcome.reason);
    }
  };
}
