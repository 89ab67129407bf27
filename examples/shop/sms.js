// The router: who may call, and what becomes of what cannot be handled. What is handled is in keywords.js.

import { incomingSms } from "express-kaleyra-sms";

import { addKeywords } from "./keywords.js";
import { reportFailures } from "./report.js";

// A header that the Callback Profile sends. Without it anyone may call: that is a warning, and an error under NODE_ENV=production.
const token = process.env.CALLBACK_TOKEN;
const byToken = token === undefined ? undefined : { header: "X-Callback-Token", value: token };

/**
 * @param log - with `info`, `warn` and `error`
 * @param authenticate - `false` in tests, which nobody calls
 */
export function createSms({ inbox, log, authenticate = byToken, ...deps }) {
  const sms = incomingSms({ inbox, authenticate, logger: log });
  addKeywords(sms, deps);

  // Not a callback that can be read. `problem.raw` is the only copy of what was sent: keep it where you keep such things.
  sms.on("invalid", ({ code, detail }) => log.error(`${code}: ${detail}`));
  reportFailures(sms, log);

  return sms;
}
