// The pipeline of a callback, from its content to its receipt: read it, handle or store its message, answer.

import type { Answers, Receipt } from "../answer/receipt.js";
import { then, type MaybePromise } from "../base/maybe-promise.js";
import type { Log } from "../base/log.js";
import { nameOf } from "../base/thrown.js";
import type { Callback, Read, ReadMessage, UnreadCallback } from "../callback/read-callback.js";
import type { Dispatcher } from "../handlers/dispatcher.js";
import type { Handling } from "../handlers/handling.js";
import type { TurnAway } from "./admit.js";
import type { Advise } from "./advice.js";

interface Deps {
  readonly read: (callback: Callback | UnreadCallback) => Read;
  readonly handleOrStore: Delivery["handleOrStore"];
  readonly dispatcher: Dispatcher;
  readonly answers: Answers;
  /** Warns of mistakes in the set-up that a valid message reveals. */
  readonly advise: Advise;
  readonly turnAway: TurnAway;
  /** Whether a callback whose handler failed is answered like a handled one. */
  readonly acknowledgeFailures: boolean;
  readonly log: Log;
}

/** Handles a valid message once, or stores it in the inbox. Neither throws nor rejects. */
type HandleOrStore = (
  message: ReadMessage["message"],
) => MaybePromise<Handling["outcome"] | "stored" | "duplicate" | "not-stored" | "source" | "capacity">;

/** How valid messages reach their handlers: in the memory of this process, or through an inbox. */
export interface Delivery {
  readonly handleOrStore: HandleOrStore;
  /** Runs a function that receives a callback without HTTP (`sms.receive`), perhaps within a handler. */
  readonly receive: <Result>(receive: () => Result) => Result;
  /** Called when every callback is answered. Waits for handlers that still run. Does not reject. */
  readonly drain: () => Promise<void>;
  /** Called when the time of the handlers is over. Releases the rest. @param drained - resolves when nothing is left */
  readonly end: (drained: Promise<void>) => Promise<void>;
}

/** Neither throws nor rejects. */
export type Receive = (callback: Callback | UnreadCallback) => MaybePromise<Receipt>;

export function createReceive(deps: Deps): Receive {
  const { read, handleOrStore, dispatcher, answers, advise, turnAway, acknowledgeFailures, log } = deps;

  const receive: Receive = (callback) => {
    const reading = read(callback);
    if ("invalid" in reading) {
      return then(dispatcher.announce("invalid", reading.invalid), () => answers.invalid(reading.invalid));
    }
    const { message } = reading;
    advise(reading, callback);
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
        case "source":
        case "capacity":
          return turnAway(outcome, message.method, message);
        case "closed":
          return turnAway("closing", message.method, message);
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
