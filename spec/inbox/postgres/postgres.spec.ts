// Runs the conformance spec on the inbox in PostgreSQL: with a pool of many clients, and with a pool of one.

import { afterAll, beforeAll } from "@jest/globals";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { Pool, type PoolConfig } from "pg";

import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { itConforms } from "../conformance";

const conforms = (own: PoolConfig): void => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  }, 60_000);
  afterAll(() => server.remove());

  let names = 0;
  itConforms({
    isOrdered: true,
    place: () => {
      const name = `inbox ${++names}`;
      const pools: Pool[] = [];
      return {
        // Each inbox has its own pool, as in a process of its own.
        open: (options) => {
          const pool = new Pool({ connectionString: server.url, ...own });
          pools.push(pool);
          return postgresInbox({ pool, name, ...options });
        },
        remove: async () => {
          await Promise.all(pools.map((pool) => pool.end()));
        },
      };
    },
  });
};

describeWithPostgres("postgresInbox", () => conforms({}));
describeWithPostgres("postgresInbox with a pool of one client", () => conforms({ max: 1 }));
