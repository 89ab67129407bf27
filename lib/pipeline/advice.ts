// Warns of mistakes in the set-up that the options, or a valid callback, reveal.

import type { Log } from "../base/log.js";
import { isPart, isTableField, partNumber } from "../callback/fields.js";
import type { SmsMessage } from "../callback/message.js";
import type { ReadMessage } from "../callback/read-callback.js";
import type { CallbackProfile } from "../callback/template/profile.js";
import { FIELD_NAMES, MOST_PARTS } from "../callback/template/template.js";

interface SetUp {
  /** `undefined` if the option is not set. */
  readonly authenticate: unknown;
  readonly profile: CallbackProfile | undefined;
}

/** Warns once, before any callback. */
export function adviseOnSetUp({ authenticate, profile }: SetUp, log: Log): void {
  if (authenticate === undefined) {
    log.advise("KALEYRA_SMS_NO_AUTHENTICATION");
  }
  if (profile?.method === "GET" && !profile.template.members.some(({ name }) => isTextField(name))) {
    log.advise("KALEYRA_SMS_NO_TEXT");
  }
}

export function createAdvise(log: Log): (read: ReadMessage) => void {
  return ({ message, otherKeys }) => {
    if (message.method === "GET") adviseOnText(message, log);
    else if (otherKeys !== undefined) adviseOnProfile(otherKeys, log);
    else if (message.repaired) {
      log.advise("KALEYRA_SMS_NOT_ESCAPED");
    }
  };
}

/** The endpoint on the provider's page has no placeholder for the text, the keyword or the parts. */
function adviseOnText({ text, keyword, parts }: SmsMessage, log: Log): void {
  if (text !== undefined || keyword !== undefined || parts.length > 0) return;
  log.advise("KALEYRA_SMS_NO_TEXT");
}

function isTextField(name: string): boolean {
  return name === "message" || name === "keyword" || isPart(name);
}

/** A static field's name that may be printed. Anyone can send a body, and a name may hold a phone number. */
const PRINTABLE = /^(?!.*\d{4})[A-Za-z_][\w-]{0,39}$/;
const MOST_STATICS = 20;

function adviseOnProfile(keys: readonly string[], log: Log): void {
  const fields = [...FIELD_NAMES, "parts[n]"].filter((name) => keys.includes(name));
  const parts = keys.filter((name) => isPart(name) && name !== "parts[n]");
  const others = keys.filter((name) => !isTableField(name));
  const statics = others.filter((name) => PRINTABLE.test(name) && name !== "__proto__").slice(0, MOST_STATICS);
  const options = [
    'method: "POST"',
    'url: "https://your.domain/sms"',
    fields.join() === FIELD_NAMES.join() ? "" : `fields: ${JSON.stringify(fields)}`,
    parts.length === 0 ? "" : `parts: ${Math.min(parts.length, MOST_PARTS)}`,
    statics.length === 0 ? "" : `statics: { ${statics.map((name) => `${JSON.stringify(name)}: "..."`).join(", ")} }`,
  ].filter((option) => option !== "");
  const isComplete = statics.length === others.length && parts.every((name) => partNumber(name) <= parts.length);
  log.advise("KALEYRA_SMS_PROFILE_DIFFERS", {
    message:
      "The Callback Profile in the console differs from the one on the provider's page: " +
      "an unescaped text can pass for a field. Declare it: " +
      `incomingSms({ profile: callbackProfile({ ${options.join(", ")} }) }).` +
      (statics.length === 0 ? "" : ' Each "..." is the value that stands in the console.') +
      (isComplete
        ? ""
        : " This call is not complete: add the other keys of the console's body. " +
          "They are not printed, since they may hold a number or a text."),
  });
}
