// Waits for promises that are not the package's own, and can let go of them.

import { types } from "node:util";

/** How a promise ended: with a cause, if it rejected. */
type End = (rejected?: { readonly cause: unknown }) => void;

/** Who waits for a promise that several may wait for: it holds each of its reactions until it settles, so it gets one for all. */
const waiting = new WeakMap<object, Set<End>>();

/**
 * Calls back when the promise has settled.
 *
 * @returns lets go of the callback; not if nobody else waits for the promise, which then is the caller's own
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
  // Of other thenables, each call of `then` may do something.
  if (types.isPromise(promise)) waiting.set(promise, ends);
  return ends;
}

/** Of a promise, `await` does not call a `then` that somebody has put there; that of any other object may throw. */
async function settled(promise: PromiseLike<unknown>): Promise<unknown> {
  return await promise;
}
