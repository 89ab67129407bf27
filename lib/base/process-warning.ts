// Process warnings: what the package reports about the set-up, where no logger is needed to see it.

import { debug } from "./debug.js";

/** The codes of the process warnings; the README has a paragraph for each. */
export type WarningCode =
  | "KALEYRA_SMS_BODY_ALREADY_PARSED"
  | "KALEYRA_SMS_NOT_ESCAPED"
  | "KALEYRA_SMS_NO_AUTHENTICATION"
  | "KALEYRA_SMS_NO_TEXT"
  | "KALEYRA_SMS_PROFILE_DIFFERS"
  | "KALEYRA_SMS_REDIS_CLUSTER"
  | "KALEYRA_SMS_REDIS_EVICTS"
  | "KALEYRA_SMS_TRUST_PROXY"
  | "KALEYRA_SMS_WAITS_FOR_ITSELF";

/**
 * Emits a process warning. An app may have replaced `process.emitWarning`: one that throws changes nothing.
 *
 * @returns whether it was emitted
 */
export function emitWarning(code: WarningCode, message: string): boolean {
  try {
    process.emitWarning(`${message} See the README of express-kaleyra-sms, "${code}".`, {
      type: "KaleyraSmsWarning",
      code,
    });
    return true;
  } catch {
    debug("process.emitWarning failed: %s", code);
    return false;
  }
}
