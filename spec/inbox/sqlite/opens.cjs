// A process that opens an inbox's file, and prints "opened" or the error as JSON.
// Usage: node opens.cjs <driver> <file> file|database [platform]

const { createRequire } = require("node:module");
const { sqliteInbox } = require("express-kaleyra-sms/sqlite");

const [driver, file, option, platform = process.platform] = process.argv.slice(2);
const loaded = createRequire(module.filename)(driver);
const Database = loaded.DatabaseSync ?? loaded;
Object.defineProperty(process, "platform", { value: platform });
try {
  sqliteInbox(option === "file" ? { file, driver } : { database: new Database(file) });
  console.log("opened");
} catch (error) {
  console.log(JSON.stringify({ name: error.name, code: error.code, message: error.message }));
}
