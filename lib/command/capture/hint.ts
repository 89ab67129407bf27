// What a callback is that does not hold the text that was asked for.

import { isPlaceholder } from "../../callback/fields.js";
import { REDIRECTED } from "../../callback/no-sms.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import type { Asked } from "./asked-text.js";
import { looksEncrypted } from "./encryption.js";
import { shapeOf } from "./shape.js";

/** @param hasKey - whether the key of encrypted values was given */
export function hintOf(callback: SavedCallback, hasKey: boolean, { nonce }: Asked): string {
  const shape = shapeOf(callback);
  const hasNonce = Buffer.from(callback.body).toString("latin1").toLowerCase().includes(nonce);
  if (hasNonce)
    return (
      "What was asked for is in it, but cannot be distinguished from the rest: " +
      "objects in objects, a name that is there twice, " +
      'or a value without quotes. In the console, use a flat template with "message": "<message>".'
    );
  if (shape === undefined)
    return callback.method === "GET"
      ? `It has no variables. ${REDIRECTED}`
      : "It is not JSON, not a form, and not like a template. In the console, choose JSON as the type of the body.";
  const { names, parsed, raw } = shape;
  const valueOf = (name: string): string | undefined => parsed?.get(name) ?? raw?.get(name);
  if (names.some((name) => isPlaceholder(raw?.get(name) ?? "")) && isPlaceholder(raw?.get("message") ?? "<message>"))
    return "Its placeholders are not filled in: a test from the console, which found this address.";
  if (looksEncrypted(valueOf))
    return hasKey
      ? "It looks encrypted, and no usual layout of AES fits the key: look at --key and --iv."
      : "It looks encrypted: add the key and the IV that the console shows, --key and --iv.";
  return "It is not the text that was asked for, so it decides nothing.";
}
