// The processor of BullMQ's worker: makes one attempt at the message of a job.

import type { Job } from "bullmq";

import { codedError } from "../../base/errors.js";
import { attempt } from "../attempt.js";
import type { InboxWork } from "../inbox.js";
import { entryOf } from "./job.js";
import { UnrecoverableError, WaitingError } from "./peers.js";
import { doneOf, type Done } from "./scripts.js";

interface Deps {
  readonly work: InboxWork;
  /** Resolves when the inbox begins to close. */
  readonly closing: Promise<void>;
  /** How long the key of a handled message is kept, in milliseconds. */
  readonly retentionMs: number;
}

/** BullMQ stores the text of the error with which this rejects: it is our own text, never that of a handler's error. */
export function createProcess({ work, closing, retentionMs }: Deps): (job: Job<unknown>) => Promise<Done> {
  return async (job) => {
    const entry = entryOf(job.id, job.data);
    if (entry === undefined) {
      work.failed(codedError("KALEYRA_SMS_FOREIGN_JOB"));
      throw new UnrecoverableError("no message of this inbox's");
    }
    const { key, message } = entry;
    // The message was forgotten while it ran.
    if (message === undefined) return doneOf(key, retentionMs);
    const number = job.attemptsMade + 1;
    const final = number >= (job.opts.attempts ?? 1);
    const outcome = await attempt(work, message, { attempt: number, final });
    switch (outcome.outcome) {
      case "handled":
        return doneOf(key, retentionMs);
      case "released":
        // Until it closes, the worker would take the job again at once.
        await closing;
        await job.moveToWait(job.token);
        throw new WaitingError();
      case "failed":
        // eslint-disable-next-line no-restricted-syntax -- no caller gets it: BullMQ stores its text as the reason
        throw new Error(outcome.reason);
    }
  };
}
