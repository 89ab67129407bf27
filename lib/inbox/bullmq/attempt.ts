// One attempt at a message: what BullMQ's worker does with a job.

import type { Job } from "bullmq";

import type { SmsMessage } from "../../callback/message.js";
import { nameOf } from "../../thrown.js";
import { foreignJob, handlingFailed } from "../errors.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "../inbox.js";
import { entryOf } from "./job.js";
import { UnrecoverableError, WaitingError } from "./peers.js";
import { doneOf, type Done } from "./scripts.js";

interface Deps {
  readonly work: InboxWork;
  /** Reports what may last, at most once a second. */
  readonly tell: (cause: unknown) => void;
  /** Resolves when the inbox is being closed. */
  readonly closing: Promise<void>;
  /** For how long the key of what was handled is kept. */
  readonly retentionMs: number;
}

/** BullMQ stores the text of what this rejects with: it is a reason of ours, and nothing that a handler threw. */
export function createAttempt({ work, tell, closing, retentionMs }: Deps): (job: Job<unknown>) => Promise<Done> {
  const handle = async (message: SmsMessage, attempt: InboxAttempt): Promise<InboxOutcome> => {
    try {
      return await work.handle(message, attempt);
    } catch (cause) {
      const reason = nameOf(cause);
      if (attempt.final) work.failed(handlingFailed(reason), message, attempt.attempt);
      else tell(handlingFailed(reason));
      return { outcome: "failed", reason };
    }
  };

  return async (job) => {
    const entry = entryOf(job.id, job.data);
    if (entry === undefined) {
      work.failed(foreignJob());
      throw new UnrecoverableError("no message of this inbox's");
    }
    const { key, message } = entry;
    // Forgotten while it ran.
    if (message === undefined) return doneOf(key, retentionMs);
    const attempt = job.attemptsMade + 1;
    const outcome = await handle(message, { attempt, final: attempt >= (job.opts.attempts ?? 1) });
    switch (outcome.outcome) {
      case "handled":
        return doneOf(key, retentionMs);
      case "released":
        // Not before the worker is closed, which would take it out at once.
        await closing;
        await job.moveToWait(job.token);
        throw new WaitingError();
      case "failed":
        throw new Error(outcome.reason);
    }
  };
}
