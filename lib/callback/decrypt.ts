// Decrypts the values of a callback whose profile has encryption switched on, by a function of the user's.

import { isAbsent } from "./fields.js";
import type { Issue, Refusal } from "./invalid.js";
import { knownName, setField, type Fields } from "./reading.js";

/** Gives the text that was encrypted. It throws where it cannot. */
export type Decrypt = (value: string, field: string) => string;

/** An empty value, as a message may be, has nothing to decrypt. */
export function decryptFields(
  fields: Fields,
  decrypt: Decrypt,
): { readonly fields: Fields } | { readonly refusal: Refusal } {
  const decrypted: Record<string, string> = {};
  const failed: Issue[] = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name] ?? "";
    const text = value === "" ? value : textOf(decrypt, value, name);
    if (text === undefined) failed.push({ field: knownName(name), message: "could not be decrypted", rule: "decrypt" });
    else if (!isAbsent(name, text)) setField(decrypted, name, text);
  }
  if (failed.length === 0) return { fields: decrypted };
  return { refusal: { code: "undecryptable", detail: "A value could not be decrypted.", issues: failed } };
}

/** `undefined` where the function throws, or gives no text. What it throws may hold what was sent, and is not kept. */
function textOf(decrypt: Decrypt, value: string, field: string): string | undefined {
  try {
    const text: unknown = decrypt(value, field);
    if (typeof text === "string") return text;
    // A function that is async by mistake must not end the process.
    if (text instanceof Promise) text.catch(() => undefined);
  } catch {
    // Told by the result.
  }
  return undefined;
}
