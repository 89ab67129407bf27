// The inbox in an SQLite file, with every driver that this Node can load.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";
import { itConforms, type Place } from "./conformance";
import { DRIVERS, type Driver, type OpenDatabase } from "./drivers";
import { ended, temporary } from "./temporary";

/** What `state` is in the table. */
const STATES = ["waiting", "behind", "held", "running", "dead", "unreadable"];

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

  it("tells for how long the oldest of those that wait has waited, and of no other", async () => {
    const database = driver.open(temporary());
    ended.push(() => database.close());
    const inbox = sqliteInbox({ database });
    const { sms } = recorder({ inbox, concurrency: 0 });
    ended.push(() => sms.close());
    const minutes = async () => Math.floor((await inbox.stats()).oldestWaitingMs / 60_000);
    // As many minutes ago as its source says: the delayed one in the future.
    const states = { 90: "dead", 80: "running", 70: "unreadable", "-10": "waiting" };
    const waiting = { 60: "waiting", 50: "waiting", 40: "behind", 30: "behind", 20: "held", 10: "held" };
    for (const [source, state] of Object.entries({ ...states, ...waiting })) {
      await sms.receive(post({ source }));
      database.exec(
        `UPDATE message SET state = ${STATES.indexOf(state)}, at = at - ${source} * 60000 WHERE source = '${source}'`,
      );
    }
    for (const [source] of Object.entries(waiting).sort(([a], [b]) => Number(b) - Number(a))) {
      expect(await minutes()).toBe(Number(source));
      database.exec(`DELETE FROM message WHERE source = '${source}'`);
    }
    expect(await inbox.stats()).toEqual({ waiting: 0, running: 1, delayed: 1, dead: 1, oldestWaitingMs: 0 });
  });
});
