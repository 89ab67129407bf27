// Waits for promises that the package did not make, and can stop waiting for them.

import { types } from "node:util";

/** Called when a promise has settled: with the cause, if it rejected. */
type End = (rejected?: { readonly cause: unknown }) => void;

/**
 * The callbacks that wait for each promise. Several handlers may return the same promise, which keeps each of its
 * reactions until it settles. So it gets a single reaction for all callbacks.
 */
const waiting = new WeakMap<object, Set<End>>();

/**
 * Calls back when the promise has settled.
 *
 * @returns a function that releases the callback, unless it is the only one: then nobody else uses the promise
 */
export function whenSettled(promise: PromiseLike<unknown>, end: End): () => void {
  const ends = waiting.get(promise) ?? endsOf(promise);
  ends.add(end);
  return () => {
    if (ends.size > 1) ends.delete(end);
  };
}

function endsOf(promise: PromiseLike<unknown>): Set<End> {
  const ends = new Set<End>();
  const endAll: End = (rejected) => {
    waiting.delete(promise);
    for (const end of ends) end(rejected);
  };
  void settled(promise).then(
    () => endAll(),
    (cause: unknown) => endAll({ cause }),
  );
  // Other thenables are not shared: each call of their `then` may have an effect.
  if (types.isPromise(promise)) waiting.set(promise, ends);
  return ends;
}

/** `await` does not call the overridden `then` of a promise. The `then` of any other object may throw. */
async function settled(promise: PromiseLike<unknown>): Promise<unknown> {
  return await promise;
}
