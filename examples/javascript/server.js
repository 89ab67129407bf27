// The smallest app that receives incoming SMS, in JavaScript.

const { existsSync } = require("node:fs");
const express = require("express");

// Before sms.js, which reads the settings.
if (existsSync(".env")) process.loadEnvFile();
const { sms } = require("./sms.js");

// Read at the start: at the end, a wrong value would end the process at once.
const drainMs = Number(process.env.DRAIN_MS ?? 10_000);
if (!Number.isSafeInteger(drainMs) || drainMs < 0)
  throw new TypeError("DRAIN_MS must be a whole number of milliseconds, such as 10000.");

const app = express();
app.use("/sms", sms);

// For a load balancer: 503 while no callback should come here.
app.get("/health", (_req, res) => {
  const health = sms.health();
  res.status(health.ready ? 200 : 503).json(health);
});

const server = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error;
  const url = `http://localhost:${server.address().port}/sms`;
  const send = `npx express-kaleyra-sms send "STOP" --url ${url}`;
  // The other terminal does not have the variables of .env.
  const withToken = `(set -a; . ./.env; ${send} --header X-Callback-Token=env:CALLBACK_TOKEN)`;
  console.log(`Listening at ${url}. Try it from another terminal, in this folder:`);
  console.log(process.env.CALLBACK_TOKEN === undefined ? send : withToken);
});

// After SIGTERM, a load balancer still sends callbacks for a while. Ctrl+C, or a second signal, does not wait for them.
let hasBegun = false;
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, async () => {
    const isDrained = signal === "SIGTERM" && !hasBegun;
    hasBegun = true;
    await sms.close({ drainMs: isDrained ? drainMs : 0 }); // what is being handled finishes
    server.close();
  });
}
