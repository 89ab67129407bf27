// What is told of a message that became a dead letter though no handler failed.

/** Its reason. */
export const CUT_SHORT = "the process ended in each attempt";

/** @returns an `Error` with the code `KALEYRA_SMS_CUT_SHORT` */
export function cutShort(): Error {
  return Object.assign(new Error("The process ended in each attempt at the message."), {
    code: "KALEYRA_SMS_CUT_SHORT",
  });
}
