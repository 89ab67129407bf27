// For what a function of the user's gives, that nobody waits for.

import { types } from "node:util";

/** Hears of a rejection, so that it does not end the process; also of a promise with methods of its own. Does not throw. */
export function swallow(given: unknown, failed: (cause: unknown) => void): void {
  if (typeof given !== "object" || given === null) return;
  try {
    const promise = types.isPromise(given) ? given : Promise.resolve(given);
    void Promise.prototype.then.call(promise, undefined, failed);
  } catch (cause) {
    failed(cause);
  }
}
