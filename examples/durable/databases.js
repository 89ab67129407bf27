// The two files of this app, each made if it does not exist: the inbox's, and the app's own.

import Database from "libsql";
// With Node 22.13 or later you need no package for it: import { DatabaseSync as Database } from "node:sqlite";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

const inboxFile = process.env.INBOX_FILE ?? "inbox.db";
const appFile = process.env.APP_FILE ?? "app.db";

/** The inbox has its file for itself: closing the router, or the inbox, closes it. */
export function openInbox() {
  return sqliteInbox({ file: inboxFile });
}

/** Yours is the database that you have. */
export function openApp() {
  const database = new Database(appFile);
  database.exec("CREATE TABLE IF NOT EXISTS opted_out (source TEXT PRIMARY KEY)");
  database.exec(
    "CREATE TABLE IF NOT EXISTS top_up (message_key TEXT PRIMARY KEY, source TEXT NOT NULL, amount INTEGER NOT NULL)",
  );
  const optOut = database.prepare("INSERT OR IGNORE INTO opted_out (source) VALUES (?)");
  const topUp = database.prepare("INSERT OR IGNORE INTO top_up (message_key, source, amount) VALUES (?, ?, ?)");
  return {
    optOut: (source) => optOut.run(source),
    /** Adds it once for each message, however often it is called, by the key. Returns whether it was the first time. */
    topUp: (messageKey, source, amount) => topUp.run(messageKey, source, amount).changes === 1,
    close: () => database.close(),
  };
}
