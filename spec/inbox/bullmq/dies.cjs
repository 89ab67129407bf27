// A process that handles a message of an inbox in Redis, prints "running", and waits to be killed.
// With the argument "ends", it handles a message of its own, closes, and ends.

const { incomingSms } = require("express-kaleyra-sms");
const { bullmqInbox } = require("express-kaleyra-sms/bullmq");

const [port, name, leaseMs, mode] = process.argv.slice(2);
const inbox = bullmqInbox({ connection: { host: "127.0.0.1", port: Number(port) }, name, leaseMs: Number(leaseMs) });
const sms = incomingSms({ inbox, authenticate: false, storeTimeoutMs: 300 });
sms.on("error", () => undefined);
sms.on("message", () => {
  if (mode === "ends") return;
  console.log("running");
  return new Promise(() => undefined);
});
if (mode === "ends") {
  const [id, source, recipient, message] = ["1", "919876543210", "5050", "hello"];
  const others = ["description", "kid", "status", "status_trace", "keyword", "operator", "circle", "timestamp"];
  const fields = Object.fromEntries(others.map((field) => [field, ""]));
  const body = JSON.stringify({ id, source, recipient, message, ...fields });
  void sms.receive({ method: "POST", body }).then(() => sms.close());
}
