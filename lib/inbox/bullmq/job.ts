// A message as a job of BullMQ's.

import { randomUUID } from "node:crypto";
import type { Job, JobsOptions } from "bullmq";

import {
  isStoredMessage,
  restoredMessage,
  storedMessage,
  type SmsMessage,
  type StoredMessage,
} from "../../callback/message.js";
import { isRecord } from "../../record.js";
import { backoffOf, type InboxSettings } from "../inbox-options.js";

/** A job's data. */
export interface Entry {
  /** Of the call that stored it. BullMQ answers a repeat as it answers a first: whose token is kept was the first. */
  readonly token: string;
  /** Until it was handled, or forgotten. */
  readonly message?: StoredMessage;
}

/** The same, read. */
export interface ReadEntry {
  readonly token: string;
  readonly message?: SmsMessage;
}

/** What a job is called in BullMQ's tools. */
export const JOB_NAME = "sms";
const BACKOFF = "doubling";

/** BullMQ takes no id that reads as a number, and none with a colon. */
export function idOf(key: string): string {
  return `sms-${key}`;
}

export function newEntry(message: SmsMessage): Required<Entry> {
  return { token: randomUUID(), message: storedMessage(message) };
}

/** What BullMQ stores of an entry begins with this, and of no other. */
export function beginningOf({ token }: Entry): string {
  return JSON.stringify({ token }).slice(0, -1);
}

export function optionsOf({ attempts, backoffMs, retentionMs }: InboxSettings): JobsOptions {
  return {
    attempts,
    backoff: { type: BACKOFF, delay: backoffMs },
    // In seconds.
    removeOnComplete: { age: retentionMs / 1_000 },
    removeOnFail: false,
    // The reason says what there is to say.
    stackTraceLimit: 0,
  };
}

/** BullMQ's own exponential backoff knows no longest one. */
export function backoffStrategy(attemptsMade: number, _type?: string, _error?: Error, job?: Pick<Job, "opts">): number {
  const backoff = job?.opts.backoff;
  return backoffOf(attemptsMade, { backoffMs: typeof backoff === "object" ? (backoff.delay ?? 0) : (backoff ?? 0) });
}

/** `undefined` where the inbox did not write it. */
export function entryOf(id: string | undefined, data: unknown): ReadEntry | undefined {
  if (!isRecord(data) || typeof data.token !== "string") return undefined;
  const { token, message } = data;
  if (message === undefined) return { token };
  if (!isStoredMessage(message) || id !== idOf(message.key)) return undefined;
  return { token, message: restoredMessage({ ...message }) };
}

/** The same, of a job's data as they stand in Redis. */
export function parsedEntry(id: string, text: string | null): ReadEntry | undefined {
  try {
    return text === null ? undefined : entryOf(id, JSON.parse(text));
  } catch {
    return undefined;
  }
}
