// Emits process warnings: they report mistakes in the set-up, and are visible without a logger.

import { textOf, type CaseDetails, type WarningCode } from "./error-messages.js";
import { debug } from "./debug.js";
import { isLookedAtOnly } from "./looked-at-only.js";
import { swallow } from "./swallow.js";

/** Typed loosely, since an app may have replaced `emitWarning`. */
const node: { emitWarning(warning: string, options: object): unknown } = process;

/**
 * Emits a process warning, unless routers are only looked at: the app itself emits it when it runs. A
 * `process.emitWarning` that throws or rejects changes nothing.
 *
 * @returns false if it failed
 */
export function emitWarning(code: WarningCode, details?: CaseDetails): boolean {
  if (isLookedAtOnly()) return true;
  const failed = (): void => debug("process.emitWarning failed: %s", code);
  try {
    swallow(node.emitWarning(textOf(code, details), { type: "KaleyraSmsWarning", code }), failed);
    return true;
  } catch {
    failed();
    return false;
  }
}
