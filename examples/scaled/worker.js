// Handles what the receivers have stored. Run any number, on any machine that reaches the inbox.

import "./env.js";
import { incomingSms } from "express-kaleyra-sms";

import { endBySignal } from "./end.js";
import { addHandlers } from "./handlers.js";
import { serveHealth } from "./health.js";
import { reportFailures } from "./report.js";
import { closeConnections, openConsent, openInbox } from "./storage.js";

// Nobody calls it: it is mounted nowhere.
const sms = incomingSms({
  inbox: openInbox(),
  concurrency: Number(process.env.CONCURRENCY ?? 16),
  authenticate: false,
});
addHandlers(sms, { consent: openConsent() });
reportFailures(sms);

// For a probe, or for a person.
const { WORKER_PORT } = process.env;
const server = WORKER_PORT ? serveHealth(sms, Number(WORKER_PORT)) : undefined;

console.log("Handling what is stored.");

endBySignal({
  sms,
  drainMs: 0, // nobody sends it callbacks
  // What ran has finished, or goes to another worker.
  release: () => {
    server?.close();
    closeConnections();
  },
});
