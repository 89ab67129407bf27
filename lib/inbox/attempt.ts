// One attempt at a message, by whatever was given to the inbox to handle it.

import type { Eventual } from "../base/eventual.js";
import { isRecord } from "../base/record.js";
import { nameOf } from "../base/thrown.js";
import type { SmsMessage } from "../callback/message.js";
import { handlingFailed } from "./errors.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "./inbox.js";

/** Neither throws nor rejects, and gives an outcome, whatever `work.handle` does: one message stops nobody. */
export function attempt(
  work: Pick<InboxWork, "handle" | "failed">,
  message: SmsMessage,
  which: InboxAttempt,
): Eventual<InboxOutcome> {
  const failed = (cause: unknown): InboxOutcome => {
    const reason = nameOf(cause);
    if (which.final) work.failed(handlingFailed(reason), message, which.attempt);
    else work.failed(handlingFailed(reason));
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

const UNKNOWN: InboxOutcome = { outcome: "failed", reason: "unknown" };

function isOutcome(given: unknown): given is InboxOutcome {
  if (!isRecord(given)) return false;
  const { outcome, reason } = given;
  return outcome === "handled" || outcome === "released" || (outcome === "failed" && typeof reason === "string");
}
