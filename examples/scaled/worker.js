// Handles what the receivers have stored. Run any number, on any machine that reaches Redis.

import "./env.js";
import { incomingSms } from "express-kaleyra-sms";

import { openConsent } from "./consent.js";
import { addHandlers } from "./handlers.js";
import { openInbox, report } from "./inbox.js";

const consent = openConsent();
// Nobody calls it: it is mounted nowhere.
const sms = incomingSms({
  inbox: openInbox(),
  concurrency: Number(process.env.CONCURRENCY ?? 16),
  authenticate: false,
});
addHandlers(sms, { consent });
sms.on("error", report);

console.log("Handling what is stored.");

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await sms.close(); // what runs finishes, or goes to another worker
    consent.close();
  });
}
