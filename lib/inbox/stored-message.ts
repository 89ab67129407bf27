// A message as text, and back.

import type { SmsMessage } from "../callback/message.js";

/** JSON in ASCII wherever JSON itself allows it; a lone surrogate stays what it was. */
export function textOf(message: SmsMessage): string {
  return JSON.stringify(message);
}

/** Frozen, as it was. */
export function messageOf(text: string): SmsMessage {
  return frozen(JSON.parse(text) as SmsMessage);
}

export function frozen(message: SmsMessage): SmsMessage {
  Object.freeze(message.parts);
  Object.freeze(message.fields);
  return Object.freeze(message);
}
