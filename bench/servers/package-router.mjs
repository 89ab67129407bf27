// This package with the handlers that every server here has: three kinds of keywords, and one for each message.

import { TOKEN } from "../callback.mjs";

/** @param isForAll - with every option that costs something on the way of a callback */
export async function router(handled, { isForAll, ...options } = {}) {
  const { callbackProfile, incomingSms, HELP, OPT_IN, OPT_OUT } = await import("express-kaleyra-sms");
  const all = {
    authenticate: [{ header: "X-Callback-Token", value: TOKEN }, { allow: ["127.0.0.0/8"] }],
    profile: callbackProfile({ method: "POST", url: "http://127.0.0.1/sms" }),
    timeZone: "Asia/Kolkata",
    schema: { properties: { message: { maxLength: 40_000 } } },
    decrypt: (value) => value,
    defaultCountry: "IN",
  };
  return incomingSms(isForAll ? { ...options, ...all } : { authenticate: false, ...options })
    .keyword(OPT_OUT, () => handled.keyword())
    .keyword(OPT_IN, () => handled.keyword())
    .keyword(HELP, () => handled.keyword())
    .on("message", (message) => handled.add(message.id));
}
