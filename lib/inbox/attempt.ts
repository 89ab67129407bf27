// One attempt at a message, by whatever was given to the inbox to handle it.

import { codedError } from "../base/errors.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { isRecord } from "../base/record.js";
import { nameOf } from "../base/thrown.js";
import type { SmsMessage } from "../callback/message.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "./inbox.js";

/** Neither throws nor rejects, and gives an outcome, whatever `work.handle` does: one message stops nobody. */
export function attempt(
  work: Pick<InboxWork, "handle" | "failed">,
  message: SmsMessage,
  which: InboxAttempt,
): MaybePromise<InboxOutcome> {
  const failed = (cause: unknown): InboxOutcome => {
    const reason = nameOf(cause);
    const error = codedError("KALEYRA_SMS_HANDLING_FAILED", { why: reason });
    if (which.final) work.failed(error, message, which.attempt);
    else work.failed(error);
    return { outcome: "failed", reason };
  };
  try {
    const outcome: unknown = work.handle(message, which);
    if (isOutcome(outcome)) return outcome;
    return Promise.resolve(outcome).then((is) => (isOutcome(is) ? is : UNKNOWN), failed);
  } catch (cause) {
    return failed(cause);
  }
}

/** The reason of a dead letter whose process ended in each attempt: no handler failed. */
export const CUT_SHORT = "the process ended in each attempt";

const UNKNOWN: InboxOutcome = { outcome: "failed", reason: "unknown" };

function isOutcome(given: unknown): given is InboxOutcome {
  if (!isRecord(given)) return false;
  const { outcome, reason } = given;
  return outcome === "handled" || outcome === "released" || (outcome === "failed" && typeof reason === "string");
}
