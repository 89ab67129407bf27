// This package with an inbox, mounted in Express 5; and without one, to compare.

import { callbackPost } from "../callback.mjs";
import { openInbox } from "../inboxes.mjs";

export const request = (n) => callbackPost(n);

export async function start(handled, { inbox: kind, concurrency, ...place }) {
  const { default: express } = await import("express");
  const { incomingSms, OPT_OUT } = await import("express-kaleyra-sms");
  const inbox = await openInbox(kind, place);
  const sms = incomingSms({ inbox, concurrency: inbox && concurrency, authenticate: false });
  sms.keyword(OPT_OUT, () => handled.keyword());
  sms.on("message", ({ id }) => handled.add(id));
  return express().use("/sms", sms);
}
