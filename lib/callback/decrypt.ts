// Decrypts the values of a callback whose profile has encryption switched on, by a function of the user's.

import type { Log } from "../base/log.js";
import { swallow } from "../base/swallow.js";
import { nameOf } from "../base/thrown.js";
import { isAbsent } from "./fields.js";
import type { Issue, Refusal } from "./invalid.js";
import { knownName, setField, type Fields } from "./read/reading.js";

/** Gives the text that was encrypted. It throws where it cannot. */
export type Decrypt = (value: string, field: string) => string;

/** Makes the function that decrypts the fields of a callback. */
export function createDecryptFields(
  decrypt: Decrypt,
  log: Log,
): (fields: Fields) => { readonly fields: Fields } | { readonly refusal: Refusal } {
  /** `undefined` where there is none. What the function throws may hold what was sent: the log gets its class and place. */
  const textOf = (value: string, name: string): string | undefined => {
    try {
      const text: unknown = decrypt(value, name);
      if (typeof text === "string") return text;
      // A function that is async by mistake must not end the process.
      swallow(text, () => undefined);
      log.error("undecryptable", `options.decrypt gave no string for "${knownName(name)}": it is not waited for.`);
    } catch (error) {
      log.error("undecryptable", `options.decrypt failed for "${knownName(name)}": ${nameOf(error)}.`);
    }
    return undefined;
  };

  return (fields) => {
    const decrypted: Record<string, string> = {};
    const failed: Issue[] = [];
    for (const name of Object.keys(fields)) {
      const value = fields[name] ?? "";
      // Empty, as a message may be, it has nothing to decrypt.
      const text = value === "" ? value : textOf(value, name);
      if (text === undefined)
        failed.push({ field: knownName(name), message: "could not be decrypted", rule: "decrypt" });
      else if (!isAbsent(name, text)) setField(decrypted, name, text);
    }
    if (failed.length === 0) return { fields: decrypted };
    return { refusal: { code: "undecryptable", detail: "A value could not be decrypted.", issues: failed } };
  };
}
