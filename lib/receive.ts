// The way of a callback from its content to its receipt: read it, once, in its turn, to the handlers, answer.

import type { Answers, Receipt } from "./answer/receipt.js";
import type { Callback, Read, ReadMessage, UnreadCallback } from "./callback/read-callback.js";
import type { SmsMessage } from "./callback/message.js";
import type { Dispatcher, Handling } from "./dispatch/dispatcher.js";
import type { TimeLimit } from "./time-limit.js";
import { then, type Eventual } from "./eventual.js";
import type { Log } from "./log.js";
import type { HandledKeys } from "./once/handled-keys.js";
import type { Turns } from "./once/turns.js";

/** The rooms that a callback passes through. */
interface Rooms {
  readonly read: (callback: Callback | UnreadCallback) => Read;
  /** `undefined` where repeats are to be handled again. */
  readonly handledKeys: HandledKeys | undefined;
  readonly turns: Turns;
  readonly dispatcher: Dispatcher;
  readonly limit: TimeLimit;
  readonly answers: Answers;
  /** Says what a valid message shows to be wrong with the set-up. */
  readonly advise: (read: ReadMessage) => void;
  /** Whether the provider is told that a handler failed. */
  readonly tellFailures: boolean;
  readonly log: Log;
}

/** Neither throws nor rejects. */
export type Receive = (callback: Callback | UnreadCallback) => Eventual<Receipt>;

type Outcome = Handling["outcome"];

export function createReceive(rooms: Rooms): Receive {
  const { read, handledKeys, turns, dispatcher, limit, answers, advise, tellFailures, log } = rooms;

  /** The messages that wait for their turn or are being handled, each with how that ends at last. */
  const inHand = new Map<string, Promise<Outcome>>();

  const receiptOf = (outcome: Outcome, message: SmsMessage): Receipt => {
    if (outcome === "handled") return answers.done("handled", message);
    if (outcome === "closed") return answers.busy();
    return tellFailures ? answers.failed(message, outcome) : answers.failedQuietly(message);
  };

  const handleDuplicate = (message: SmsMessage): Eventual<Receipt> =>
    then(dispatcher.announce("duplicate", message), () => answers.done("duplicate", message));

  /** Waits for the first delivery, even where that is past its time limit, and gives the same answer. */
  const waitForFirst = async (first: Promise<Outcome>, message: SmsMessage): Promise<Receipt> => {
    const outcome = (await limit.wait(first)) ? await first : "timed-out";
    return outcome === "handled" ? handleDuplicate(message) : receiptOf(outcome, message);
  };

  const handle = (message: SmsMessage): Eventual<Handling> =>
    turns.run(message.source, () => dispatcher.handle(message));

  const handleFirst = (message: SmsMessage, handled: HandledKeys): Eventual<Receipt> => {
    const { key } = message;
    const handling = handle(message);
    if (handling instanceof Promise) {
      const end = handling.then(({ outcome, atLast }) => atLast ?? outcome);
      inHand.set(key, end);
      void end.then((outcome) => {
        inHand.delete(key);
        if (outcome === "handled") handled.add(key);
      });
    } else if (handling.outcome === "handled") handled.add(key);
    return then(handling, ({ outcome }) => receiptOf(outcome, message));
  };

  const receive: Receive = (callback) => {
    const reading = read(callback);
    if ("invalid" in reading) {
      return then(dispatcher.announce("invalid", reading.invalid), () => answers.invalid(reading.invalid));
    }
    const { message } = reading;
    advise(reading);
    // Without an id there is nothing to tell a repeat by.
    if (handledKeys === undefined || message.id === "")
      return then(handle(message), ({ outcome }) => receiptOf(outcome, message));
    if (handledKeys.has(message.key)) return handleDuplicate(message);
    const first = inHand.get(message.key);
    return first === undefined ? handleFirst(message, handledKeys) : waitForFirst(first, message);
  };

  return (callback) =>
    then(receive(callback), (receipt) => {
      const { outcome, status, message, problem } = receipt;
      log.answered(callback.method, problem?.code ?? outcome, status, message ?? problem ?? {});
      return receipt;
    });
}
