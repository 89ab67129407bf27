// The inbox that all processes share.

import { bullmqInbox } from "express-kaleyra-sms/bullmq";

/** Each router, and each tool, needs one of its own. */
export function openInbox() {
  return bullmqInbox({ connection: process.env.REDIS_URL ?? "redis://localhost:6379" });
}
