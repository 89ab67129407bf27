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

// Node's own require: jest does not know node:sqlite, and does not find packages that are installed for one run only.
const load = createRequire(__filename);

/** Drivers that cannot be loaded are left out, with a warning. */
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
        // libsql has no such option, but opens files by SQLite's URIs.
        name === "libsql" && isReadOnly
          ? new Database(`file:${file}?mode=ro`)
          : new Database(file, isReadOnly ? { [readOnly]: true } : {}),
    };
  } catch {
    console.warn(`Specs with ${name} are left out: it cannot be loaded (Node ${process.versions.node}).`);
    return undefined;
  }
}
