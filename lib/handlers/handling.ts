// How the handlers of a message fared: what the dispatcher tells, and what decides whether a repeat is handled again.

export interface Handling {
  /** `closed` where no handler was started, because the router waits no longer. */
  readonly outcome: "handled" | "failed" | "timed-out" | "closed";
  /** After a time-out. */
  readonly late?: Late;
  /** Where it failed: what a handler threw, by its class and place. */
  readonly reason?: string;
}

/** Handlers that were still running when their time was over. */
export interface Late {
  /** Resolves when all have ended: whether well, after all. For one who asks at a time. */
  ended(): Promise<"handled" | "failed">;
  /** For who waits no longer: what never ends then keeps nothing of the message. */
  release(): void;
}
