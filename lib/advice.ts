// What a valid callback shows to be wrong with the set-up.

import { isPart } from "./callback/fields.js";
import type { Escaping } from "./callback/json-body.js";
import type { SmsMessage } from "./callback/message.js";
import type { ReadMessage } from "./callback/read-callback.js";
import { FIELD_NAMES } from "./callback/template.js";
import type { Log } from "./log.js";

/** @param escaping - what the router was told of how the provider substitutes */
export function createAdvise(escaping: Escaping, log: Log): (read: ReadMessage) => void {
  return ({ message, otherKeys }) => {
    if (message.method === "GET") adviseOnText(message, log);
    else if (otherKeys !== undefined) adviseOnProfile(otherKeys, log);
    else if (message.repaired && escaping === "auto") {
      log.advise(
        "KALEYRA_SMS_NOT_ESCAPED",
        'The provider substitutes texts into the body without escaping them: set escaping: "none", so that every text is read to the letter.',
      );
    }
  };
}

/** The endpoint printed on the provider's page asks for neither the text, nor the keyword, nor the parts. */
function adviseOnText({ text, keyword, parts }: SmsMessage, log: Log): void {
  if (text !== undefined || keyword !== undefined || parts.length > 0) return;
  log.advise(
    "KALEYRA_SMS_NO_TEXT",
    "A GET callback said who wrote and not what. Append &keyword=<keyword>&parts[1]=<parts[1]>&parts[2]=<parts[2]> to the endpoint in the " +
      "console, or let the callback profile use POST, which passes the whole text.",
  );
}

/** A static field's name, as it may be repeated: the sender may be anybody. */
const PRINTABLE = /^\w{1,40}$/;
const MOST_STATICS = 20;

function adviseOnProfile(keys: readonly string[], log: Log): void {
  const fields = FIELD_NAMES.filter((name) => keys.includes(name));
  const numbered = keys.filter((name) => isPart(name) && name !== "parts[n]").length;
  const statics = keys.filter((name) => !FIELD_NAMES.includes(name) && PRINTABLE.test(name)).slice(0, MOST_STATICS);
  const options = [
    'method: "POST"',
    'url: "https://your.domain/sms"',
    fields.length === FIELD_NAMES.length ? "" : `fields: ${JSON.stringify(fields)}`,
    numbered === 0 ? "" : `parts: ${numbered}`,
    statics.length === 0 ? "" : `statics: { ${statics.map((name) => `${name}: "..."`).join(", ")} }`,
  ].filter((option) => option !== "");
  log.advise(
    "KALEYRA_SMS_PROFILE_DIFFERS",
    "The callback profile in the console is not the one on the provider's page, so that a text that is not escaped may pass for a field. Say what it is: " +
      `incomingSms({ profile: callbackProfile({ ${options.join(", ")} }) }).`,
  );
}
