// A primary with two workers of node:cluster, which end as docs/rolling-updates.md says. On SIGTERM, it replaces one.

const cluster = require("node:cluster");
const { once } = require("node:events");
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");
const { incomingSms } = require("express-kaleyra-sms");

if (cluster.isPrimary) void beginPrimary();
else beginWorker();

async function beginPrimary() {
  const [old] = [cluster.fork(), cluster.fork()];
  const addresses = [await once(cluster, "listening"), await once(cluster, "listening")];
  console.log(`Listening at http://127.0.0.1:${addresses[0][1].port}/sms`);
  process.once("SIGTERM", async () => {
    cluster.fork();
    await once(cluster, "listening");
    old.process.kill("SIGTERM");
    const [code] = await once(old, "exit");
    console.log(`replaced: ${code}`);
  });
}

function beginWorker() {
  const sms = incomingSms({ path: "/sms", authenticate: false });
  sms.on("message", async ({ source }) => {
    await sleep(500);
    console.log(`handled ${source}`);
  });
  const server = createServer(sms).listen(0, "127.0.0.1");
  const page = readFileSync(join(__dirname, "../../docs/rolling-updates.md"), "utf8");
  const [, code] = page.split("## node:cluster")[1].match(/```js\n([^]*?)```/);
  new Function("sms", "server", code)(sms, server);
}
