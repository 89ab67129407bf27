// What an inbox tells, each with a code of its own.

/** Nobody waits for the message any longer. */
export function storeTimeout(): Error {
  return coded("KALEYRA_SMS_STORE_TIMEOUT", "The inbox did not store the message within storeTimeoutMs.");
}

export function inboxClosed(): Error {
  return coded("KALEYRA_SMS_INBOX_CLOSED", "The inbox is closed.");
}

/** The reason of a dead letter of which no handler failed. */
export const CUT_SHORT = "the process ended in each attempt";

/** The cause of the same. */
export function cutShort(): Error {
  return coded("KALEYRA_SMS_CUT_SHORT", "The process ended in each attempt at the message.");
}

/** The queue holds a job that the inbox did not write. */
export function foreignJob(): Error {
  return coded(
    "KALEYRA_SMS_FOREIGN_JOB",
    "The queue held a job that is no message of this inbox's. It is kept as failed.",
  );
}

/** @param thrown - what ended the attempt, by its class and place */
export function handlingFailed(thrown: string): Error {
  return coded("KALEYRA_SMS_HANDLING_FAILED", `The handlers of a message could not be run: ${thrown}.`);
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
