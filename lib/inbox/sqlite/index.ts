// The public surface of express-kaleyra-sms/sqlite.

export { sqliteInbox, type SqliteInboxOptions } from "./sqlite-inbox.js";
export type { SqliteDatabase, SqliteStatement } from "./driver.js";
