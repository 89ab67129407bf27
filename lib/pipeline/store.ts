// Stores a message in the inbox, within storeTimeoutMs.

import { codedError, codedTypeError } from "../base/errors.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Inbox } from "../inbox/inbox.js";

/** Resolves with `not-stored` if the inbox fails or takes too long. Does not reject. */
export type Store = (message: SmsMessage) => Promise<"stored" | "duplicate" | "not-stored">;

/**
 * @param limit - how long a caller waits
 * @param report - reports a failure of the inbox
 */
export function createStore(
  inbox: Inbox,
  limit: TimeLimit,
  report: (cause: unknown, message: SmsMessage) => Promise<void>,
): Store {
  const store = async (message: SmsMessage): Promise<{ stored: "stored" | "duplicate" } | { cause: unknown }> => {
    try {
      const stored: unknown = await inbox.store(message, Date.now() + limit.ms);
      // A user's own inbox may be written in JavaScript: any other value counts as not stored.
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
