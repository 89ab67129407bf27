// What the inbox hands messages to: the handlers, one attempt after the other.

import type { SmsMessage } from "../callback/message.js";
import { then, type Eventual } from "../eventual.js";
import type { Handling } from "../handling.js";
import { nameOf } from "../thrown.js";
import type { TimeLimit } from "../time-limit.js";
import type { InboxAttempt, InboxOutcome, InboxWork } from "./inbox.js";

interface Handlers {
  readonly concurrency: number;
  readonly limit: TimeLimit;
  /** Neither throws nor rejects. */
  readonly dispatch: (message: SmsMessage, attempt: InboxAttempt) => Eventual<Handling>;
  /** Waits for a handler that hears messages: nothing is handled because nobody listens. */
  readonly whenHeard: () => Eventual<void>;
  /** Neither throws nor rejects. @param final - whether the message is not tried again; by default, where there is one */
  readonly failed: (cause: unknown, message?: SmsMessage, attempt?: number, final?: boolean) => void;
  /** Resolves when the router is about to close: what no handler hears is given back then. */
  readonly closing: Promise<void>;
}

const HANDLED: InboxOutcome = { outcome: "handled" };
const RELEASED: InboxOutcome = { outcome: "released" };

export function createWork({ concurrency, limit, dispatch, whenHeard, failed, closing }: Handlers): InboxWork {
  const ended = ({ outcome, atLast, reason = "unknown" }: Handling): Eventual<InboxOutcome> => {
    if (outcome === "handled") return HANDLED;
    if (outcome === "closed" || (outcome === "timed-out" && limit.isOver)) return RELEASED;
    const failure: InboxOutcome = { outcome: "failed", reason };
    return atLast === undefined ? failure : waitFor(atLast, failure);
  };

  /** Handlers past their time still run: none is started beside them, unless they take that long again. */
  const waitFor = async (atLast: Promise<"handled" | "failed">, failure: InboxOutcome): Promise<InboxOutcome> =>
    (await limit.wait(atLast)) && (await atLast) === "handled" ? HANDLED : failure;

  const attempted = (message: SmsMessage, { attempt, final }: InboxAttempt): Eventual<InboxOutcome> =>
    then(
      dispatch(message, {
        attempt,
        // One that closing cuts short is tried again.
        get final() {
          return final && !limit.isOver;
        },
      }),
      ended,
    );

  /** Whatever goes wrong on the way to the handlers is a failed attempt: an inbox goes on with the next message. */
  const broken = (cause: unknown, message: SmsMessage, { attempt, final }: InboxAttempt): InboxOutcome => {
    failed(cause, message, attempt, final);
    return { outcome: "failed", reason: nameOf(cause) };
  };

  const handle: InboxWork["handle"] = (message, attempt) => {
    const heard = whenHeard();
    if (heard === undefined) return attempted(message, attempt);
    const waited = Promise.race([heard.then(() => true), closing.then(() => false)]);
    return waited.then((isHeard) => (isHeard ? attempted(message, attempt) : RELEASED));
  };

  return {
    concurrency,
    failed: (cause, message, attempt) => failed(cause, message, attempt),
    handle: (message, attempt) => {
      try {
        const outcome = handle(message, attempt);
        if (!(outcome instanceof Promise)) return outcome;
        return outcome.catch((cause: unknown) => broken(cause, message, attempt));
      } catch (cause) {
        return broken(cause, message, attempt);
      }
    },
  };
}
