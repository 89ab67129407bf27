// A process that handles a message, closes its router and its pool, and then ends by itself.
// Usage: node closes.cjs <url>

const { setImmediate } = require("node:timers");
const { incomingSms } = require("express-kaleyra-sms");
const { postgresInbox } = require("express-kaleyra-sms/postgres");
const { Pool } = require("pg");

const pool = new Pool({ connectionString: process.argv[2] });
const sms = incomingSms({ inbox: postgresInbox({ pool, name: "closes" }), authenticate: false });
sms.on("message", async () => {
  setImmediate(async () => {
    await sms.close();
    await pool.end();
    process.disconnect();
  });
});
void sms.receive({ method: "POST", body: { id: "1", source: "919876500000", recipient: "5050", message: "hello" } });
