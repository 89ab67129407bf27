// What `DEBUG=express-kaleyra-sms` shows.

import createDebug from "debug";

const output = createDebug("express-kaleyra-sms");

export const isDebugging = (): boolean => output.enabled;

/** An app may have replaced where debug writes to: one that throws changes nothing. */
export function debug(format: string, ...values: unknown[]): void {
  try {
    output(format, ...values);
  } catch {
    // Nobody is left who could be told.
  }
}
