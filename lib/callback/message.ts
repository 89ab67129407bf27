// Builds the message that handlers get, from the fields of a callback or from its stored form.

import { randomUUID } from "node:crypto";

import { isRecord } from "../base/record.js";
import { sha256 } from "../base/sha256.js";
import { AS_SENT, isPart, partNumber, type AsSentProperty } from "./fields.js";
import type { PhoneNumber } from "./phone-number.js";
import type { Fields } from "./read/reading.js";
import { splitWords } from "./words.js";

/**
 * An incoming SMS. Plain, frozen data: it survives `JSON.stringify`, `structuredClone`, a database and a queue.
 *
 * It also has `kid`, `description`, `status`, `statusTrace`, `operator` and `circle`: exactly as sent, absent if not
 * sent.
 */
export interface SmsMessage extends Readonly<Partial<Record<AsSentProperty, string>>> {
  /** The provider's identifier of the request. */
  readonly id: string;
  /**
   * The same for every delivery of one callback: a digest (SHA-256, base64url) of id, source, recipient, keyword and
   * message. Use it as the idempotency key of everything that a handler does. Without an `id` in the profile,
   * duplicates cannot be recognized: each delivery has a key of its own.
   */
  readonly key: string;
  /**
   * The subscriber's number, the same however it was written: in E.164 (`+919876543210`) if the country code is known.
   * Short codes and alphanumeric senders stay as sent.
   */
  readonly source: string;
  /** The business number, in the same form. */
  readonly recipient: string;
  /** The typed text: Kaleyra's `message`. Absent if a GET callback does not pass it. */
  readonly text?: string;
  /** The keyword that the console matched. Absent under its default configuration. */
  readonly keyword?: string;
  /**
   * The words of the text, split at white space. If it has none, the `parts[n]` that were sent. If none were sent, the
   * keyword. `parts[0]` is Kaleyra's `parts[1]`.
   */
  readonly parts: readonly string[];
  /** When the request was triggered, as sent: `YYYY-MM-DD HH:MM:SS`, without a time zone. */
  readonly timestamp?: string;
  /**
   * The instant of `timestamp`, ISO 8601 in UTC, if `options.timeZone` names its time zone. Absent if the clocks of the
   * zone skip or repeat that time.
   */
  readonly triggeredAt?: string;
  /** The time of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
  /** The HTTP method of the callback. */
  readonly method: "GET" | "POST";
  /**
   * Whether `escaping: "auto"` had to match the body against the profile's template, because it was not valid JSON.
   * Always `false` under `"none"` and `"json"`.
   */
  readonly repaired: boolean;
  /**
   * Whether bytes of the text were not valid in the charset of the body. Each stands as U+FFFD in the text: half an emoji
   * is three.
   */
  readonly damaged: boolean;
  /**
   * The `traceparent` (W3C Trace Context) that a subscriber of the channel `express-kaleyra-sms.inbox.store` has set.
   * Otherwise absent, and without an inbox always. docs/tracing.md uses it.
   */
  readonly traceparent?: string;
  /** Every field under its wire name, exactly as read. Fields without a value are left out. */
  readonly fields: Readonly<Record<string, string>>;
}

/** The options for building a message. */
export interface MessageSettings {
  readonly phoneNumber: PhoneNumber;
  readonly instantOf: ((timestamp: string) => string | undefined) | undefined;
}

type Draft = { -readonly [Property in keyof SmsMessage]: SmsMessage[Property] };

/** Builds the message from valid fields. */
export function smsMessage(
  fields: Fields,
  arrival: Pick<SmsMessage, "method" | "receivedAt" | "repaired" | "damaged">,
  settings: MessageSettings,
): SmsMessage {
  const { id = "", source = "", recipient = fields.to ?? "", message: text, keyword } = fields;
  const from = settings.phoneNumber(source);
  const to = settings.phoneNumber(recipient);
  const draft: Draft = {
    id,
    key: digest([id === "" ? randomUUID() : id, from, to, keyword, text]),
    source: from,
    recipient: to,
    parts: Object.freeze(partsOf(text, fields, keyword)),
    receivedAt: arrival.receivedAt,
    method: arrival.method,
    repaired: arrival.repaired,
    damaged: arrival.damaged,
    fields: Object.freeze(fields),
  };
  addAsSent(draft);
  const triggeredAt = fields.timestamp === undefined ? undefined : settings.instantOf?.(fields.timestamp);
  if (triggeredAt !== undefined) draft.triggeredAt = triggeredAt;
  return Object.freeze(draft);
}

/** The stored form of a message: without the properties that only duplicate a field. */
export interface StoredMessage extends Omit<SmsMessage, AsSentProperty | "text" | "damaged"> {
  /** Absent in messages that versions without it have stored. */
  readonly damaged?: boolean;
}

export function storedMessage(message: SmsMessage): StoredMessage {
  const { key, source, recipient, parts, triggeredAt, receivedAt, method, repaired, damaged, traceparent, fields } =
    message;
  return {
    ...{ key, source, recipient, parts, receivedAt, method, repaired, damaged, fields },
    ...(triggeredAt === undefined ? {} : { triggeredAt }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** Whether a value is a complete stored message. A database or a queue may return anything. */
export function isStoredMessage(given: unknown): given is StoredMessage {
  if (!isRecord(given)) return false;
  const { key, source, recipient, parts, triggeredAt, receivedAt, method, repaired, damaged, fields } = given;
  return (
    [key, source, recipient, receivedAt].every(isString) &&
    (triggeredAt === undefined || isString(triggeredAt)) &&
    (method === "GET" || method === "POST") &&
    typeof repaired === "boolean" &&
    (damaged === undefined || typeof damaged === "boolean") &&
    Array.isArray(parts) &&
    parts.every(isString) &&
    isRecord(fields) &&
    Object.values(fields).every(isString)
  );
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** Restores the frozen message. It reuses `parts` and `fields` of the stored one, and freezes them. */
export function restoredMessage(stored: StoredMessage): SmsMessage {
  const { key, source, recipient, parts, receivedAt, method, repaired, damaged = false, fields } = stored;
  const { triggeredAt, traceparent } = stored;
  const draft: Draft = {
    id: fields.id ?? "",
    key,
    source,
    recipient,
    parts: Object.freeze(parts),
    receivedAt,
    method,
    repaired,
    damaged,
    fields: Object.freeze(fields),
  };
  addAsSent(draft);
  if (triggeredAt !== undefined) draft.triggeredAt = triggeredAt;
  // A message is no less readable without it.
  if (isTraceparent(traceparent)) draft.traceparent = traceparent;
  return Object.freeze(draft);
}

/** https://www.w3.org/TR/trace-context/#traceparent-header: version ff and ids of zeros are invalid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function isTraceparent(given: unknown): given is string {
  return typeof given === "string" && TRACEPARENT.test(given);
}

/** The message with a `traceparent`; the same message if that is none. */
export function withTraceparent(message: SmsMessage, traceparent: unknown): SmsMessage {
  return isTraceparent(traceparent) ? Object.freeze({ ...message, traceparent }) : message;
}

function addAsSent(draft: Draft): void {
  const { fields } = draft;
  if (fields.message !== undefined) draft.text = fields.message;
  for (const { name, property } of AS_SENT) {
    const sent = fields[name];
    if (sent !== undefined) draft[property] = sent;
  }
}

function partsOf(text: string | undefined, fields: Fields, keyword: string | undefined): string[] {
  const words = text === undefined ? [] : splitWords(text);
  if (words.length > 0) return words;
  const sent = sentParts(fields);
  if (sent.length > 0) return sent;
  return keyword === undefined ? [] : [keyword];
}

/** The `parts[n]` that were sent, in the order of n. */
function sentParts(fields: Fields): string[] {
  return Object.entries(fields)
    .filter(([name]) => isPart(name))
    .sort(([a], [b]) => partNumber(a) - partNumber(b))
    .map(([, part]) => part);
}

/** The length before each value marks where it ends, and `-` stands for an absent value: no two inputs are the same. */
function digest(values: ReadonlyArray<string | undefined>): string {
  let input = "";
  for (const value of values) input += value === undefined ? "-" : `${value.length}:${wellFormed(value)}`;
  return sha256(input);
}

/** UTF-8 cannot encode lone surrogates. JSON escapes them, so that different ones stay different. */
function wellFormed(value: string): string {
  return value.isWellFormed() ? value : JSON.stringify(value);
}
