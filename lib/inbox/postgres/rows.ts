// Reads the rows of the message table.

import { sha256 } from "../../base/sha256.js";
import type { SmsMessage } from "../../callback/message.js";
import { messageOf as messageOfText, storedSource, storedText } from "../stored-message.js";

/** Longer texts may not fit into an index. */
const MAX_SOURCE = 256;

/** The subscriber as the rows have it. Of a long text, the digest: no other form begins with a quote and does not end with one. */
export function rowSource(source: string): string {
  const stored = storedSource(source);
  return stored.length <= MAX_SOURCE ? stored : `"${sha256(stored)}`;
}

/** The message of a row; `undefined` if it was forgotten, or if somebody has changed the row. */
export function messageOf(key: unknown, source: unknown, body: unknown): SmsMessage | undefined {
  const message = typeof body === "string" ? messageOfText(body) : undefined;
  const isWhole = message !== undefined && storedText(message.key) === key && rowSource(message.source) === source;
  return isWhole ? message : undefined;
}

/** A reason as PostgreSQL can store it. */
export function storedReason(reason: string): string {
  return reason.toWellFormed().replaceAll("\0", "\ufffd");
}
