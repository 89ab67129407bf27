// One process that receives incoming SMS, stores them in a file, and retries each until it is handled.

import "./env.js";
import express from "express";

import { openApp, openInbox } from "./databases.js";
import { DRAIN_MS, endBySignal } from "./end.js";
import { createSms } from "./sms.js";

const app = openApp();
const inbox = openInbox();
const sms = createSms({ inbox, app });

const server = express()
  .use("/sms", sms)
  // For a load balancer: 503 while no callback should come here. Its warnings, and the counts, are for a person.
  .get("/health", async (_req, res) => {
    const health = sms.health();
    const counts = await inbox.stats().catch(() => undefined);
    res.status(health.ready ? 200 : 503).json({ ...health, inbox: counts });
  })
  .listen(Number(process.env.PORT ?? 3000), (error) => {
    if (error) throw error;
    const url = `http://localhost:${server.address().port}/sms`;
    const send = `npx express-kaleyra-sms send "STOP" --url ${url}`;
    // The other terminal does not have the variables of .env.
    const withToken = `(set -a; . ./.env; ${send} --header X-Callback-Token=env:CALLBACK_TOKEN)`;
    console.log(`Listening at ${url}. Try it from another terminal, in this folder:`);
    console.log(process.env.CALLBACK_TOKEN === undefined ? send : withToken);
  });

endBySignal({
  sms,
  drainMs: DRAIN_MS,
  // What ran has finished, and the rest waits in the file, which is closed.
  release: () => {
    server.close();
    app.close();
  },
});
