// The way of a callback from its content to its receipt: read it, take it in (to the handlers, or into the inbox), answer.

import type { Answers, Receipt } from "../answer/receipt.js";
import { then, type MaybePromise } from "../base/maybe-promise.js";
import type { Log } from "../base/log.js";
import { nameOf } from "../base/thrown.js";
import type { Callback, Read, ReadMessage, UnreadCallback } from "../callback/read-callback.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import type { Handling } from "../handlers/handling.js";

/** The rooms that a callback passes through. */
interface Deps {
  readonly read: (callback: Callback | UnreadCallback) => Read;
  readonly handleOrStore: Way["handleOrStore"];
  readonly dispatcher: Dispatcher;
  readonly answers: Answers;
  /** Says what a valid message shows to be wrong with the set-up. */
  readonly advise: (read: ReadMessage) => void;
  /** Whether a callback whose handler failed is answered like a handled one. */
  readonly acknowledgeFailures: boolean;
  readonly log: Log;
}

/** What becomes of a valid message: it is handled, once, or stored in the inbox. Neither throws nor rejects. */
type HandleOrStore = (
  message: ReadMessage["message"],
) => MaybePromise<Handling["outcome"] | "stored" | "duplicate" | "not-stored">;

/** The way of a valid message: in the memory of this process, or through an inbox. */
export interface Way {
  readonly handleOrStore: HandleOrStore;
  /** Runs what receives a callback by another way than HTTP, perhaps from a handler. */
  readonly receive: <Result>(receive: () => Result) => Result;
  /** When every callback is answered: waits for what still runs. Does not reject. */
  readonly drain: () => Promise<void>;
  /** When the handlers' time is over: lets go of what is left. @param drained - resolves when nothing is */
  readonly end: (drained: Promise<void>) => Promise<void>;
}

/** Neither throws nor rejects. */
export type Receive = (callback: Callback | UnreadCallback) => MaybePromise<Receipt>;

export function createReceive(deps: Deps): Receive {
  const { read, handleOrStore, dispatcher, answers, advise, acknowledgeFailures, log } = deps;

  const receive: Receive = (callback) => {
    const reading = read(callback);
    if ("invalid" in reading) {
      return then(dispatcher.announce("invalid", reading.invalid), () => answers.invalid(reading.invalid));
    }
    const { message } = reading;
    advise(reading);
    return then(handleOrStore(message), (outcome): MaybePromise<Receipt> => {
      switch (outcome) {
        case "handled":
        case "stored":
          return answers.done(outcome, message);
        case "duplicate":
          return then(dispatcher.announce("duplicate", message), () => answers.done("duplicate", message));
        case "failed":
        case "timed-out":
          return acknowledgeFailures ? answers.failedQuietly(message) : answers.failed(message, outcome);
        case "not-stored":
          return answers.notStored(message);
        case "closed":
          return answers.busy();
      }
    });
  };

  const answered = (callback: Callback | UnreadCallback): MaybePromise<Receipt> =>
    then(receive(callback), (receipt) => {
      const { outcome, status, message, problem } = receipt;
      log.answered(callback.method, problem?.code ?? outcome, status, message ?? problem ?? {});
      return receipt;
    });
  const broken = (error: unknown): Receipt => {
    log.error("internal-error", `A callback could not be processed: ${nameOf(error)}. Please report it.`);
    return answers.broken();
  };
  return (callback) => {
    try {
      const receipt = answered(callback);
      return receipt instanceof Promise ? receipt.catch(broken) : receipt;
    } catch (error) {
      return broken(error);
    }
  };
}
