// Asks an inbox for its counts. A user's own may be written in JavaScript: `stats` may be missing, or wrong.

import { codedTypeError } from "../base/errors.js";
import { isRecord } from "../base/record.js";
import type { Inbox, InboxStats } from "./inbox.js";

/** @returns `undefined` if the inbox has no `stats`. The function rejects with a coded error if they are no counts */
export function statsOf(inbox: Inbox): (() => Promise<InboxStats>) | undefined {
  if (typeof inbox.stats !== "function") return undefined;
  return async () => {
    const stats: unknown = await inbox.stats?.();
    if (!isStats(stats)) throw codedTypeError("KALEYRA_SMS_INBOX_CONTRACT");
    const { waiting, running, delayed, dead, oldestWaitingMs } = stats;
    return { waiting, running, delayed, dead, oldestWaitingMs };
  };
}

const NAMES: ReadonlyArray<keyof InboxStats> = ["waiting", "running", "delayed", "dead", "oldestWaitingMs"];

function isStats(value: unknown): value is InboxStats {
  return isRecord(value) && NAMES.every((name) => Number.isFinite(value[name]));
}
