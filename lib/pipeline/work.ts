// What the inbox hands messages to: the handlers, one attempt after the other.

import { then, type MaybePromise } from "../base/maybe-promise.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Handling, Late } from "../handlers/handling.js";
import { attempt } from "../inbox/attempt.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "../inbox/inbox.js";

interface Handlers {
  readonly concurrency: number;
  readonly limit: TimeLimit;
  /** Neither throws nor rejects. */
  readonly dispatch: (message: SmsMessage, attempt: InboxAttempt) => MaybePromise<Handling>;
  /** Waits for a handler that hears messages: nothing is handled because nobody listens. */
  readonly whenListening: () => MaybePromise<void>;
  readonly failed: InboxWork["failed"];
  /** Resolves when the router is about to close: what no handler hears is given back then. */
  readonly closing: Promise<void>;
}

const HANDLED: InboxOutcome = { outcome: "handled" };
const RELEASED: InboxOutcome = { outcome: "released" };

export function createWork({ concurrency, limit, dispatch, whenListening, failed, closing }: Handlers): InboxWork {
  const outcomeOf = ({ outcome, late, reason = "unknown" }: Handling): MaybePromise<InboxOutcome> => {
    if (outcome === "handled") return HANDLED;
    if (outcome === "closed" || (outcome === "timed-out" && limit.isOver)) return RELEASED;
    const failure: InboxOutcome = { outcome: "failed", reason };
    return late === undefined ? failure : waitFor(late, failure);
  };

  /** Handlers past their time still run: none is started beside them, unless they take that long again. */
  const waitFor = async (late: Late, failure: InboxOutcome): Promise<InboxOutcome> => {
    const ended = late.ended();
    if (await limit.wait(ended)) return (await ended) === "handled" ? HANDLED : failure;
    late.release();
    return failure;
  };

  const attempted = (message: SmsMessage, { attempt: number, final }: InboxAttempt): MaybePromise<InboxOutcome> =>
    then(
      dispatch(message, {
        attempt: number,
        // One that closing cuts short is tried again.
        get final() {
          return final && !limit.isOver;
        },
      }),
      outcomeOf,
    );

  const handle: InboxWork["handle"] = (message, which) => {
    const heard = whenListening();
    if (heard === undefined) return attempted(message, which);
    const waited = Promise.race([heard.then(() => true), closing.then(() => false)]);
    return waited.then((isListening) => (isListening ? attempted(message, which) : RELEASED));
  };

  return { concurrency, failed, handle: (message, which) => attempt({ handle, failed }, message, which) };
}
