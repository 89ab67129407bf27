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

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
