// A message as a job of BullMQ's.

import type { Job, JobsOptions } from "bullmq";

import { isRecord } from "../../base/record.js";
import {
  isStoredMessage,
  restoredMessage,
  storedMessage,
  type SmsMessage,
  type StoredMessage,
} from "../../callback/message.js";
import { backoffAfter, type InboxSettings } from "../inbox-options.js";

/** A job's data. Redis finds the key where it begins. */
export interface Entry {
  /** That of the message. */
  readonly key: string;
  /** Until it is forgotten. */
  readonly message?: StoredMessage;
}

/** The same, read. */
export interface ReadEntry {
  readonly key: string;
  readonly message?: SmsMessage;
}

/** What a job is called in BullMQ's tools. */
export const JOB_NAME = "sms";
const BACKOFF = "doubling";

/** BullMQ takes no id that reads as a number, and none with a colon. */
export function idOf(key: string): string {
  return `sms-${key}`;
}

/** The key of the message, by the id of its job. */
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
    // The key is kept elsewhere.
    removeOnComplete: true,
    removeOnFail: false,
    // The reason says what there is to say.
    stackTraceLimit: 0,
  };
}

/** BullMQ's own exponential backoff knows no longest one. */
export function backoffStrategy(attemptsMade: number, _type?: string, _error?: Error, job?: Pick<Job, "opts">): number {
  const backoff = job?.opts.backoff;
  return backoffAfter(attemptsMade, { backoffMs: typeof backoff === "object" ? (backoff.delay ?? 0) : (backoff ?? 0) });
}

/** `undefined` where the inbox did not write it. */
export function entryOf(id: string | undefined, data: unknown): ReadEntry | undefined {
  if (!isRecord(data) || typeof data.key !== "string" || id !== idOf(data.key)) return undefined;
  const { key, message } = data;
  if (message === undefined) return { key };
  if (!isStoredMessage(message) || message.key !== key) return undefined;
  return { key, message: restoredMessage({ ...message }) };
}

/** The same, of a job's data as they stand in Redis. */
export function parsedEntry(id: string, text: string | null): ReadEntry | undefined {
  try {
    return text === null ? undefined : entryOf(id, JSON.parse(text));
  } catch {
    return undefined;
  }
}
