// A server to be killed: stores and handles messages, and logs the start and the end of each handling.
// Usage: node kill-server.cjs <log> <port> <options as JSON> <inbox>
// The inbox is "sqlite <driver> <file>", "sqlite-in-process <driver> <file>", "bullmq <port>" or "postgres <url>".

const { appendFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");
const { incomingSms } = require("express-kaleyra-sms");

const [log, port, options, kind, ...place] = process.argv.slice(2);
const { concurrency, ...inboxOptions } = JSON.parse(options);

let pool;

function openInbox() {
  if (kind === "postgres") {
    const { postgresInbox } = require("express-kaleyra-sms/postgres");
    const { Pool } = require("pg");
    pool = new Pool({ connectionString: place[0], connectionTimeoutMillis: 2_000 });
    return postgresInbox({ pool, ...inboxOptions });
  }
  if (kind === "bullmq") {
    const { bullmqInbox } = require("express-kaleyra-sms/bullmq");
    return bullmqInbox({ connection: { host: "127.0.0.1", port: Number(place[0]) }, ...inboxOptions });
  }
  const { sqliteInbox } = require("express-kaleyra-sms/sqlite");
  const [driver, file] = place;
  return sqliteInbox({ file, driver, thread: kind === "sqlite", ...inboxOptions });
}

const note = (what, id) => appendFileSync(log, `${what} ${id} ${process.pid} ${Date.now()}\n`);
const sms = incomingSms({ inbox: openInbox(), concurrency, authenticate: false, storeTimeoutMs: 2_000 });
sms.on("error", ({ event, cause }) => console.error(event, cause));
if (concurrency !== 0) {
  sms.on("message", async ({ id }) => {
    note("start", id);
    // Some end in the turn of the event loop in which they started.
    if (Math.random() < 0.7) await sleep(Math.random() * 6);
    note("end", id);
  });
}
const server = createServer(sms).listen(Number(port), "127.0.0.1", () => console.log("listening"));
process.once("SIGTERM", async () => {
  await sms.close();
  await pool?.end();
  server.close();
  server.closeAllConnections();
});
