// One attempt at a message, by whatever was given to the inbox to handle it.

import type { SmsMessage } from "../callback/message.js";
import type { Eventual } from "../eventual.js";
import { isRecord } from "../record.js";
import { nameOf } from "../thrown.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "./inbox.js";

/** Neither throws nor rejects, and gives an outcome, whatever `work.handle` does: one message stops nobody. */
export function attempt(work: InboxWork, message: SmsMessage, which: InboxAttempt): Eventual<InboxOutcome> {
  try {
    const outcome: unknown = work.handle(message, which);
    if (isOutcome(outcome)) return outcome;
    return Promise.resolve(outcome).then((is) => (isOutcome(is) ? is : UNKNOWN), failed);
  } catch (cause) {
    return failed(cause);
  }
}

const UNKNOWN: InboxOutcome = { outcome: "failed", reason: "unknown" };

function failed(cause: unknown): InboxOutcome {
  return { outcome: "failed", reason: nameOf(cause) };
}

function isOutcome(given: unknown): given is InboxOutcome {
  if (!isRecord(given)) return false;
  const { outcome, reason } = given;
  return outcome === "handled" || outcome === "released" || (outcome === "failed" && typeof reason === "string");
}
