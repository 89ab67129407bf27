// A process of several on one queue: a "receiver" prints its port, a "worker" a line for each message that it has handled.

const { createServer } = require("node:http");
const { setTimeout } = require("node:timers/promises");
const { incomingSms } = require("express-kaleyra-sms");
const { bullmqInbox } = require("express-kaleyra-sms/bullmq");

const [what, redis, name] = process.argv.slice(2);
const inbox = bullmqInbox({ connection: `redis://127.0.0.1:${redis}`, name, leaseMs: 1_000 });
const concurrency = what === "receiver" ? 0 : 4;
const sms = incomingSms({ inbox, concurrency, authenticate: false, logger: { warn() {}, error() {} } });
if (what === "receiver") {
  const server = createServer(sms).listen(0, "127.0.0.1", () => console.log(server.address().port));
} else {
  sms.on("message", async ({ id }) => {
    await setTimeout(2);
    console.log(id);
  });
}
