// The shop's own database, made if there is none. In place of libsql, better-sqlite3 does the same.

import Database from "libsql";

/** @param file - `":memory:"` in tests */
export function openDatabase(file) {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.exec(`
    CREATE TABLE IF NOT EXISTS consent (
      source TEXT PRIMARY KEY,
      state  TEXT NOT NULL CHECK (state IN ('in', 'out')),
      since  TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, source TEXT NOT NULL, state TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS coupon (code TEXT PRIMARY KEY, source TEXT);
    CREATE TABLE IF NOT EXISTS review (
      message_key TEXT PRIMARY KEY,
      source      TEXT NOT NULL,
      text        TEXT NOT NULL,
      received_at TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS reply (
      message_key TEXT NOT NULL,
      name        TEXT NOT NULL,
      sender      TEXT NOT NULL,
      receiver    TEXT NOT NULL,
      text        TEXT NOT NULL,
      state       TEXT NOT NULL CHECK (state IN ('to send', 'sent', 'withheld')),
      PRIMARY KEY (message_key, name)
    );
  `);
  return database;
}
