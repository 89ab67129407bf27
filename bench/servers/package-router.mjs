// This package with the handlers that every server here has: three kinds of keywords, and one for each message.

import { TOKEN } from "../callback.mjs";

/**
 * @param isForAll - with every option that costs something on the way of a callback
 * @param entry - the build, if it is not that of this clone
 */
export async function router(handled, { isForAll, entry = "express-kaleyra-sms", ...options } = {}) {
  const { callbackProfile, incomingSms, HELP, OPT_IN, OPT_OUT } = await import(entry);
  const all = {
    authenticate: [{ header: "X-Callback-Token", value: TOKEN }, { allow: ["127.0.0.0/8"] }],
    profile: callbackProfile({ method: "POST", url: "http://127.0.0.1/sms" }),
    timeZone: "Asia/Kolkata",
    schema: { properties: { message: { maxLength: 40_000 } } },
    decrypt: (value) => value,
    defaultCountry: "IN",
  };
  // Without `info`: the line about the first callback is no result.
  const logger = { warn: console.warn, error: console.error };
  return incomingSms(isForAll ? { logger, ...options, ...all } : { logger, authenticate: false, ...options })
    .keyword(OPT_OUT, () => handled.keyword())
    .keyword(OPT_IN, () => handled.keyword())
    .keyword(HELP, () => handled.keyword())
    .on("message", (message) => handled.add(message.id));
}
