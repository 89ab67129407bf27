// How the handlers of a message fared: what the dispatcher tells, and what decides whether a repeat is handled again.

export interface Handling {
  /** `closed` where no handler was started, because the router waits no longer. */
  readonly outcome: "handled" | "failed" | "timed-out" | "closed";
  /** After a time-out: whether the handlers end well after all. Never resolves where one never ends. */
  readonly atLast?: Promise<"handled" | "failed">;
  /** Where it failed: what a handler threw, by its class and place. */
  readonly reason?: string;
}
