// One attempt at a message: what BullMQ's worker does with a job.

import type { Job } from "bullmq";

import type { SmsMessage } from "../../callback/message.js";
import { nameOf } from "../../thrown.js";
import { foreignJob, handlingFailed } from "../errors.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "../inbox.js";
import type { Eraser } from "./eraser.js";
import { entryOf } from "./job.js";
import { UnrecoverableError, WaitingError } from "./peers.js";

interface Deps {
  readonly work: InboxWork;
  /** Reports what may last, at most once a second. */
  readonly tell: (cause: unknown) => void;
  /** Resolves when the inbox is being closed. */
  readonly closing: Promise<void>;
  readonly eraser: Eraser;
}

/** BullMQ stores the text of what this rejects with: it is a reason of ours, and nothing that a handler threw. */
export function createAttempt({ work, tell, closing, eraser }: Deps): (job: Job<unknown>) => Promise<void> {
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
    const { token, message } = entry;
    // Forgotten while it was retried, or handled by a process that died before it could say so.
    if (message === undefined) return;
    const attempt = job.attemptsMade + 1;
    const outcome = await handle(message, { attempt, final: attempt >= (job.opts.attempts ?? 1) });
    switch (outcome.outcome) {
      case "handled":
        // Only the key is kept.
        await eraser.erase(job.id ?? "", { token });
        return;
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
