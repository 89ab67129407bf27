// Reads the rows of the message table.

import type { SmsMessage } from "../../callback/message.js";
import { messageOf as messageOfText, storedSource, storedText } from "../stored-message.js";

/** The message of a row; `undefined` if it was forgotten, or if somebody has changed the row. */
export function messageOf(key: unknown, source: unknown, body: unknown): SmsMessage | undefined {
  const message = typeof body === "string" ? messageOfText(body) : undefined;
  const isWhole = message !== undefined && storedText(message.key) === key && storedSource(message.source) === source;
  return isWhole ? message : undefined;
}

/** A reason as PostgreSQL can store it. */
export function storedReason(reason: string): string {
  return reason.toWellFormed().replaceAll("\0", "\ufffd");
}
