// This package with an inbox, mounted in Express 5, beside another route; and without an inbox, to compare.

import { callbackPost } from "../callback.mjs";
import { openInbox } from "../inboxes.mjs";

export const request = (n) => callbackPost(n);

/** @param isTimed - notes when each message is handled */
export async function start(handled, { inbox: kind, concurrency, isTimed, ...place }) {
  const { default: express } = await import("express");
  const { incomingSms, OPT_OUT, POSSIBLE_OPT_OUT } = await import("express-kaleyra-sms");
  const inbox = await openInbox(kind, place);
  const logger = { warn: console.warn, error: console.error };
  const sms = incomingSms({ inbox, concurrency: inbox && concurrency, authenticate: false, logger });
  sms.keyword([OPT_OUT, POSSIBLE_OPT_OUT], () => handled.keyword());
  sms.on("message", isTimed ? ({ id }) => handled.addTimed(id) : ({ id }) => handled.add(id));
  return express()
    .use("/sms", sms)
    .get("/other", (req, res) => res.send("another route"));
}
