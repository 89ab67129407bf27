// A message as text, and back.

import { isStoredMessage, restoredMessage, storedMessage, type SmsMessage } from "../callback/message.js";

/** JSON; a lone surrogate stays what it was. */
export function textOf(message: SmsMessage): string {
  return JSON.stringify(storedMessage(message));
}

/** The message as it was, frozen; `undefined` where the text is that of none. */
export function messageOf(text: string): SmsMessage | undefined {
  try {
    const stored: unknown = JSON.parse(text);
    return isStoredMessage(stored) ? restoredMessage(stored) : undefined;
  } catch {
    return undefined;
  }
}
