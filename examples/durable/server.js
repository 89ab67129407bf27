// One process that receives incoming SMS, keeps them in a file, and handles them until they are handled.

import "./env.js";
import express from "express";

import { openApp, openInbox } from "./databases.js";
import { createSms } from "./sms.js";

const app = openApp();
const inbox = openInbox();
const sms = createSms({ inbox, app });

const server = express()
  .use("/sms", sms)
  // For whatever watches over this process: an old message that waits, or a dead letter, is worth a look.
  .get("/health", async (_req, res) => {
    res.json(await inbox.stats());
  })
  .listen(Number(process.env.PORT ?? 3000), (error) => {
    if (error) throw error;
    const url = `http://localhost:${server.address().port}/sms`;
    const send = `npx express-kaleyra-sms send "STOP" --url ${url}`;
    // The other terminal does not have the settings of .env.
    const withToken = `(set -a; . ./.env; ${send} --header X-Callback-Token=env:CALLBACK_TOKEN)`;
    console.log(`Listening at ${url}. Try it from another terminal, in this folder:`);
    console.log(process.env.CALLBACK_TOKEN === undefined ? send : withToken);
  });

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await sms.close(); // new callbacks get 503; what runs finishes, the rest waits in the file, which is closed
    server.close();
    app.close();
  });
}
