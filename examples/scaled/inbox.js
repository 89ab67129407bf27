// The inbox that all processes share.

import { bullmqInbox } from "express-kaleyra-sms/bullmq";

/** Each router, and each tool, needs one of its own. */
export function openInbox() {
  return bullmqInbox({ connection: process.env.REDIS_URL ?? "redis://localhost:6379" });
}

/** What is told of a message: its key, and not what was typed. */
export function tell({ event, message, attempt, final, cause }) {
  const what = event === "inbox" ? "The inbox failed" : `A handler of "${event}" failed, attempt ${attempt}`;
  console.error(`${what}${final && message ? `: message ${message.key}` : ""}`, cause);
}
