// Process warnings: what the package reports about the set-up, where no logger is needed to see it.

import { textOf, type CaseDetails, type WarningCode } from "./codes.js";
import { debug } from "./debug.js";

/**
 * Emits a process warning. An app may have replaced `process.emitWarning`: one that throws changes nothing.
 *
 * @returns whether it was emitted
 */
export function emitWarning(code: WarningCode, details?: CaseDetails): boolean {
  try {
    process.emitWarning(textOf(code, details), { type: "KaleyraSmsWarning", code });
    return true;
  } catch {
    debug("process.emitWarning failed: %s", code);
    return false;
  }
}
