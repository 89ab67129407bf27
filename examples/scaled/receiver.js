// Receives callbacks and stores them: nothing else runs here, so that an answer never waits for a handler. Run any number behind a load balancer.

import "./env.js";
import express from "express";
import { incomingSms } from "express-kaleyra-sms";

import { openInbox, report } from "./inbox.js";

// A header that the Callback Profile sends. Without it anyone may call: that is a warning, and an error under NODE_ENV=production.
const token = process.env.CALLBACK_TOKEN;
const inbox = openInbox();
const sms = incomingSms({
  inbox,
  concurrency: 0, // only receives
  authenticate: token === undefined ? undefined : { header: "X-Callback-Token", value: token },
});

sms.on("error", report);
// Not a callback that can be read. `problem.raw` is the only copy of what was sent: keep it where you keep such things.
sms.on("invalid", (problem) => console.error(`${problem.code}: ${problem.detail}`));

const server = express()
  .use("/sms", sms)
  // For the load balancer, and for whatever watches: 200 while callbacks can be stored.
  .get("/health", async (_req, res) => {
    const stats = await inbox.stats().catch(() => undefined);
    res.status(stats === undefined ? 503 : 200).json(stats ?? { reason: "Redis is out of reach" });
  })
  .listen(Number(process.env.PORT ?? 3000), (error) => {
    if (error) throw error;
    console.log(`Listening at http://localhost:${server.address().port}/sms`);
  });

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await sms.close(); // new callbacks get 503, which the load balancer sends elsewhere
    server.close();
  });
}
