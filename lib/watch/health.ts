// Whether a router is ready for callbacks, for the probe of a load balancer.

import type { Reach } from "../inbox/reach.js";

/** What `sms.health()` returns. */
export interface Health {
  /** Whether callbacks should be sent here. */
  readonly ready: boolean;
  /**
   * Why the router is not ready.
   *
   * - `closing`: `sms.close()` was called.
   * - `no-handler`: no handler of messages is registered. Not with `concurrency: 0`.
   * - `inbox-unreachable`: the inbox has not answered yet, does not answer, or could not store or hand out messages.
   */
  readonly reasons: ReadonlyArray<"closing" | "no-handler" | "inbox-unreachable">;
  /**
   * What a person should look at. The router is ready all the same.
   *
   * - `backlog`: the oldest message in the inbox has waited longer than `backlogMs`.
   * - `dead-letters`: the inbox has dead letters.
   */
  readonly warnings: ReadonlyArray<"backlog" | "dead-letters">;
}

interface Deps {
  readonly isClosing: () => boolean;
  /** Whether a handler of messages is registered, or none is needed. */
  readonly isHandled: () => boolean;
  /** `undefined` without an inbox. */
  readonly reach: Reach | undefined;
  readonly backlogMs: number;
}

/** Asks nobody: what is known of the inbox is at most one lease old. */
export function healthOf({ isClosing, isHandled, reach, backlogMs }: Deps): Health {
  const reasons: Array<Health["reasons"][number]> = [];
  if (isClosing()) reasons.push("closing");
  if (!isHandled()) reasons.push("no-handler");
  if (reach?.isInReach === false) reasons.push("inbox-unreachable");
  const warnings: Array<Health["warnings"][number]> = [];
  if (reach !== undefined && reach.counts.oldestWaitingMs > backlogMs) warnings.push("backlog");
  if (reach !== undefined && reach.counts.dead > 0) warnings.push("dead-letters");
  return Object.freeze({
    ready: reasons.length === 0,
    reasons: Object.freeze(reasons),
    warnings: Object.freeze(warnings),
  });
}
