// The debug output that `DEBUG=express-kaleyra-sms` enables.

import createDebug from "debug";

const output = createDebug("express-kaleyra-sms");

export const isDebugging = (): boolean => output.enabled;

/** Does not throw: an app may have replaced the output of `debug` by a function that throws. */
export function debug(format: string, ...values: unknown[]): void {
  try {
    output(format, ...values);
  } catch {
    // This is the last channel for reports.
  }
}
