// The way of a callback from its content to its receipt: read it, once, to the handlers, answer.

import type { Answers, Receipt } from "./answer/receipt.js";
import type { Callback, Read, ReadMessage, UnreadCallback } from "./callback/read-callback.js";
import type { Dispatcher } from "./dispatch/dispatcher.js";
import { then, type Eventual } from "./eventual.js";
import type { Log } from "./log.js";
import type { HandleOnce } from "./once/once.js";

/** The rooms that a callback passes through. */
interface Rooms {
  readonly read: (callback: Callback | UnreadCallback) => Read;
  readonly handleOnce: HandleOnce;
  readonly dispatcher: Dispatcher;
  readonly answers: Answers;
  /** Says what a valid message shows to be wrong with the set-up. */
  readonly advise: (read: ReadMessage) => void;
  /** Whether the provider is told that a handler failed. */
  readonly tellFailures: boolean;
  readonly log: Log;
}

/** Neither throws nor rejects. */
export type Receive = (callback: Callback | UnreadCallback) => Eventual<Receipt>;

export function createReceive(rooms: Rooms): Receive {
  const { read, handleOnce, dispatcher, answers, advise, tellFailures, log } = rooms;

  const receive: Receive = (callback) => {
    const reading = read(callback);
    if ("invalid" in reading) {
      return then(dispatcher.announce("invalid", reading.invalid), () => answers.invalid(reading.invalid));
    }
    const { message } = reading;
    advise(reading);
    return then(
      handleOnce(message, () => dispatcher.handle(message)),
      (outcome): Eventual<Receipt> => {
        if (outcome === "handled") return answers.done("handled", message);
        if (outcome === "closed") return answers.busy();
        if (outcome !== "duplicate")
          return tellFailures ? answers.failed(message, outcome) : answers.failedQuietly(message);
        return then(dispatcher.announce("duplicate", message), () => answers.done("duplicate", message));
      },
    );
  };

  return (callback) =>
    then(receive(callback), (receipt) => {
      const { outcome, status, message, problem } = receipt;
      log.answered(callback.method, problem?.code ?? outcome, status, message ?? problem ?? {});
      return receipt;
    });
}
