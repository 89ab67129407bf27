// The inbox in an SQLite file, with every driver that this Node can load.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "@jest/globals";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { itConforms, type Place } from "./conformance";
import { DRIVERS, type Driver, type OpenDatabase } from "./drivers";

/** A file in a folder of its own, and handles of it. */
function place(driver: Driver): Place {
  const folder = mkdtempSync(join(tmpdir(), "inbox-"));
  const handles: OpenDatabase[] = [];
  return {
    open: (options) => {
      const database = driver.open(join(folder, "inbox.db"));
      handles.push(database);
      return sqliteInbox({ database, ...options });
    },
    remove: () => {
      for (const handle of handles) handle.close();
      rmSync(folder, { recursive: true });
    },
  };
}

describe.each(DRIVERS)("with $name", (driver) => {
  itConforms({ isOrdered: true, place: () => place(driver) });
});
