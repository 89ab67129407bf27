// One attempt at a message: calls `work.handle`, and returns an outcome even if it fails.

import { codedError } from "../base/errors.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import { isRecord } from "../base/record.js";
import { nameOf } from "../base/thrown.js";
import type { SmsMessage } from "../callback/message.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "./inbox.js";

/**
 * Returns an outcome even if `work.handle` throws, rejects or returns something else: one message must not stop the
 * others. Neither throws nor rejects.
 */
export function attempt(
  work: Pick<InboxWork, "handle" | "failed">,
  message: SmsMessage,
  current: InboxAttempt,
): MaybePromise<InboxOutcome> {
  const failed = (cause: unknown): InboxOutcome => {
    const reason = nameOf(cause);
    const error = codedError("KALEYRA_SMS_HANDLING_FAILED", { why: reason });
    if (current.final) work.failed(error, message, current.attempt);
    else work.failed(error);
    return { outcome: "failed", reason };
  };
  try {
    const outcome: unknown = work.handle(message, current);
    if (isOutcome(outcome)) return outcome;
    return Promise.resolve(outcome).then((settled) => (isOutcome(settled) ? settled : UNKNOWN), failed);
  } catch (cause) {
    return failed(cause);
  }
}

/** The `reason` of a dead letter for which no handler failed: the process ended during each attempt. */
export const CUT_SHORT = "the process ended in each attempt";

const UNKNOWN: InboxOutcome = { outcome: "failed", reason: "unknown" };

function isOutcome(value: unknown): value is InboxOutcome {
  if (!isRecord(value)) return false;
  const { outcome, reason } = value;
  return outcome === "handled" || outcome === "released" || (outcome === "failed" && typeof reason === "string");
}
