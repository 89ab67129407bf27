// Converts a message to a job of BullMQ and back.

import type { Job, JobsOptions } from "bullmq";

import { isRecord } from "../../base/record.js";
import {
  isStoredMessage,
  restoredMessage,
  storedMessage,
  type SmsMessage,
  type StoredMessage,
} from "../../callback/message.js";
import type { InboxSettings } from "../inbox-options.js";
import { backoffAfter } from "../retry.js";

/** The data of a job. The scripts in Redis find the key at the beginning of its JSON. */
export interface Entry {
  /** The `key` of the message. */
  readonly key: string;
  /** Absent if the message was forgotten. */
  readonly message?: StoredMessage;
}

/** The data of a job, with the message restored. */
export interface ReadEntry {
  readonly key: string;
  readonly message?: SmsMessage;
}

/** The name of every job, as BullMQ's tools show it. */
export const JOB_NAME = "sms";
const BACKOFF = "doubling";

/** The id of a message's job. BullMQ rejects ids that read as a number or contain a colon. */
export function idOf(key: string): string {
  return `sms-${key}`;
}

/** The key of a message, from the id of its job. */
export function keyOf(id: string): string {
  return id.slice(idOf("").length);
}

export function newEntry(message: SmsMessage): Entry {
  return { key: message.key, message: storedMessage(message) };
}

export function optionsOf({ attempts, backoffMs }: InboxSettings): JobsOptions {
  return {
    attempts,
    backoff: { type: BACKOFF, delay: backoffMs },
    // The key is kept in a sorted set (scripts.ts).
    removeOnComplete: true,
    removeOnFail: false,
    // The reason already names the place of the error.
    stackTraceLimit: 0,
  };
}

/** BullMQ's own exponential backoff has no upper limit. */
export function backoffStrategy(attemptsMade: number, _type?: string, _error?: Error, job?: Pick<Job, "opts">): number {
  const backoff = job?.opts.backoff;
  return backoffAfter(attemptsMade, { backoffMs: typeof backoff === "object" ? (backoff.delay ?? 0) : (backoff ?? 0) });
}

/** The entry of a job; `undefined` if the inbox did not write the job. */
export function entryOf(id: string | undefined, data: unknown): ReadEntry | undefined {
  if (!isRecord(data) || typeof data.key !== "string" || id !== idOf(data.key)) return undefined;
  const { key, message } = data;
  if (message === undefined) return { key };
  if (!isStoredMessage(message) || message.key !== key) return undefined;
  return { key, message: restoredMessage({ ...message }) };
}

/** The entry of a job, from its data as stored in Redis; `undefined` if the inbox did not write the job. */
export function parsedEntry(id: string, text: string | null): ReadEntry | undefined {
  try {
    return text === null ? undefined : entryOf(id, JSON.parse(text));
  } catch {
    return undefined;
  }
}
