// A process on an inbox's file that runs one message, says so, and waits to be killed; or, told that it "opens", opens the file and ends.

const { createRequire } = require("node:module");
const { incomingSms } = require("express-kaleyra-sms");
const { sqliteInbox } = require("express-kaleyra-sms/sqlite");

const [driver, file, leaseMs, what] = process.argv.slice(2);
const loaded = createRequire(module.filename)(driver);
const Database = loaded.DatabaseSync ?? loaded;
const inbox = sqliteInbox({ database: new Database(file), leaseMs: Number(leaseMs) });
if (what !== "opens") {
  incomingSms({ inbox, authenticate: false }).on("message", () => {
    console.log("running");
    return new Promise(() => undefined);
  });
}
