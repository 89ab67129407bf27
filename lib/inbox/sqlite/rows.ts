// Reads the rows of the message table, which may be damaged.

import type { SmsMessage } from "../../callback/message.js";
import { messageOf as messageOfText, storedSource } from "../stored-message.js";
import { text, type Row } from "./driver.js";

/** Milliseconds since the epoch, as a whole number: a fake clock may return fractions, which the tables reject. */
export const currentTime = (): number => Math.trunc(Date.now());

/**
 * SQL that limits an instant to the range of `Date`. In a damaged file it may be any number: `Date` and some drivers
 * throw at numbers that are too large.
 */
export const clampedInstant = (sql: string): string => `min(max(${sql}, 0), 8640000000000000)`;
/** The number of attempts, limited in the same way. */
export const ATTEMPTS = "min(max(attempts, 0), 1000000)";

/** The columns that `messageOf` reads. */
export const MESSAGE = "CAST(key AS BLOB) AS key, CAST(source AS BLOB) AS source, CAST(body AS BLOB) AS body";

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
