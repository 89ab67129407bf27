// Warns of mistakes in the set-up that the options, or a valid callback, reveal.

import type { Log } from "../base/log.js";
import { isPart, isTableField, partNumber } from "../callback/fields.js";
import type { SmsMessage } from "../callback/message.js";
import type { Callback, ReadMessage, UnreadCallback } from "../callback/read-callback.js";
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

/** Reports what a valid callback reveals. */
export type Advise = (read: ReadMessage, callback: Callback | UnreadCallback) => void;

export function createAdvise(log: Log): Advise {
  let isFirst = true;
  return (read, callback) => {
    if (isFirst) log.info("first-callback", describeFirst(read, callback));
    isFirst = false;
    const { message, otherKeys } = read;
    if (message.method === "GET") adviseOnText(message, log);
    else if (otherKeys !== undefined) adviseOnProfile(otherKeys, log);
    else if (message.repaired) log.advise("KALEYRA_SMS_NOT_ESCAPED");
  };
}

/** Describes the first valid callback, without a number or a text: enough to see whether the set-up is as intended. */
function describeFirst({ message, otherKeys }: ReadMessage, callback: Callback | UnreadCallback): string {
  const { method, text = "", keyword, repaired, timestamp, receivedAt } = message;
  const type = "contentType" in callback ? mediaTypeOf(callback.contentType) : undefined;
  const escaping = /["\\\n]/.test(text) ? (repaired ? "not escaped" : "escaped") : "nothing to escape in it";
  return [
    `The first callback came: ${type === undefined ? method : `${method} ${type}`}`,
    ...(method === "POST" ? [`text ${escaping}`] : []),
    keyword === undefined ? "no keyword" : "a keyword",
    otherKeys === undefined ? "fields as declared" : "other fields than declared",
    `${timestamp === undefined ? "no timestamp" : `timestamp in ${zoneOf(timestamp, receivedAt)}`}.`,
  ].join(", ");
}

/** A caller may send anything as the content type: only the usual ones are printed. */
function mediaTypeOf(contentType: string | undefined): string {
  const [type] =
    /^(?:application\/(?:json|x-www-form-urlencoded|octet-stream)|text\/plain)\b/i.exec(contentType ?? "") ?? [];
  if (type !== undefined) return type.toLowerCase();
  return contentType === undefined ? "without a content type" : "with another content type";
}

/** The offset of a timestamp from UTC, if it was written within the last minutes: zones differ by quarters of an hour. */
function zoneOf(timestamp: string, receivedAt: string): string {
  const quarters = Math.round((Date.parse(`${timestamp.replace(" ", "T")}Z`) - Date.parse(receivedAt)) / 900_000);
  if (!(Math.abs(quarters) <= 14 * 4)) return "no zone that its arrival shows";
  const minutes = Math.abs(quarters) * 15;
  const clock = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
  return `UTC${quarters < 0 ? "-" : "+"}${clock}`;
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
const MAX_STATICS = 20;

function adviseOnProfile(keys: readonly string[], log: Log): void {
  // Some of the page's keys, as people send by hand, declare nothing: every real callback would differ from them.
  if (keys.every((name) => isTableField(name) || name === "to")) return;
  const fields = [...FIELD_NAMES, "parts[n]"].filter((name) => keys.includes(name));
  const parts = keys.filter((name) => isPart(name) && name !== "parts[n]");
  const others = keys.filter((name) => !isTableField(name));
  const statics = others.filter((name) => PRINTABLE.test(name) && name !== "__proto__").slice(0, MAX_STATICS);
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
