// One process that receives incoming SMS, keeps them in a file, and handles them until they are handled.

import express from "express";
import { incomingSms, OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";

import { openApp, openInbox } from "./databases.js";

// A header that the Callback Profile sends along. Without it anybody may call: a warning says so, and under NODE_ENV=production it is an error.
const token = process.env.CALLBACK_TOKEN;
const app = openApp();
const inbox = openInbox();

const sms = incomingSms({
  inbox,
  authenticate: token === undefined ? undefined : { header: "X-Callback-Token", value: token },
});

// A handler may run more than once for one message: after it failed, and after a crash. These two are safe to repeat.
sms.keyword(OPT_OUT, ({ message }) => {
  app.optOut(message.source);
  console.log(`${message.source} wants no more messages`);
});

// STOP within a sentence, for instance: a person decides.
sms.keyword(POSSIBLE_OPT_OUT, ({ message }) => console.log(`message ${message.id}: a person should read this`));

sms.keyword("TOPUP", ({ args, message }) => {
  const amount = Number(args[0]);
  if (!Number.isInteger(amount) || amount < 1) return;
  const isFirst = app.topUp(message.key, message.source, amount);
  console.log(`${message.source} tops up ${amount}${isFirst ? "" : ", as was done before"}`);
});

// Prints no number and no text of an SMS: `error.smsMessage` has them.
sms.on("error", (error) => {
  console.error(error);
  if (error.final && error.smsMessage) console.error(`dead letter: ${error.smsMessage.key}`);
});

const server = express()
  .use("/sms", sms)
  // For whatever watches over this process: an old message that waits, or a dead letter, is worth a look.
  .get("/health", async (_req, res) => {
    res.json(await inbox.stats());
  })
  .listen(Number(process.env.PORT ?? 3000), (error) => {
    if (error) throw error;
    console.log(`Listening at http://localhost:${server.address().port}/sms`);
  });

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await sms.close(); // new callbacks get 503; what runs finishes, the rest waits in the file, which is closed
    server.close();
    app.close();
  });
}
