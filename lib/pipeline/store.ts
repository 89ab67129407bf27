// Stores a message in the inbox, within storeTimeoutMs.

import { setImmediate } from "node:timers/promises";

import { codedError, codedTypeError } from "../base/errors.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Inbox } from "../inbox/inbox.js";

/** Resolves with `not-stored` if the inbox fails or takes too long. Does not reject. */
export type Store = (message: SmsMessage) => Promise<"stored" | "duplicate" | "not-stored">;

type Result = { readonly stored: "stored" | "duplicate" } | { readonly cause: unknown };

/**
 * @param limit - how long a caller waits
 * @param report - reports a failure of the inbox
 */
export function createStore(
  inbox: Inbox,
  limit: TimeLimit,
  report: (cause: unknown, message: SmsMessage) => Promise<void>,
): Store {
  const store = async (message: SmsMessage, signal: AbortSignal): Promise<Result> => {
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
    const storing = store(message, waiting.signal);
    const result = (await limit.wait(storing)) ? await storing : await giveUp(storing, waiting);
    if ("stored" in result) return result.stored;
    await report(result.cause, message);
    return "not-stored";
  };
}

/** Aborts storing. For one turn of the event loop, the inbox may still say why it took so long. */
async function giveUp(storing: Promise<Result>, waiting: AbortController): Promise<Result> {
  const cause = codedError("KALEYRA_SMS_STORE_TIMEOUT");
  waiting.abort(cause);
  return Promise.race([storing, setImmediate({ cause })]);
}
