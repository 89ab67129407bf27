// The inbox in PostgreSQL, and the consent beside it, on one pool.

import { postgresInbox } from "express-kaleyra-sms/postgres";
import { Pool } from "pg";

const CONSENT = `
  CREATE TABLE IF NOT EXISTS consent (source text PRIMARY KEY, has_opted_out boolean NOT NULL, at timestamptz NOT NULL)`;
const NOTE = `
  INSERT INTO consent VALUES ($1, $2, $3)
  ON CONFLICT (source) DO UPDATE SET has_opted_out = excluded.has_opted_out, at = excluded.at
  WHERE consent.at <= excluded.at`;

export function open(url) {
  // Without time limits, the app would wait for a silent database without end.
  const pool = new Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  pool.on("error", () => undefined); // an idle connection broke: the pool opens another

  return {
    /** Each router needs one of its own. It makes its tables, and leaves the pool open. */
    openInbox: () => postgresInbox({ pool }),

    /**
     * Who wants no messages, for all workers. Yours is a table that your migrations make. Messages of one subscriber are handled in order;
     * the time is compared too, for a handler that ends after its time limit.
     */
    openConsent() {
      let table;
      // Two workers that make one table at once would collide: the lock lets one of them wait.
      const make = () => pool.query(`SELECT pg_advisory_xact_lock(5050); ${CONSENT}`);
      const query = async (sql, values) => {
        table ??= make().catch((error) => {
          table = undefined; // the next message tries again
          throw error;
        });
        await table;
        return pool.query(sql, values);
      };

      return {
        optOut: (source, at) => query(NOTE, [source, true, at]),
        optIn: (source, at) => query(NOTE, [source, false, at]),
        async hasOptedOut(source) {
          const { rows } = await query("SELECT has_opted_out FROM consent WHERE source = $1", [source]);
          return rows[0]?.has_opted_out === true;
        },
      };
    },

    closeConnections: () => pool.end(),
  };
}
