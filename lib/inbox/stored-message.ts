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
 * The subscriber in a form that every database stores, compares and returns unchanged. Different subscribers have
 * different forms.
 */
export function storedSource(source: string): string {
  return storedText(phoneNumber(source));
}

/**
 * A text in such a form: some databases change a lone surrogate or U+0000. Only the form of a text that is not plain
 * begins with a quote.
 */
export function storedText(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}
