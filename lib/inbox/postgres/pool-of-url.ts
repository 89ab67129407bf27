// A pool for a URL, for the command. It loads pg, which the user installs. An app gives the inbox its own pool.

import type * as Pg from "pg";

import { codedError, invalidOption } from "../../base/errors.js";
import { isMissing, unlessEmpty } from "../../base/peer.js";

/** How long connecting and a query may take, in milliseconds: somebody waits at a terminal. */
const TIMEOUT_MS = 5_000;

/**
 * Opens a pool of one connection.
 *
 * @throws TypeError if it is no URL of PostgreSQL
 * @throws Error if pg is not installed
 */
export function poolOfUrl(url: string): Pg.Pool {
  // As pg reads it, the URL of a socket may have a user and no host.
  if (!/^postgres(?:ql)?:\/\//.test(url) || !URL.canParse(url.replace("@/", "@localhost/")))
    throw invalidOption(
      "options.pool of postgresInbox takes a URL of PostgreSQL, for instance postgres://user:password@localhost:5432/app.",
    );
  const { Pool } = pg();
  const pool = new Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    application_name: "express-kaleyra-sms inbox",
  });
  // An idle connection that breaks is replaced. Without a listener, it would end the process.
  pool.on("error", () => undefined);
  return pool;
}

function pg(): typeof Pg {
  const loaded = required();
  if (loaded !== undefined) return loaded;
  throw codedError("KALEYRA_SMS_PEER_MISSING", { message: "options.pool of postgresInbox needs pg: npm install pg." });
}

function required(): typeof Pg | undefined {
  try {
    return unlessEmpty(require("pg") as typeof Pg);
  } catch (cause) {
    if (isMissing("pg", cause)) return undefined;
    throw cause;
  }
}
