// A message as text, and back; and a source, as a column can hold it.

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

const PLAIN = /^[!#-~][ -~]*$/;

/**
 * A source in a form that every database stores, compares and gives back as it is: of half a surrogate pair, and of U+0000, some make something
 * else. Two sources never have one form: only what is not plain begins with a quote.
 */
export function storedSource(source: string): string {
  return PLAIN.test(source) ? source : JSON.stringify(source);
}
