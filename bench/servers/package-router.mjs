// This package with the handlers that every server here has: of keywords, and one for each message.

import { TOKEN } from "../callback.mjs";

/**
 * @param isForAll - with every option that costs something on the way of a callback
 * @param isAsync - with handlers that return promises
 * @param entry - the build, if it is not that of this clone
 */
export async function router(handled, { isForAll, isAsync, entry = "express-kaleyra-sms", ...options } = {}) {
  const { callbackProfile, incomingSms, HELP, OPT_IN, OPT_OUT, POSSIBLE_OPT_OUT } = await import(entry);
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
  const sms = incomingSms(isForAll ? { logger, ...options, ...all } : { logger, authenticate: false, ...options });
  const onKeyword = isAsync ? async () => handled.keyword() : () => handled.keyword();
  for (const pattern of [OPT_OUT, POSSIBLE_OPT_OUT, OPT_IN, HELP]) sms.keyword(pattern, onKeyword);
  return sms.on("message", isAsync ? async ({ id }) => handled.add(id) : ({ id }) => handled.add(id));
}
