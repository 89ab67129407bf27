// What an operator calls: looks into an inbox, and repairs what went wrong.

import type { SmsMessage } from "../callback/message.js";
import type { Inbox, InboxStats } from "./inbox.js";

/**
 * An inbox that an operator can look into and repair: `sqliteInbox`, `postgresInbox` and `bullmqInbox` return one. The
 * router calls none of these methods: they are for your own code, such as a health check, an admin page or a command.
 *
 * Each method rejects if the inbox is out of reach or closed.
 */
export interface OperableInbox extends Inbox {
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
   * Looks a message up.
   *
   * @returns `undefined` if the inbox has no message with that key. Of a handled, discarded or forgotten message it
   * keeps the key only
   */
  get(key: string): Promise<KeptMessage | undefined>;
  /**
   * Gives a dead letter all its attempts again.
   *
   * @returns the number of replayed messages: 1, or 0 if none has the key
   */
  replay(key: string): Promise<number>;
  /** Gives every dead letter all its attempts again. @returns the number of replayed messages */
  replayAll(): Promise<number>;
  /**
   * Removes a dead letter that nobody wants. If its callback comes again within `retentionMs`, it is a duplicate.
   *
   * @returns the number of discarded messages: 1, or 0 if no dead letter has the key
   */
  discard(key: string): Promise<number>;
  /**
   * Erases the numbers and texts of a subscriber, in every state. A message that waits is no longer handled.
   *
   * @param source - the number in any form that needs no country: `+919876500001`, `00919876500001`, `919876500001` and
   * `+91 98765-00001` are the same subscriber. A source that is no number, exactly as it is in `message.source`
   * @returns the number of messages
   */
  forget(source: string): Promise<number>;
}

/** What the command needs besides. Not public. */
export interface InspectedInbox extends OperableInbox {
  /** Counts the messages that `forget` would erase. @param source - as in `forget` */
  countOf(source: string): Promise<number>;
  /** Whether nothing was ever stored under the inbox's name: it may be mistyped. */
  isUnused(): Promise<boolean>;
}

/** A message that the inbox keeps, and its state. */
export interface KeptMessage {
  /** As `stats` counts it. */
  readonly state: "waiting" | "running" | "delayed" | "dead";
  /** The message as it was stored. */
  readonly message: SmsMessage;
  /** The number of attempts so far, the running one included. */
  readonly attempts: number;
  /** Only of a dead letter: the class and place of the thrown value. */
  readonly reason?: string;
}

/** A message whose attempts have all failed. Kept until it is replayed, discarded or forgotten. */
export interface DeadLetter {
  /** The `key` of the message. */
  readonly key: string;
  /** The message as it was stored. */
  readonly message: SmsMessage;
  /** The number of attempts. */
  readonly attempts: number;
  /** The instant at which the last attempt ended, ISO 8601 in UTC. */
  readonly failedAt: string;
  /** The class and place of the thrown value, for instance `TypeError at orders.js:12:5`. */
  readonly reason: string;
}
