// Handles what the receivers have stored. Run any number, on any machine that reaches Redis.

import { incomingSms, OPT_OUT } from "express-kaleyra-sms";

import { openInbox, report } from "./inbox.js";

// Nobody calls it: it is mounted nowhere.
const sms = incomingSms({
  inbox: openInbox(),
  concurrency: Number(process.env.CONCURRENCY ?? 16),
  authenticate: false,
});

// A handler may run more than once for one message: after it failed, and after a crash. Make what it does safe to repeat: `message.key` is the
// same each time. And a STOP may be handled after the START that was sent after it: store the `receivedAt` that a choice was made at, and let
// only a later one change it.
sms.keyword(OPT_OUT, ({ message }) => {
  console.log(`${message.source} wants no more messages since ${message.receivedAt}`);
});

sms.on("unmatched", (message) => {
  console.log(`${message.source} typed ${JSON.stringify(message.text)}`);
});

sms.on("error", report);

console.log("Handling what is stored.");

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => sms.close()); // what runs finishes, or goes to another worker
}
