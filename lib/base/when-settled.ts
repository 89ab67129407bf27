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
  let ends = waiting.get(promise);
  if (ends === undefined) {
    ends = new Set();
    // Of other thenables, each call of `then` may do something.
    if (types.isPromise(promise)) waiting.set(promise, ends);
    void react(promise, ends);
  }
  const all = ends.add(end);
  return () => {
    if (all.size > 1) all.delete(end);
  };
}

/** Of a promise, `await` does not call a `then` that somebody has put there; that of any other object may throw. */
async function react(promise: PromiseLike<unknown>, ends: ReadonlySet<End>): Promise<void> {
  let rejected: { readonly cause: unknown } | undefined;
  try {
    await promise;
  } catch (cause) {
    rejected = { cause };
  }
  waiting.delete(promise);
  for (const end of ends) end(rejected);
}
