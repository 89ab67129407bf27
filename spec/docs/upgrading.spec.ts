// docs/upgrading.md: what an older version says of newer tables, and the versions that the page names.

import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";
import { engines, peerDependencies } from "express-kaleyra-sms/package.json";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import Database from "libsql";
import { Pool } from "pg";

import { ended, temporary } from "../inbox/temporary";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../support/postgres";
import { readPage } from "./page";

jest.setTimeout(60_000);

const PAGE = readPage("docs/upgrading.md");
const logger = { warn: () => undefined, error: () => undefined };

it("quotes what is thrown for a file with newer tables", async () => {
  const file = temporary();
  await sqliteInbox({ file, driver: "libsql" }).close();
  const database = new Database(file);
  database.exec("PRAGMA user_version = 2");
  database.close();
  const quoted = PAGE.block("", "The file of sqliteInbox").trim().replace("TypeError: ", "");
  expect(() => sqliteInbox({ file, driver: "libsql" })).toThrow(TypeError);
  expect(() => sqliteInbox({ file, driver: "libsql" })).toThrow(quoted);
});

describeWithPostgres("with PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  });
  afterAll(() => server.remove());

  it("quotes what is reported for a schema with newer tables: it answers 503, and is never ready", async () => {
    const pool = new Pool({ connectionString: server.url });
    ended.push(() => pool.end());
    const before = postgresInbox({ pool });
    await before.stats();
    await before.close();
    await server.query("UPDATE express_kaleyra_sms.sms_version SET version = 2");
    const inbox = postgresInbox({ pool });
    const sms = incomingSms({ inbox, authenticate: false, logger }).on("message", () => undefined);
    ended.push(() => sms.close());
    await expect(inbox.stats()).rejects.toThrow(PAGE.block("", "The tables in").trim());
    const body = { id: "1", source: "919876500001", recipient: "5050", message: "STOP" };
    expect((await sms.receive({ method: "POST", body })).status).toBe(503);
    expect(sms.health()).toMatchObject({ ready: false, reasons: ["inbox-unreachable"] });
  });
});

it("names the versions of Node and Express that package.json allows", () => {
  expect(PAGE.text).toContain(`Node ${engines.node.replace(">=", "")} or later`);
  expect(peerDependencies.express).toBe("^4.18.0 || ^5.0.0");
  expect(PAGE.text).toContain("Express 4.18 or later and with Express 5");
});
