// This package on node:http with any number of keywords, each message beginning with another one of them.

import { callbackPost, digits } from "../callback.mjs";

/** A prime, so that the messages jump about among the keywords and meet every one. */
const STRIDE = 7_919;

export const request = (n, { keywords }) => callbackPost(n, `OFFER${digits((n * STRIDE) % keywords)} please, and soon`);

export async function start(handled, { keywords }) {
  const { incomingSms } = await import("express-kaleyra-sms");
  const logger = { warn: console.warn, error: console.error };
  const sms = incomingSms({ path: "/sms", authenticate: false, logger }).on("message", ({ id }) => handled.add(id));
  const begun = performance.now();
  for (let k = 0; k < keywords; k++) sms.keyword(`OFFER${digits(k)}`, () => handled.keyword());
  handled.registeredMs = performance.now() - begun;
  return sms;
}
