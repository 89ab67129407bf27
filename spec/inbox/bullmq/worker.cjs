// One of several processes on a queue: a "receiver" prints its port, a "worker" prints the id of each handled message.

const { createServer } = require("node:http");
const { setTimeout } = require("node:timers/promises");
const { incomingSms } = require("express-kaleyra-sms");
const { bullmqInbox } = require("express-kaleyra-sms/bullmq");

const [role, redis, name] = process.argv.slice(2);
const inbox = bullmqInbox({ connection: `redis://127.0.0.1:${redis}`, name, leaseMs: 1_000 });
const concurrency = role === "receiver" ? 0 : 4;
const sms = incomingSms({ inbox, concurrency, authenticate: false, logger: { warn() {}, error() {} } });
if (role === "receiver") {
  const server = createServer(sms).listen(0, "127.0.0.1", () => console.log(server.address().port));
} else {
  sms.on("message", async ({ id }) => {
    await setTimeout(2);
    console.log(id);
  });
}
