// A process that handles a message of an inbox's file, prints "running", and waits to be killed.
// With the argument "opens", it only opens the file, and ends.

const { createRequire } = require("node:module");
const { incomingSms } = require("express-kaleyra-sms");
const { sqliteInbox } = require("express-kaleyra-sms/sqlite");

const [driver, file, leaseMs, mode] = process.argv.slice(2);
const loaded = createRequire(module.filename)(driver);
const Database = loaded.DatabaseSync ?? loaded;
const inbox = sqliteInbox({ database: new Database(file), leaseMs: Number(leaseMs) });
if (mode !== "opens") {
  incomingSms({ inbox, authenticate: false }).on("message", () => {
    console.log("running");
    return new Promise(() => undefined);
  });
}
