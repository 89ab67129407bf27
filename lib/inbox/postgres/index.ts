// The public surface of express-kaleyra-sms/postgres.

export { postgresInbox } from "./postgres-inbox.js";
export type { PostgresInboxOptions } from "./postgres-options.js";
export type { PostgresClient, PostgresPool } from "./pool.js";
