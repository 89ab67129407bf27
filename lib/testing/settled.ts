// Waits until a router has nothing to do.

import { invalidArgument } from "../base/errors.js";
import type { Inbox } from "../inbox/inbox.js";
import { MemoryInbox } from "../inbox/memory/memory-inbox.js";
import { statsOf } from "../inbox/stats.js";
import type { IncomingSms } from "../router.js";
import { stateOf } from "../pipeline/router-state.js";

/** Taken before a test runner can replace them by some that stand still. */
const { setTimeout: afterTime, setImmediate: inNextTurn } = globalThis;
const POLL_MS = 2;

/**
 * Resolves when nothing waits or runs: every callback is answered, and every message that is due is handled. What is
 * due later, such as a retry, is left to `advance` of `memoryInbox`.
 *
 * With `concurrency: 0`, or without a handler of messages, the router handles nothing: then it resolves when every
 * callback is answered. A handler past its time limit is not waited for.
 *
 * @throws TypeError if the argument is not a router, or if its inbox is your own and has no `stats`
 * @example
 * await subscriber(sms).text("STOP");
 * await settled(sms);
 */
export async function settled(sms: IncomingSms): Promise<void> {
  const { inbox, isIdle, takesOut } = stateOf(sms, "settled");
  const isEmpty = inbox === undefined ? () => true : emptiness(inbox);
  // Always once: a router starts its inbox in the turn after the first handler was registered. A timer may be earlier.
  do await new Promise((resolve) => afterTime(() => inNextTurn(resolve), POLL_MS));
  while (!isIdle() || (takesOut() && !(await isEmpty())) || !isIdle());
}

/** @returns a function that says whether nothing in the inbox waits or runs */
function emptiness(inbox: Inbox): () => boolean | Promise<boolean> {
  // Its `stats` would count what waits behind a delayed message.
  if (inbox instanceof MemoryInbox) return () => MemoryInbox.isIdle(inbox);
  const stats = statsOf(inbox);
  if (stats === undefined)
    throw invalidArgument("settled(sms) needs an inbox with stats(), which says what waits and what runs.");
  return async () => {
    const { waiting, running } = await stats();
    return waiting + running === 0;
  };
}
