// Receives callbacks and stores them: nothing else runs here, so that no answer waits for a handler. Run any number behind a load balancer.

import "./env.js";
import express from "express";
import { incomingSms } from "express-kaleyra-sms";

import { DRAIN_MS, endBySignal } from "./end.js";
import { reportFailures } from "./report.js";
import { closeConnections, openInbox } from "./storage.js";

// A header that the Callback Profile sends. Without it, anyone may call: the router warns, and throws under NODE_ENV=production.
const token = process.env.CALLBACK_TOKEN;
const inbox = openInbox();
const sms = incomingSms({
  inbox,
  concurrency: 0, // only receives
  authenticate: token === undefined ? undefined : { header: "X-Callback-Token", value: token },
});

reportFailures(sms);
// A callback that cannot be read. `problem.raw` is the only copy of it, and may hold personal data.
sms.on("invalid", (problem) => console.error(`${problem.code}: ${problem.detail}`));

const server = express()
  .use("/sms", sms)
  // For the load balancer: 503 while no callback should come here. Its warnings, and the counts, are for a person.
  .get("/health", async (_req, res) => {
    const health = sms.health();
    // Does not wait for an inbox that is out of reach.
    const counts = health.ready ? await inbox.stats().catch(() => undefined) : undefined;
    res.status(health.ready ? 200 : 503).json({ ...health, inbox: counts });
  })
  .listen(Number(process.env.PORT ?? 3000), (error) => {
    if (error) throw error;
    console.log(`Listening at http://localhost:${server.address().port}/sms`);
  });

endBySignal({
  sms,
  drainMs: DRAIN_MS,
  release: () => {
    server.close();
    closeConnections();
  },
});
