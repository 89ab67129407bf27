// When a failed message is retried. The engines write the retry, and bullmq/job.ts gives it to BullMQ.

import type { InboxSettings } from "./inbox-options.js";

/**
 * @param attempt - the number of the failed attempt, from 1
 * @returns the milliseconds between the end of that attempt and the start of the next
 */
export function backoffAfter(attempt: number, { backoffMs }: Pick<InboxSettings, "backoffMs">): number {
  return Math.min(backoffMs * 2 ** (attempt - 1), MAX_BACKOFF_MS);
}

/** A day: without a limit, doubling soon reaches months. */
const MAX_BACKOFF_MS = 86_400_000;
