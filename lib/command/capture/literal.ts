// Strings in the code to paste. It holds no number and no secret: those come from environment variables.

import { printable } from "../printable.js";
import { holdsNumber } from "./finding.js";

/** A string of JavaScript, on one line, that does not steer a terminal. */
export function literal(text: string): string {
  return printable(JSON.stringify(text));
}

/** The variable of the environment for a fixed value that may be a number or a secret; `undefined` for any other. */
export function variableFor(name: string, value: string): string | undefined {
  if (!maySecret(name, value) && !holdsNumber(value)) return undefined;
  return `SMS_${name
    .replaceAll(/([a-z])(?=[A-Z])/g, "$1_")
    .replaceAll(/\W+/g, "_")
    .toUpperCase()}`;
}

/** By its name, or because nobody types such a value: long, with digits between letters. */
function maySecret(name: string, value: string): boolean {
  if (value === "") return false;
  return (
    /token|secret|passw|pwd|auth|key|sign|credential|hash|salt|pin$|otp/i.test(name) ||
    /^(?=\S*\d)(?=\S*[a-z])\S{16,}$/i.test(value)
  );
}
