// Reads the rows of the message table, which may be damaged.

import type { SmsMessage } from "../../callback/message.js";
import { messageOf as messageOfText, storedSource } from "../stored-message.js";
import { text, type Row } from "./driver.js";

/** Milliseconds since the epoch, as a whole number: a fake clock may return fractions, which the tables reject. */
export const currentTime = (): number => Math.trunc(Date.now());

/**
 * The message of a row; `undefined` if it was forgotten or the row is damaged. The columns `key` and `source` must
 * agree with the body: duplicates are recognized by the first, and the order depends on the second.
 */
export function messageOf({ key, source, body }: Row): SmsMessage | undefined {
  const written = text(body);
  const message = written === undefined ? undefined : messageOfText(written);
  return message?.key === text(key) && message !== undefined && storedSource(message.source) === text(source)
    ? message
    : undefined;
}
