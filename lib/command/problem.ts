// What the answer of a router says is wrong.

import { ANSWER_CODES } from "../base/answer-messages.js";

/** The `code` of a problem; nothing if the body is none of a router's: what others answer may hold a secret. */
export function problemCodeOf(body: string): string | undefined {
  try {
    const { code } = JSON.parse(body) as { readonly code?: unknown };
    return typeof code === "string" && Object.hasOwn(ANSWER_CODES, code) ? code : undefined;
  } catch {
    return undefined;
  }
}
