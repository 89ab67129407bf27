// The SQLite drivers that this Node can load.

import { createRequire } from "node:module";
import type { SqliteDatabase } from "express-kaleyra-sms/sqlite";

export interface OpenDatabase extends SqliteDatabase {
  close(): unknown;
}

export interface Driver {
  readonly name: string;
  open(file: string, options?: { readonly isReadOnly?: boolean }): OpenDatabase;
}

type Class = new (file: string, options?: Record<string, unknown>) => OpenDatabase;

// Of Node's own: jest knows no node:sqlite, and looks elsewhere for what is installed for one run only.
const load = createRequire(__filename);

/** What cannot be loaded is left out, and said. */
export const DRIVERS: readonly Driver[] = [
  driver("libsql", () => load("libsql") as Class, "readonly"),
  driver("node:sqlite", () => (load("node:sqlite") as { DatabaseSync: Class }).DatabaseSync, "readOnly"),
  driver("better-sqlite3", () => load("better-sqlite3") as Class, "readonly"),
].flatMap((one) => one ?? []);

function driver(name: string, find: () => Class, readOnly: string): Driver | undefined {
  try {
    const Database = find();
    return {
      name,
      open: (file, { isReadOnly = false } = {}) =>
        // libsql has no such option, but its files take SQLite's addresses.
        name === "libsql" && isReadOnly
          ? new Database(`file:${file}?mode=ro`)
          : new Database(file, isReadOnly ? { [readOnly]: true } : {}),
    };
  } catch {
    console.warn(`Specs with ${name} are left out: it is not there (Node ${process.versions.node}).`);
    return undefined;
  }
}
