// Stores a message in the inbox, within storeTimeoutMs.

import { setImmediate } from "node:timers/promises";

import { codedError, codedTypeError } from "../base/errors.js";
import { within } from "../base/observation.js";
import type { TimeLimit } from "../base/time-limit.js";
import { withTraceparent, type SmsMessage } from "../callback/message.js";
import type { Inbox } from "../inbox/inbox.js";
import type { Reach } from "../inbox/reach.js";
import type { ObservedStore, Observers } from "./observer.js";

/** Resolves with `not-stored` if the inbox fails or takes too long. Does not reject. */
export type Store = (message: SmsMessage) => Promise<"stored" | "duplicate" | "not-stored">;

interface Deps {
  readonly inbox: Inbox;
  readonly reach: Reach;
  /** How long a caller waits. */
  readonly limit: TimeLimit;
  readonly observers: Pick<Observers, "ofStores">;
  /** Reports a failure of the inbox. */
  readonly report: (cause: unknown, message: SmsMessage) => Promise<void>;
}

export function createStore({ inbox, reach, limit, observers, report }: Deps): Store {
  const store = async (message: SmsMessage, signal: AbortSignal): Promise<ObservedStore> => {
    try {
      const stored: unknown = await inbox.store(message, signal);
      // A user's own inbox may be written in JavaScript: any other value counts as not stored.
      if (stored === "stored" || stored === "duplicate") return { stored };
      return { cause: codedTypeError("KALEYRA_SMS_INBOX_CONTRACT") };
    } catch (cause) {
      return { cause };
    }
  };
  return async (message) => {
    const waiting = new AbortController();
    const observation = observers.ofStores?.store?.(message);
    const storing =
      observation === undefined
        ? store(message, waiting.signal)
        : within(observation, () => store(withTraceparent(message, observation.traceparent), waiting.signal));
    const result = (await limit.wait(storing)) ? await storing : await giveUp(storing, waiting);
    observation?.ended(result);
    reach.stored("stored" in result);
    if ("stored" in result) return result.stored;
    await report(result.cause, message);
    return "not-stored";
  };
}

/** Aborts storing. For one turn of the event loop, the inbox may still say why it took so long. */
async function giveUp(storing: Promise<ObservedStore>, waiting: AbortController): Promise<ObservedStore> {
  const cause = codedError("KALEYRA_SMS_STORE_TIMEOUT");
  waiting.abort(cause);
  return Promise.race([storing, setImmediate({ cause })]);
}
