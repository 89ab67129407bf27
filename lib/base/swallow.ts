// Handles the result of a user's function that nobody awaits.

import { types } from "node:util";

/**
 * Calls `failed` if the given value is a promise that rejects, so that the rejection does not end the process.
 * This also works if the promise has methods of its own. Does not throw.
 */
export function swallow(given: unknown, failed: (cause: unknown) => void): void {
  if (typeof given !== "object" || given === null) return;
  try {
    const promise = types.isPromise(given) ? given : Promise.resolve(given);
    void Promise.prototype.then.call(promise, undefined, failed);
  } catch (cause) {
    failed(cause);
  }
}
