// What the Callback Profile in the provider's console holds: for `npx express-kaleyra-sms profile print`, `verify` and `send`.

import "./env.js";
import { callbackProfile } from "express-kaleyra-sms";

/**
 * Put your own endpoint here. The body is the one that the router reads by default. Once you change it, by `statics` for
 * instance, give it to the router too: `incomingSms({ profile })`. It then takes callbacks by POST only.
 */
export const profile = callbackProfile({
  method: "POST",
  url: "https://your.domain/sms",
  headers: { "X-Callback-Token": process.env.CALLBACK_TOKEN ?? "not chosen yet" },
});
