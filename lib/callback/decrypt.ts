// Decrypts the values of a callback with `options.decrypt`: for a profile with encryption switched on, or for values
// that are encoded once more.

import type { Log } from "../base/log.js";
import { swallow } from "../base/swallow.js";
import { nameOf } from "../base/thrown.js";
import { isAbsent } from "./fields.js";
import type { Issue, Refusal } from "./invalid.js";
import { knownName, setField, type Fields } from "./read/reading.js";

/** Returns the text of an encrypted or encoded value. Throws if the value cannot be decrypted. */
export type Decrypt = (value: string, field: string) => string;

/** Creates the function that decrypts the fields of a callback. */
export function createDecryptFields(
  decrypt: Decrypt,
  log: Log,
): (fields: Fields) => { readonly fields: Fields } | { readonly refusal: Refusal } {
  /** `undefined` if decryption fails. An error may contain sent values: only its class and place are logged. */
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
      // An empty value has nothing to decrypt; a message may be empty.
      const text = value === "" ? value : textOf(value, name);
      if (text === undefined)
        failed.push({ field: knownName(name), message: "could not be decrypted", rule: "decrypt" });
      else if (!isAbsent(name, text)) setField(decrypted, name, text);
    }
    if (failed.length === 0) return { fields: decrypted };
    return { refusal: { code: "undecryptable", detail: "A value could not be decrypted.", issues: failed } };
  };
}
