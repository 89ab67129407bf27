// The interface of an inbox: it keeps acknowledged messages until they are handled, across crashes.

import type { MaybePromise } from "../base/maybe-promise.js";
import type { SmsMessage } from "../callback/message.js";

/**
 * What the router calls: it keeps messages until they are handled. If you write an inbox, these methods are enough.
 * docs/write-an-inbox.md describes what each must do. The inboxes of the package have more methods, for operators: see
 * `OperableInbox`.
 */
export interface Inbox {
  /**
   * Writes a message. Resolves only when the message would survive a crash: its callback is then acknowledged.
   *
   * Resolves with `duplicate` if a message with the same `key` waits, runs, or was handled within `retentionMs`. A dead
   * letter with that key is replayed instead, and the result is `stored`.
   *
   * @param signal - aborts when nobody waits for the result any more: `storeTimeoutMs` is over, or the router is
   * closed. The message need not be written then
   */
  store(message: SmsMessage, signal: AbortSignal): Promise<"stored" | "duplicate">;
  /** Starts to hand out messages. The router calls it once or never. No message is handed out before. */
  start(work: InboxWork): void | Promise<void>;
  /**
   * Stops handing out messages. Resolves when every call of `handle` has resolved and its outcome is written. Releases
   * everything that keeps the process alive.
   */
  close(): Promise<void>;
  /**
   * Counts the messages in each state. Optional: the router then knows by itself whether the inbox is in reach, what
   * waits in it, and its dead letters, for `sms.health()` and the metrics. Rejects when `store` would.
   */
  stats?(): Promise<InboxStats>;
  /** Milliseconds: every third of it, the router calls `stats`. Default: 15,000. */
  readonly leaseMs?: number;
  /**
   * Whether the inbox is in reach as soon as it is made, as an open file is. Otherwise, and if it has `stats`, a router
   * is not ready before it has answered: a process that was given a wrong address must get no callbacks. Default:
   * `false`.
   */
  readonly isLocal?: boolean;
}

/** How many messages an inbox has in each state. */
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

/** The argument of `start`: how the inbox hands out messages and reports failures. */
export interface InboxWork {
  /** How many messages to hand out at once, at least 1. */
  readonly concurrency: number;
  /** Makes one attempt: runs the handlers of a message. Neither throws nor rejects. */
  handle(message: SmsMessage, attempt: InboxAttempt): MaybePromise<InboxOutcome>;
  /**
   * Waits until a handler of messages is registered; `undefined` if one is. `handle` waits too: an inbox that asks
   * first leaves messages waiting instead of running when the last handler is removed. The router always gives it.
   */
  whenListening?(): MaybePromise<void>;
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
  /**
   * Reports to the user's `error` handlers that the outcome of an attempt could not be written yet. While this lasts,
   * call it at most once a second. The router always gives it.
   */
  unwritten?(cause: unknown): void;
}

/** One attempt at a message. */
export interface InboxAttempt {
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** Whether the message becomes a dead letter if this attempt fails. */
  readonly final: boolean;
}

/** The result of an attempt. */
export type InboxOutcome =
  | {
      /** All handlers have succeeded. */
      readonly outcome: "handled";
    }
  | {
      /** The router was closed before the attempt ended: the attempt does not count. */
      readonly outcome: "released";
    }
  | {
      /** A handler failed. */
      readonly outcome: "failed";
      /** The class of the thrown value and the place where it was made, never its text. */
      readonly reason: string;
    };
