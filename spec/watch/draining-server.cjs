// A server to be drained: prints each message that it has handled.
// Usage: DRAIN_MS=<ms> node draining-server.cjs none | sqlite <file> | bullmq <url> | postgres <url>

const { createServer } = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");
const { incomingSms } = require("express-kaleyra-sms");

const [kind, place] = process.argv.slice(2);

const pool = kind === "postgres" ? new (require("pg").Pool)({ connectionString: place }) : undefined;

function openInbox() {
  if (kind === "sqlite") return require("express-kaleyra-sms/sqlite").sqliteInbox({ file: place, driver: "libsql" });
  if (kind === "bullmq") return require("express-kaleyra-sms/bullmq").bullmqInbox({ connection: place });
  if (kind === "postgres") return require("express-kaleyra-sms/postgres").postgresInbox({ pool });
  return undefined;
}

const sms = incomingSms({ inbox: openInbox(), path: "/sms", authenticate: false });
sms.on("message", async ({ source }) => {
  await sleep(20);
  console.log(`handled ${source}`);
});
const server = createServer(sms).listen(0, "127.0.0.1", () => {
  console.log(`Listening at http://127.0.0.1:${server.address().port}/sms`);
});
process.once("SIGTERM", async () => {
  await sms.close({ drainMs: Number(process.env.DRAIN_MS) });
  server.close();
  await pool?.end();
});
