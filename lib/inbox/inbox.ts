// The interface of an inbox: it keeps acknowledged messages until they are handled, across crashes.

import type { MaybePromise } from "../base/maybe-promise.js";
import type { SmsMessage } from "../callback/message.js";

/**
 * Keeps messages until they are handled. `sqliteInbox` and `bullmqInbox` are two implementations, and you can write
 * your own. docs/inbox.md describes what each method must do, and has an implementation for Postgres.
 *
 * The router calls `store`, `start` and `close`. The other methods are for your own code. A method rejects if the inbox
 * is out of reach.
 */
export interface Inbox {
  /**
   * Writes a message. Resolves only when the message would survive a crash: its callback is then answered 200.
   *
   * Resolves with `duplicate` if a message with the same `key` waits, runs, or was handled within `retentionMs`. A dead
   * letter with that key is replayed instead, and the result is `stored`.
   *
   * @param signal - aborts when nobody waits for the result any more: `storeTimeoutMs` is over, or the router is closed.
   * The message need not be written then
   */
  store(message: SmsMessage, signal: AbortSignal): Promise<"stored" | "duplicate">;
  /** Starts to hand out messages. The router calls it once or never. No message is handed out before. */
  start(work: InboxWork): void | Promise<void>;
  /**
   * Stops handing out messages. Resolves when every call of `handle` has resolved and its outcome is written. Releases
   * everything that keeps the process alive.
   */
  close(): Promise<void>;
  /** Counts the messages in each state. */
  stats(): Promise<InboxStats>;
  /**
   * Lists the messages whose attempts have all failed, the oldest first.
   *
   * @param page - `limit`: the size of the page, default 100; `after`: the `key` of the last dead letter on the
   * previous page
   */
  deadLetters(page?: {
    readonly limit?: number | undefined;
    readonly after?: string | undefined;
  }): Promise<DeadLetter[]>;
  /**
   * Gives a dead letter all its attempts again.
   *
   * @param key - the key of the dead letter, or `"all"` for every dead letter
   * @returns the number of replayed messages; 0 if no dead letter has that key
   */
  replay(key: string): Promise<number>;
  /**
   * Erases the numbers and texts of a subscriber, in every state. A message that waits is no longer handled.
   *
   * @param source - the `source` of the messages
   * @returns the number of messages
   */
  forget(source: string): Promise<number>;
}

/** The argument of `start`: how the inbox hands out messages and reports failures. */
export interface InboxWork {
  /** How many messages to hand out at once, at least 1. */
  readonly concurrency: number;
  /** Makes one attempt: runs the handlers of a message. Neither throws nor rejects. */
  handle(message: SmsMessage, attempt: InboxAttempt): MaybePromise<InboxOutcome>;
  /**
   * Reports to the user's `error` handlers that messages could not be taken out of the inbox. While a failure lasts,
   * call it at most once a second.
   *
   * With a message, reports that it became a dead letter although no handler failed: the process ended during each
   * attempt.
   *
   * The handlers receive the cause: it must not contain anything that was sent.
   */
  failed(cause: unknown, message?: SmsMessage, attempt?: number): void;
}

export interface InboxAttempt {
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** Whether the message becomes a dead letter if this attempt fails. */
  readonly final: boolean;
}

/**
 * The result of an attempt. `released`: the router was closed before the attempt ended, and the attempt does not count.
 * `reason` names the class of the thrown value and the place where it was made, never its text.
 */
export type InboxOutcome =
  | { readonly outcome: "handled" }
  | { readonly outcome: "released" }
  | { readonly outcome: "failed"; readonly reason: string };

export interface InboxStats {
  /** Messages that can be handed out now, or when an earlier message of the same source has ended. */
  readonly waiting: number;
  /** Messages that are being handled, in any process. */
  readonly running: number;
  /** Messages that wait for their next attempt. */
  readonly delayed: number;
  /** Dead letters. */
  readonly dead: number;
  /** How long the oldest of the `waiting` messages has waited, in milliseconds; 0 if none waits. */
  readonly oldestWaitingMs: number;
}

/** A message whose attempts have all failed. Kept until it is replayed or forgotten. */
export interface DeadLetter {
  /** The `key` of the message. */
  readonly key: string;
  readonly message: SmsMessage;
  /** The number of attempts. */
  readonly attempts: number;
  /** The instant at which the last attempt ended, ISO 8601 in UTC. */
  readonly failedAt: string;
  /** The class and place of the thrown value, for instance `TypeError at orders.js:12:5`. */
  readonly reason: string;
}
