// A process on PostgreSQL: stores what it is sent, and handles messages as it is asked.
// Usage: node processes.cjs <url> <options as JSON>. Prints "start <text> <attempt> <instant>", "end <text>
// <attempt> <instant>", and the outcome of what it was sent.

const { performance } = require("node:perf_hooks");
const { incomingSms } = require("express-kaleyra-sms");
const { postgresInbox } = require("express-kaleyra-sms/postgres");
const { Client, Pool } = require("pg");

const [url, options] = process.argv.slice(2);
const { concurrency, ...inboxOptions } = JSON.parse(options);

const now = () => performance.timeOrigin + performance.now();
let isCutOff = false;
/** Its rounds do not reach the server any more once it was sent this. */
class Stopping extends Client {
  query(statement, ...others) {
    const isLost = isCutOff && /sms_round/.test(statement.text);
    return isLost ? new Promise(() => undefined) : super.query(statement, ...others);
  }
}
const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 2_000, Client: Stopping });
const sms = incomingSms({ inbox: postgresInbox({ pool, ...inboxOptions }), concurrency, authenticate: false });
sms.on("error", () => undefined);
const finishing = new Map();
if (concurrency !== 0)
  sms.on("message", async ({ text }, { attempt }) => {
    console.log(`start ${text} ${attempt} ${now()}`);
    if (text.startsWith("waits")) await new Promise((resolve) => finishing.set(text, resolve));
    console.log(`end ${text} ${attempt} ${now()}`);
    if (text.startsWith("STOP") && attempt === 1) throw new Error("fails once");
  });
process.on("message", async ({ send, finish, cutOff }) => {
  if (cutOff) isCutOff = true;
  if (send !== undefined) {
    const { outcome } = await sms.receive({ method: "POST", body: send });
    console.log(outcome);
  }
  finishing.get(finish)?.();
});
console.log("ready");
