// Inboxes on one file in one process, as if each were in a process of its own: the package allows one in each.

import type { OperableInbox } from "express-kaleyra-sms";
import { sqliteInbox, type SqliteDatabase, type SqliteInboxOptions } from "express-kaleyra-sms/sqlite";

/** Where the package remembers the files that are open in this process. */
const FILES = Symbol.for("express-kaleyra-sms: files of inboxes");
const shared = globalThis as unknown as Record<symbol, unknown>;

/** The options with an open database. */
export type SeparateOptions = Extract<SqliteInboxOptions, { database: SqliteDatabase }>;

/** An inbox that does not know of others in this process, nor they of it. */
export function separateInbox(options: SeparateOptions): OperableInbox {
  return separately(() => sqliteInbox(options));
}

export function separately<Made>(make: () => Made): Made {
  const own = shared[FILES];
  shared[FILES] = undefined;
  try {
    return make();
  } finally {
    shared[FILES] = own;
  }
}
