// The router: who may call, and what is logged of callbacks that cannot be handled. Keywords are in keywords.js.

import { incomingSms } from "express-kaleyra-sms";

import { addKeywords } from "./keywords.js";
import { reportFailures } from "./report.js";

// A header that the Callback Profile sends. Without it, anyone may call: the router warns, and throws under NODE_ENV=production.
const token = process.env.CALLBACK_TOKEN;
const byToken = token === undefined ? undefined : { header: "X-Callback-Token", value: token };

/**
 * @param log - with `info`, `warn` and `error`
 * @param authenticate - `false` in tests, which nobody calls
 */
export function createSms({ inbox, log, authenticate = byToken, ...deps }) {
  const sms = incomingSms({ inbox, authenticate, logger: log });
  addKeywords(sms, deps);

  // A callback that cannot be read. `problem.raw` is the only copy of it, and may hold personal data.
  sms.on("invalid", ({ code, detail }) => log.error(`${code}: ${detail}`));
  reportFailures(sms, log);

  return sms;
}
