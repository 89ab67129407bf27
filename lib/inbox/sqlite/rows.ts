// A row of the table that holds a message, and the message.

import type { SmsMessage } from "../../callback/message.js";
import { messageOf as messageOfText, storedSource } from "../stored-message.js";
import { text, type Row } from "./driver.js";

/** The present as it is written: a clock that was put in place of Node's may give fractions, which the tables do not take. */
export const present = (): number => Math.trunc(Date.now());

/** An instant as it is read: a file may hold anything, some drivers throw at what is no safe integer, and `Date` at what is no instant. */
export const at = (instant: string): string => `min(max(${instant}, 0), 8640000000000000)`;
/** The same of a number of attempts. */
export const ATTEMPTS = "min(max(attempts, 0), 1000000)";

/** The columns by which a message is read back. */
export const MESSAGE = "CAST(key AS BLOB) AS key, CAST(source AS BLOB) AS source, CAST(body AS BLOB) AS body";

/**
 * The message of a row; `undefined` where it was forgotten, or where the row is no message: by its key repeats are told, and by its source its turn,
 * so that all three must agree.
 */
export function messageOf({ key, source, body }: Row): SmsMessage | undefined {
  const written = text(body);
  const message = written === undefined ? undefined : messageOfText(written);
  return message?.key === text(key) && message !== undefined && storedSource(message.source) === text(source)
    ? message
    : undefined;
}
