// The outcome of a message's handlers. It decides whether a duplicate is handled again.

export interface Handling {
  /** `closed`: no handler was started, because the router is closed. */
  readonly outcome: "handled" | "failed" | "timed-out" | "closed";
  /** Set if no handler applied to the message. */
  readonly hadNoHandler?: true;
  /** Set after a time-out. */
  readonly late?: Late;
  /** Set after a failure: the class and the source location of the first error. */
  readonly reason?: string;
}

/** Handlers that still ran when their time was over. */
export interface Late {
  /** Resolves when all have ended. Only one caller can wait at a time: a new call replaces the one before. */
  ended(): Promise<"handled" | "failed">;
  /** Stops waiting. Handlers that never end then keep nothing of the message in memory. */
  release(): void;
}
