// Runs the mixture of random operations through several processes' inboxes on one database.

import { afterAll, beforeAll } from "@jest/globals";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { Pool } from "pg";

import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { itHandlesMixtures } from "../mixture";
import { ended } from "../temporary";

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer({ settings: { fsync: "off" } });
  }, 60_000);
  afterAll(() => server.remove());

  let names = 0;
  itHandlesMixtures(() => {
    const name = `mixture ${++names}`;
    return (options) => {
      const pool = new Pool({ connectionString: server.url });
      ended.push(() => pool.end());
      return postgresInbox({ pool, name, ...options });
    };
  });
});
