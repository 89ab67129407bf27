// Converts a message to text and back, and a source to a form that every database stores unchanged.

import { isStoredMessage, restoredMessage, storedMessage, type SmsMessage } from "../callback/message.js";
import { phoneNumber } from "../callback/phone-number.js";

/** The message as JSON. A lone surrogate is preserved. */
export function textOf(message: SmsMessage): string {
  return JSON.stringify(storedMessage(message));
}

/** The stored message, frozen; `undefined` if the text is not a stored message. */
export function messageOf(text: string): SmsMessage | undefined {
  try {
    const stored: unknown = JSON.parse(text);
    return isStoredMessage(stored) ? restoredMessage(stored) : undefined;
  } catch {
    return undefined;
  }
}

const PLAIN = /^[!#-~][ -~]*$/;

/**
 * The subscriber in a form that every database stores, compares and returns unchanged. Some change a lone surrogate or
 * U+0000.
 *
 * Different subscribers have different forms: only the form of one that is not plain begins with a quote.
 */
export function storedSource(source: string): string {
  const subscriber = phoneNumber(source);
  return PLAIN.test(subscriber) ? subscriber : JSON.stringify(subscriber);
}
