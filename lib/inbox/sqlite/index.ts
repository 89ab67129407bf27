// What express-kaleyra-sms/sqlite gives, and nothing else.

export { sqliteInbox, type SqliteInboxOptions } from "./sqlite-inbox.js";
export type { SqliteDatabase, SqliteStatement } from "./driver.js";
