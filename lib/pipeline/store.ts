// Puts a message into the inbox, within its time.

import { codedError, codedTypeError } from "../base/errors.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Inbox } from "../inbox/inbox.js";

/** What became of a message; `not-stored` where the inbox could not write it, or not in time. Does not reject. */
export type Store = (message: SmsMessage) => Promise<"stored" | "duplicate" | "not-stored">;

/**
 * @param limit - for how long a caller waits
 * @param tell - of what the inbox could not do
 */
export function createStore(
  inbox: Inbox,
  limit: TimeLimit,
  report: (cause: unknown, message: SmsMessage) => Promise<void>,
): Store {
  const store = async (message: SmsMessage): Promise<{ stored: "stored" | "duplicate" } | { cause: unknown }> => {
    try {
      const stored: unknown = await inbox.store(message, Date.now() + limit.ms);
      // An inbox of the user's may be written in JavaScript: what it does not say was stored, was not.
      if (stored === "stored" || stored === "duplicate") return { stored };
      return { cause: codedTypeError("KALEYRA_SMS_INBOX_CONTRACT") };
    } catch (cause) {
      return { cause };
    }
  };
  return async (message) => {
    const storing = store(message);
    const result = (await limit.wait(storing)) ? await storing : { cause: codedError("KALEYRA_SMS_STORE_TIMEOUT") };
    if ("stored" in result) return result.stored;
    await report(result.cause, message);
    return "not-stored";
  };
}
