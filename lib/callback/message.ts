// From fields to the message that handlers get.

import { randomUUID } from "node:crypto";

import { isRecord } from "../base/record.js";
import { sha256 } from "../base/sha256.js";
import { AS_SENT, isPart, partNumber, type AsSentProperty } from "./fields.js";
import { phoneNumber } from "./phone-number.js";
import type { Fields } from "./read/reading.js";
import { splitWords } from "./words.js";

/**
 * An incoming SMS. Plain data, frozen: it survives `JSON.stringify`, `structuredClone`, a database and a queue.
 *
 * Besides the properties below it has `id`, and where they were sent `kid`, `description`, `status`, `statusTrace`, `operator` and
 * `circle`, as they were sent.
 */
export interface SmsMessage extends Readonly<Partial<Record<AsSentProperty, string>>> {
  /** The provider's identifier of the request. */
  readonly id: string;
  /**
   * The same for every delivery of one callback: a digest (SHA-256, base64url) of id, source, recipient, keyword and message. The
   * idempotency key for whatever a handler does. Where the profile asks for no `id`, nothing tells a repeat: each delivery has one of its own.
   */
  readonly key: string;
  /** The subscriber's number, in E.164 (`+919876543210`) where it was sent with its country code. */
  readonly source: string;
  /** The business number, in the same form. */
  readonly recipient: string;
  /** What the subscriber typed: Kaleyra's `message`. Absent from a GET callback that does not pass it. */
  readonly text?: string;
  /** The keyword that the console matched. Absent under its default configuration. */
  readonly keyword?: string;
  /**
   * The words of the text, split at white space. Where there are none, the `parts[n]` that were sent, and where there are none either, the
   * keyword. `parts[0]` is Kaleyra's `parts[1]`.
   */
  readonly parts: readonly string[];
  /** When the request was triggered, as sent: `YYYY-MM-DD HH:MM:SS`, in a zone that it does not name. */
  readonly timestamp?: string;
  /**
   * The instant of `timestamp`, ISO 8601 in UTC, where `options.timeZone` names its zone. Absent where the zone's clocks skip or repeat
   * that time.
   */
  readonly triggeredAt?: string;
  /** The instant of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
  readonly method: "GET" | "POST";
  /** Whether the body was no proper JSON, and the text was recovered by matching it against the profile's template. */
  readonly repaired: boolean;
  /** Every field under its wire name, exactly as read; those that the provider had no value for are left out. */
  readonly fields: Readonly<Record<string, string>>;
}

/** How fields become a message, beyond what the fields say. */
export interface MessageSettings {
  readonly defaultCountryCode: string | undefined;
  readonly instantOf: ((timestamp: string) => string | undefined) | undefined;
}

type Draft = { -readonly [Property in keyof SmsMessage]: SmsMessage[Property] };

/** `fields` are known to be valid. */
export function smsMessage(
  fields: Fields,
  arrival: Pick<SmsMessage, "method" | "receivedAt" | "repaired">,
  settings: MessageSettings,
): SmsMessage {
  const { id = "", source = "", recipient = fields.to ?? "", message: text, keyword } = fields;
  const from = phoneNumber(source, settings.defaultCountryCode);
  const to = phoneNumber(recipient, settings.defaultCountryCode);
  const draft: Draft = {
    id,
    key: digest([id === "" ? randomUUID() : id, from, to, keyword, text]),
    source: from,
    recipient: to,
    parts: Object.freeze(partsOf(text, fields, keyword)),
    receivedAt: arrival.receivedAt,
    method: arrival.method,
    repaired: arrival.repaired,
    fields: Object.freeze(fields),
  };
  addAsSent(draft);
  const triggeredAt = fields.timestamp === undefined ? undefined : settings.instantOf?.(fields.timestamp);
  if (triggeredAt !== undefined) draft.triggeredAt = triggeredAt;
  return Object.freeze(draft);
}

/** What a message is stored as: all but the properties that only repeat a field. */
export type StoredMessage = Omit<SmsMessage, AsSentProperty | "text">;

export function storedMessage(message: SmsMessage): StoredMessage {
  const { key, source, recipient, parts, triggeredAt, receivedAt, method, repaired, fields } = message;
  const stored = { key, source, recipient, parts, receivedAt, method, repaired, fields };
  return triggeredAt === undefined ? stored : { ...stored, triggeredAt };
}

/** Whether it is what `storedMessage` gave, whole: what comes from a database or a queue may be anything. */
export function isStoredMessage(given: unknown): given is StoredMessage {
  if (!isRecord(given)) return false;
  const { key, source, recipient, parts, triggeredAt, receivedAt, method, repaired, fields } = given;
  return (
    [key, source, recipient, receivedAt].every(isString) &&
    (triggeredAt === undefined || isString(triggeredAt)) &&
    (method === "GET" || method === "POST") &&
    typeof repaired === "boolean" &&
    Array.isArray(parts) &&
    parts.every(isString) &&
    isRecord(fields) &&
    Object.values(fields).every(isString)
  );
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** The message as it was, frozen. It takes over `parts` and `fields`. */
export function restoredMessage(stored: StoredMessage): SmsMessage {
  const { key, source, recipient, parts, triggeredAt, receivedAt, method, repaired, fields } = stored;
  const draft: Draft = {
    id: fields.id ?? "",
    key,
    source,
    recipient,
    parts: Object.freeze(parts),
    receivedAt,
    method,
    repaired,
    fields: Object.freeze(fields),
  };
  addAsSent(draft);
  if (triggeredAt !== undefined) draft.triggeredAt = triggeredAt;
  return Object.freeze(draft);
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

/** The length before each value keeps apart what a plain concatenation would not: where one ends, and absent from empty. */
function digest(values: ReadonlyArray<string | undefined>): string {
  let whole = "";
  for (const value of values) whole += value === undefined ? "-" : `${value.length}:${wellFormed(value)}`;
  return sha256(whole);
}

/** UTF-8 has no lone surrogates: as JSON they stay apart from each other. */
function wellFormed(value: string): string {
  return value.isWellFormed() ? value : JSON.stringify(value);
}
