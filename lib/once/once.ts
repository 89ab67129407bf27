// A message is handled once, and those of one source in turn, as far as the memory of this process reaches.

import { then, type Eventual } from "../eventual.js";
import type { Handling } from "../handling.js";
import type { TimeLimit } from "../time-limit.js";
import type { HandledKeys } from "./handled-keys.js";
import { Turns } from "./turns.js";

/** What a message is known by. */
interface Known {
  readonly key: string;
  readonly source: string;
}

type Ended = Handling["outcome"];

/** What became of a message; `duplicate` where an earlier delivery of it was handled. Neither throws nor rejects. */
export type HandleOnce = (message: Known, handle: () => Eventual<Handling>) => Eventual<Ended | "duplicate">;

/** @param handledKeys - `undefined` where repeats are to be handled again */
export function createHandleOnce(handledKeys: HandledKeys | undefined, limit: TimeLimit): HandleOnce {
  const turns = new Turns();
  /** The messages that wait for their turn or are being handled, each with how that ends at last. */
  const inHand = new Map<string, Promise<Ended>>();

  /** Waits for the first delivery, even where that is past its time limit, and ends as it does. */
  const waitForFirst = async (first: Promise<Ended>): Promise<Ended | "duplicate"> => {
    const outcome = (await limit.wait(first)) ? await first : "timed-out";
    return outcome === "handled" ? "duplicate" : outcome;
  };

  const remember = (key: string, handling: Eventual<Handling>, handled: HandledKeys): void => {
    if (!(handling instanceof Promise)) {
      if (handling.outcome === "handled") handled.add(key);
      return;
    }
    const end = handling.then(({ outcome, atLast }) => atLast ?? outcome);
    inHand.set(key, end);
    void end.then((outcome) => {
      inHand.delete(key);
      if (outcome === "handled") handled.add(key);
    });
  };

  return ({ key, source }, handle) => {
    if (handledKeys?.has(key) === true) return "duplicate";
    const first = handledKeys === undefined ? undefined : inHand.get(key);
    if (first !== undefined) return waitForFirst(first);
    const handling = turns.run(source, handle);
    if (handledKeys !== undefined) remember(key, handling, handledKeys);
    return then(handling, ({ outcome }) => outcome);
  };
}
