// The public surface of express-kaleyra-sms/sqlite.

export { sqliteInbox } from "./sqlite-inbox.js";
export type { SqliteInboxOptions } from "./sqlite-options.js";
export type { SqliteDriver } from "./drivers.js";
export type { SqliteDatabase, SqliteStatement } from "./driver.js";
