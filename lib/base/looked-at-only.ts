// The switch of a tool that loads an app only to look at its router: in that process, no handler runs.

/** Shared by all copies of this package in the process. */
const SWITCH = Symbol.for("express-kaleyra-sms: routers are only looked at");
const shared = globalThis as unknown as Record<symbol, boolean | undefined>;

/** From now on, a new router answers 503, its inbox hands out nothing, and nothing warns of its set-up. */
export function lookOnly(): void {
  shared[SWITCH] = true;
}

export function isLookedAtOnly(): boolean {
  return shared[SWITCH] === true;
}
