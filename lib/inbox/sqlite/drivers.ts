// Loads a driver and opens a file with it.

import { resolve } from "node:path";

import { codedTypeError, invalidOption } from "../../base/errors.js";
import { isMissing, unlessEmpty } from "../../base/peer.js";
import { isBusy, type SqliteDatabase } from "./driver.js";

/** A driver that `sqliteInbox` can load: Node's own, or a package that you install. */
export type SqliteDriver = "node:sqlite" | "better-sqlite3" | "libsql";

export interface OwnDatabase extends SqliteDatabase {
  close(): unknown;
}

type Driver = readonly [name: SqliteDriver, Database: DatabaseClass];
type DatabaseClass = new (path: string) => OwnDatabase;

/** Each returns `undefined` if the driver is not there. */
const LOADERS: Readonly<Record<SqliteDriver, () => DatabaseClass | undefined>> = {
  "node:sqlite": () => {
    // Before Node 20.16, there is no such function.
    const node = process as { getBuiltinModule?(name: string): unknown };
    return (node.getBuiltinModule?.("node:sqlite") as { readonly DatabaseSync: DatabaseClass } | undefined)
      ?.DatabaseSync;
  },
  "better-sqlite3": () => {
    try {
      return unlessEmpty(require("better-sqlite3") as DatabaseClass);
    } catch (cause) {
      if (isMissing("better-sqlite3", cause)) return undefined;
      throw doesNotLoad("better-sqlite3", cause);
    }
  },
  libsql: () => {
    try {
      return unlessEmpty(require("libsql") as DatabaseClass);
    } catch (cause) {
      if (isMissing("libsql", cause)) return undefined;
      throw doesNotLoad("libsql", cause);
    }
  },
};

/** In the order in which they are looked for. */
export const SQLITE_DRIVERS = Object.keys(LOADERS) as SqliteDriver[];

/**
 * Opens a file, and makes it if there is none.
 *
 * @param driver - by default the first one that is there
 * @throws TypeError if there is no driver, or the file cannot be opened
 */
export function openFile(file: string, driver: SqliteDriver | undefined): OwnDatabase {
  const [name, Database] = driver === undefined ? anyDriver() : givenDriver(driver);
  try {
    return new Database(file);
  } catch (cause) {
    if (isBusy(cause)) throw cause;
    if (!opensAny(Database)) throw doesNotLoad(name, cause);
    throw invalidOption(
      "options.file of sqliteInbox takes the path of a file that can be opened, in a folder that exists.",
      { cause },
    );
  }
}

/** @throws TypeError if it is not the path of a file */
export function pathOfFile(file: unknown): string {
  if (typeof file !== "string" || file === "" || file.includes("\0"))
    throw invalidOption(
      "options.file of sqliteInbox takes the path of the inbox's file: a string, not empty. " +
        "Or give options.database, an open database.",
    );
  if (file === ":memory:")
    throw invalidOption("options.file of sqliteInbox takes the path of a file: in memory, messages would be lost.");
  if (/^(?:file:|[a-z+]+:\/\/)/i.test(file))
    throw invalidOption("options.file of sqliteInbox takes a path, not a URL.");
  return resolve(file);
}

/** better-sqlite3 loads its binary only when it opens a database. */
function opensAny(Database: DatabaseClass): boolean {
  try {
    new Database(":memory:").close();
    return true;
  } catch {
    return false;
  }
}

function doesNotLoad(name: string, cause: unknown): TypeError {
  return codedTypeError("KALEYRA_SMS_PEER_MISSING", {
    message: `${name} is installed, but does not load: npm rebuild ${name}.`,
    cause,
  });
}

function anyDriver(): Driver {
  for (const name of SQLITE_DRIVERS) {
    const Database = LOADERS[name]();
    if (Database !== undefined) return [name, Database];
  }
  throw codedTypeError("KALEYRA_SMS_PEER_MISSING", {
    message:
      "sqliteInbox({ file }) needs a driver for SQLite: npm install better-sqlite3. " +
      `Node 22.13 and later have one of their own; this is Node ${process.versions.node}.`,
  });
}

function givenDriver(name: SqliteDriver): Driver {
  const Database = LOADERS[name]();
  if (Database !== undefined) return [name, Database];
  throw codedTypeError("KALEYRA_SMS_PEER_MISSING", {
    message:
      name === "node:sqlite"
        ? `options.driver of sqliteInbox is "node:sqlite", which Node ${process.versions.node} does not have: ` +
          "use Node 22.13 or later, or npm install better-sqlite3."
        : `options.driver of sqliteInbox is "${name}", which is not installed: npm install ${name}.`,
  });
}
