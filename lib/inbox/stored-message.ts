// A message as text, and back.

import { restoredMessage, storedMessage, type SmsMessage, type StoredMessage } from "../callback/message.js";

/** JSON; a lone surrogate stays what it was. */
export function textOf(message: SmsMessage): string {
  return JSON.stringify(storedMessage(message));
}

/** The message as it was, frozen. */
export function messageOf(text: string): SmsMessage {
  return restoredMessage(JSON.parse(text) as StoredMessage);
}
