// Recognizes a request that carries no SMS at all, such as a test from the provider's console, and says so.

import { isPlaceholder, isTableField } from "./fields.js";
import type { Fields, Reading } from "./read/reading.js";
import type { Validate } from "./validate.js";

/** A POST that is redirected, from http to https for instance, arrives as a GET without its body. */
export const REDIRECTED =
  "A redirect turns a POST into a GET, for instance one from http to https: " +
  "in the console, enter the URL to which it leads, with https.";

/** Whether no field of the provider's page has a value. In `message`, a placeholder is none here. */
export function isWithoutFields(fields: Fields): boolean {
  return Object.keys(fields).every((name) =>
    name === "message" ? isPlaceholder(fields[name] ?? "") : !isTableField(name) && name !== "to",
  );
}

/** The placeholder of a variable, perhaps percent-encoded. */
const PLACEHOLDER = /(?:<|%3c)\w+(?:>|%3e)/i;

/** Returns the detail for a request without an SMS; `undefined` for any other. */
export type NoSmsDetail = (method: "GET" | "POST", raw: string | Uint8Array, reading: Reading) => string | undefined;

/** @param takesPost - whether the router takes callbacks by POST */
export function createNoSmsDetail(validate: Validate, takesPost: boolean): NoSmsDetail {
  return (method, raw, reading) => {
    const isUnfilled = typeof raw === "string" && PLACEHOLDER.test(raw);
    // A GET may have variables of the user's own. A POST with other fields may be an SMS in an unknown form.
    const isWithout =
      "refusal" in reading
        ? reading.refusal.code === "malformed-body" && isNothing(raw)
        : reading.unreadable.length === 0 &&
          isWithoutFields(reading.fields) &&
          (method === "GET" || isUnfilled || isNothing(raw));
    if (!isWithout) return undefined;
    if (method === "GET" && takesPost && !isUnfilled)
      return `The endpoint was found, but this GET has no variables. ${REDIRECTED}`;
    const names = validate({}, method).map(({ field }) => field);
    return (
      "The endpoint was found, but this is no incoming SMS, perhaps a test from the console. " +
      `The endpoint waits for ${names.join(", ")}: send an SMS to your number.`
    );
  };
}

/** Whether a body is empty, or an empty object. */
function isNothing(raw: string | Uint8Array): boolean {
  if (typeof raw !== "string") return false;
  const body = raw.trim();
  return body === "" || (body.startsWith("{") && body.endsWith("}") && body.slice(1, -1).trim() === "");
}
