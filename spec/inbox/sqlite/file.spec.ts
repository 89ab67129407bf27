// sqliteInbox({ file }): which driver opens the file, who may have it open, and when it is closed.

import { existsSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { sqliteInbox, type SqliteDriver, type SqliteInboxOptions } from "express-kaleyra-sms/sqlite";

import { post } from "../../support/callbacks";
import { recorder } from "../../support/recorder";
import { DRIVERS, type Driver } from "../drivers";
import { separately } from "../separate";
import { ended, temporary, temporaryFolder } from "../temporary";
import { until } from "../waiting";

const IN_USE = "open in this process already. Use that inbox, close it first, or give each router a file of its own.";

describe.each(DRIVERS)("with $name", ({ name, open }) => {
  const driver = name as SqliteDriver;

  const opened = (file: string) => {
    const inbox = sqliteInbox({ file, driver });
    ended.push(() => inbox.close());
    return inbox;
  };

  it("makes the file, and opens it again after the router has closed it", async () => {
    const file = temporary();
    const first = recorder({ inbox: opened(file), concurrency: 0 });
    expect(await first.sms.receive(post())).toMatchObject({ outcome: "stored" });
    await first.sms.close();
    const { sms, messages } = recorder({ inbox: opened(file) });
    await until(() => messages.length === 1);
    await sms.close();
    expect(await opened(file).stats()).toMatchObject({ waiting: 0, dead: 0 });
  });

  it("closes the file with the router, and rejects from then on", async () => {
    const file = temporary();
    const inbox = opened(file);
    const { sms } = recorder({ inbox });
    await sms.receive(post());
    await sms.close();
    // SQLite removes the log when the last handle is closed; libsql closes its handle later.
    if (name !== "libsql") expect(existsSync(`${file}-wal`)).toBe(false);
    await expect(inbox.stats()).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
    await expect(inbox.forget("1")).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
  });

  it("leaves a handle open that it was given", async () => {
    const database = open(temporary());
    ended.push(() => database.close());
    const inbox = sqliteInbox({ database });
    await inbox.close();
    expect(database.prepare("SELECT COUNT(*) AS count FROM message").get()).toEqual(
      expect.objectContaining({ count: 0 }),
    );
    await sqliteInbox({ database }).close();
  });

  it.each<readonly [what: string, given: (file: string) => SqliteInboxOptions]>([
    ["the same path", (file) => ({ file, driver })],
    ["a relative path", (file) => ({ file: relative(process.cwd(), file), driver })],
    [
      "a symbolic link",
      (file) => {
        const link = join(temporaryFolder(), "link.db");
        symlinkSync(file, link);
        return { file: link, driver };
      },
    ],
    [
      "a link to its folder",
      (file) => {
        const link = join(temporaryFolder(), "link");
        symlinkSync(dirname(file), link);
        return { file: join(link, "inbox.db"), driver };
      },
    ],
    [
      "a hard link",
      (file) => {
        linkSync(file, `${file}-link`);
        return { file: `${file}-link`, driver };
      },
    ],
    [
      "an open handle",
      (file) => {
        const database = open(file);
        ended.push(() => database.close());
        return { database };
      },
    ],
    ["another name", (file) => ({ file, driver, name: "orders" })],
  ])("throws for a second inbox of this process on the same file, by %s", async (_what, given) => {
    const file = temporary();
    const first = opened(file);
    const { sms } = recorder({ inbox: first });
    const second = given(file);
    expect(() => sqliteInbox(second)).toThrow(TypeError);
    expect(() => sqliteInbox(second)).toThrow(IN_USE);
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
  });

  it("throws for a second inbox of another copy of the package", () => {
    const file = temporary();
    opened(file);
    jest.isolateModules(() => {
      const copy = jest.requireActual<{ sqliteInbox: typeof sqliteInbox }>("express-kaleyra-sms/sqlite");
      expect(copy.sqliteInbox).not.toBe(sqliteInbox);
      expect(() => copy.sqliteInbox({ file, driver })).toThrow(IN_USE);
    });
  });

  it("throws for a second inbox on a handle that has one, and takes the handle when that is closed", async () => {
    const database = open(temporary());
    ended.push(() => database.close());
    const first = sqliteInbox({ database });
    expect(() => sqliteInbox({ database })).toThrow(IN_USE);
    await first.close();
    await sqliteInbox({ database }).close();
  });

  it.each<readonly [what: string, make: (file: string) => void, says: string]>([
    [
      "has other tables",
      (file) => {
        const database = open(file);
        database.exec("CREATE TABLE orders (id INTEGER)");
        database.close();
      },
      "options.file of sqliteInbox takes a file of the inbox's own",
    ],
    ["is no database", (file) => writeFileSync(file, "x".repeat(4_096)), "this one is no SQLite database"],
    ["is a folder", (file) => mkdirSync(file), "that can be opened"],
  ])("throws if the file %s, and closes it", (_what, make, says) => {
    const file = temporary();
    make(file);
    for (let n = 0; n < 2; n++) {
      const wrong = expect(() => sqliteInbox({ file, driver }));
      wrong.toThrow(TypeError);
      wrong.toThrow(says);
    }
  });

  it("throws if its folder does not exist", () => {
    const file = join(temporaryFolder(), "missing", "inbox.db");
    expect(() => sqliteInbox({ file, driver })).toThrow(TypeError);
    expect(() => sqliteInbox({ file, driver })).toThrow("options.file of sqliteInbox takes");
  });
});

it("finds a driver by itself", async () => {
  const file = temporary();
  const inbox = sqliteInbox({ file });
  expect(await inbox.stats()).toMatchObject({ waiting: 0 });
  await inbox.close();
});

it.each(
  ["node:sqlite", "better-sqlite3", "libsql"].filter((name) => !DRIVERS.some((one: Driver) => one.name === name)),
)("says what to install if %s is missing", (driver) => {
  const make = () => sqliteInbox({ file: temporary(), driver: driver as SqliteDriver });
  expect(make).toThrow(TypeError);
  expect(make).toThrow(expect.objectContaining({ code: "KALEYRA_SMS_PEER_MISSING" }));
  expect(make).toThrow(/npm install (?:better-sqlite3|libsql)/);
});

it.each<readonly [what: string, driver: () => unknown]>([
  [
    "was not built",
    () =>
      function Database() {
        throw new Error("Could not locate the bindings file.");
      },
  ],
  [
    "was built for another Node",
    () => {
      throw Object.assign(new Error("The module was compiled against another Node."), { code: "ERR_DLOPEN_FAILED" });
    },
  ],
])("says what to do if a driver %s", (_what, driver) => {
  jest.isolateModules(() => {
    jest.doMock("better-sqlite3", driver, { virtual: true });
    const { sqliteInbox: make } = jest.requireActual<{ sqliteInbox: typeof sqliteInbox }>("express-kaleyra-sms/sqlite");
    const open = expect(() => make({ file: temporary(), driver: "better-sqlite3" }));
    open.toThrow(expect.objectContaining({ name: "TypeError", code: "KALEYRA_SMS_PEER_MISSING" }));
    open.toThrow("better-sqlite3 is installed, but does not load: npm rebuild better-sqlite3.");
    jest.dontMock("better-sqlite3");
  });
});

it.each<readonly [given: Record<string, unknown>, says: string]>([
  [{}, "options.file of sqliteInbox takes the path of the inbox's file"],
  [{ file: "" }, "options.file of sqliteInbox takes the path"],
  [{ file: 5 }, "options.file of sqliteInbox takes the path"],
  [{ file: "a\0b" }, "options.file of sqliteInbox takes the path"],
  [{ file: ":memory:" }, "in memory, messages would be lost"],
  [{ file: "file:inbox.db?mode=memory" }, "takes a path, not a URL"],
  [{ file: "libsql://example.com" }, "takes a path, not a URL"],
  [{ file: "inbox.db", database: {} }, "options.file and options.database of sqliteInbox exclude each other"],
  [{ driver: "libsql", database: {} }, "options.driver of sqliteInbox goes with options.file"],
  [{ file: "inbox.db", driver: "sqlite3" }, 'takes "node:sqlite", "better-sqlite3", "libsql"'],
])("throws for %j", (given, says) => {
  const make = () => separately(() => sqliteInbox(given as never));
  expect(make).toThrow(TypeError);
  expect(make).toThrow(says);
});
