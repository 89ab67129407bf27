// What a caller is told of whose message could not be stored in time.

/** @returns an `Error` with the code `KALEYRA_SMS_STORE_TIMEOUT` */
export function storeTimeout(): Error {
  return Object.assign(new Error("The inbox did not store the message within storeTimeoutMs."), {
    code: "KALEYRA_SMS_STORE_TIMEOUT",
  });
}
