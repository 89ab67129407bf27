// What an inbox is: where a message waits, safe from the end of the process, between its answer and the end of its handling.

import type { MaybePromise } from "../base/maybe-promise.js";
import type { SmsMessage } from "../callback/message.js";

/**
 * Keeps messages until they are handled: `sqliteInbox` and `bullmqInbox` are two, and yours may be a third. docs/inbox.md says what each
 * method must hold to, with one for Postgres.
 *
 * The router calls `store`, `start` and `close`; the others are for whoever runs it. A method rejects where the inbox is out of reach.
 */
export interface Inbox {
  /**
   * Writes a message. Resolves only when it outlives a crash: the callback is answered 200 then.
   *
   * `duplicate`: the inbox holds one of the same `key` that waits, runs, or was handled within `retentionMs`. A dead letter of that key
   * is no duplicate: it is replayed, and `stored`.
   *
   * @param deadline - milliseconds since the epoch; nobody waits for it any longer, so that it need not be written after that
   */
  store(message: SmsMessage, deadline: number): Promise<"stored" | "duplicate">;
  /** Begins to take messages out. Called once, or never; nothing is taken out before. */
  start(work: InboxWork): void | Promise<void>;
  /**
   * Takes nothing out any more, and resolves when each `handle` that was called has resolved and what became of it is written. Lets go of
   * all that keeps the process alive.
   */
  close(): Promise<void>;
  /** How many messages are where. */
  stats(): Promise<InboxStats>;
  /**
   * The messages whose attempts have all failed, the oldest first.
   *
   * @param page - `limit`: how many, default 100; `after`: the `key` of the last one of the page before
   */
  deadLetters(page?: {
    readonly limit?: number | undefined;
    readonly after?: string | undefined;
  }): Promise<DeadLetter[]>;
  /**
   * Gives a dead letter, or `"all"`, all its attempts again.
   *
   * @returns how many that were; 0 where there is no dead letter of that key
   */
  replay(key: string): Promise<number>;
  /**
   * Erases what is kept of a subscriber: numbers and texts, wherever they are. What waits is not handled any more.
   *
   * @param source - as in `message.source`
   * @returns how many messages that were
   */
  forget(source: string): Promise<number>;
}

/** What an inbox is started with. */
export interface InboxWork {
  /** How many messages to hand out at once, at least 1. */
  readonly concurrency: number;
  /** Runs the handlers of a message, once. Neither throws nor rejects. */
  handle(message: SmsMessage, attempt: InboxAttempt): MaybePromise<InboxOutcome>;
  /**
   * Tells the user's `error` handlers that messages could not be taken out, at most once a second for what lasts; or, with a message,
   * that it became a dead letter without its handlers having failed: the process died in each attempt. The cause is handed on: it must
   * hold nothing that was sent.
   */
  failed(cause: unknown, message?: SmsMessage, attempt?: number): void;
}

export interface InboxAttempt {
  /** From 1. */
  readonly attempt: number;
  /** Whether the message becomes a dead letter where this one fails. */
  readonly final: boolean;
}

/**
 * What became of an attempt. `released`: the router was closed before it ended; the attempt does not count. `reason` names what a handler
 * threw by its class and place: never by its text.
 */
export type InboxOutcome =
  | { readonly outcome: "handled" }
  | { readonly outcome: "released" }
  | { readonly outcome: "failed"; readonly reason: string };

export interface InboxStats {
  /** Could be taken out now, or as soon as an earlier message of the same source has ended. */
  readonly waiting: number;
  /** Are being handled, in any process. */
  readonly running: number;
  /** Wait for their next attempt. */
  readonly delayed: number;
  /** Dead letters. */
  readonly dead: number;
  /** For how long the oldest of `waiting` has waited, in milliseconds; 0 where none waits. */
  readonly oldestWaitingMs: number;
}

/** A message whose attempts have all failed. Kept until it is replayed or forgotten. */
export interface DeadLetter {
  /** That of the message. */
  readonly key: string;
  readonly message: SmsMessage;
  /** How many there were. */
  readonly attempts: number;
  /** The instant of the last one's end, ISO 8601 in UTC. */
  readonly failedAt: string;
  /** What the handler threw, by its class and place, such as `TypeError at orders.js:12:5`. */
  readonly reason: string;
}
