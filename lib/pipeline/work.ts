// Makes the object with which an inbox is started: it runs the handlers on the messages that the inbox hands out.

import { then, type MaybePromise } from "../base/maybe-promise.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Handling, Late } from "../handlers/handling.js";
import { attempt } from "../inbox/attempt.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "../inbox/inbox.js";

interface Deps {
  readonly concurrency: number;
  readonly limit: TimeLimit;
  /** Neither throws nor rejects. */
  readonly dispatch: (message: SmsMessage, attempt: InboxAttempt) => MaybePromise<Handling>;
  /** Waits for a handler of messages: without one, a message would count as handled though nothing had run. */
  readonly whenListening: () => MaybePromise<void>;
  readonly failed: InboxWork["failed"];
  readonly unwritten: (cause: unknown) => void;
  /** Called when a message is handed out. */
  readonly taken: () => void;
  /** Called when the last attempt at a message has failed. */
  readonly becameDead: () => void;
  /** Whether nothing new begins. */
  readonly isClosing: () => boolean;
  /** Resolves when the router starts closing: messages that still wait for a handler are then released. */
  readonly closing: Promise<void>;
}

const HANDLED: InboxOutcome = { outcome: "handled" };
const RELEASED: InboxOutcome = { outcome: "released" };

export function createWork(deps: Deps): InboxWork {
  const { concurrency, limit, dispatch, whenListening, failed, unwritten, closing } = deps;
  const outcomeOf = ({ outcome, late, reason = "unknown" }: Handling): MaybePromise<InboxOutcome> => {
    if (outcome === "handled") return HANDLED;
    if (outcome === "closed" || (outcome === "timed-out" && limit.isOver)) return RELEASED;
    const failure: InboxOutcome = { outcome: "failed", reason };
    return late === undefined ? failure : waitFor(late, failure);
  };

  /** Handlers past their time limit still run. The retry starts when they end, or after the same time again. */
  const waitFor = async (late: Late, failure: InboxOutcome): Promise<InboxOutcome> => {
    const ended = late.ended();
    if (await limit.wait(ended)) return (await ended) === "handled" ? HANDLED : failure;
    late.release();
    return failure;
  };

  const attempted = (message: SmsMessage, { attempt: number, final }: InboxAttempt): MaybePromise<InboxOutcome> =>
    then(
      then(
        dispatch(message, {
          attempt: number,
          // An attempt that closing cuts short is retried.
          get final() {
            return final && !limit.isOver;
          },
        }),
        outcomeOf,
      ),
      (outcome) => {
        if (final && outcome.outcome === "failed") deps.becameDead();
        return outcome;
      },
    );

  const handle: InboxWork["handle"] = (message, which) => {
    deps.taken();
    // Given back at once, it would be handed out again at once, for as long as the inbox is not closed.
    if (deps.isClosing()) return closing.then(() => RELEASED);
    const listening = whenListening();
    if (listening === undefined) return attempted(message, which);
    const first = Promise.race([listening.then(() => true), closing.then(() => false)]);
    return first.then((isListening) => (isListening ? attempted(message, which) : RELEASED));
  };

  return {
    concurrency,
    failed,
    unwritten,
    whenListening,
    handle: (message, which) => attempt({ handle, failed }, message, which),
  };
}
