// The events, and the payloads of their handlers.

import type { UnauthorizedCallback } from "../access/unauthorized.js";
import { invalidArgument } from "../base/errors.js";
import type { InvalidCallback } from "../callback/invalid.js";
import type { SmsMessage } from "../callback/message.js";
import type { KeywordMatch } from "../keywords/keyword-match.js";

/** The events, each with the payload of its handlers. */
export interface SmsEvents {
  /** Emitted for every valid callback. */
  readonly message: SmsMessage;
  /** Emitted once for each matched keyword. If none matches, but the callback has a keyword, emitted once for it. */
  readonly keyword: KeywordMatch;
  /** Emitted if keyword handlers are registered, and none matched. */
  readonly unmatched: SmsMessage;
  /** Emitted for a callback that is not valid. */
  readonly invalid: InvalidCallback;
  /** Emitted for a caller that is not authorized. Its callback is not read. */
  readonly unauthorized: UnauthorizedCallback;
  /** Emitted for a duplicate: a message with the same `key` was handled, or is in the inbox. */
  readonly duplicate: SmsMessage;
  /** Emitted when a handler throws, rejects or exceeds its time limit, and when the inbox fails. */
  readonly error: HandlerError;
}

export type SmsEvent = keyof SmsEvents;

/** The payload of `error`: the failure of a handler, or of the inbox. */
export type HandlerError = FailedHandler | FailedInbox;

interface FailedAttempt {
  /** Which attempt at the message this was, from 1. */
  readonly attempt: number;
  /** Whether this was the last attempt: the package does not retry the message by itself. */
  readonly final: boolean;
}

/** A handler failed. */
export interface FailedHandler extends FailedAttempt {
  /** The event whose handler failed. */
  readonly event: "message" | "keyword" | "unmatched";
  /** The message that the handler was handling. */
  readonly message: SmsMessage;
  /**
   * The value that the handler threw or rejected with. If it exceeded its time limit, an `Error` with the code
   * `KALEYRA_SMS_HANDLER_TIMEOUT`.
   */
  readonly cause: unknown;
}

/** The inbox failed: it could not store a message (the callback is answered 503), or could not take messages out. */
export interface FailedInbox extends FailedAttempt {
  readonly event: "inbox";
  /** The message that was not stored, or whose attempts were all cut short because the process ended. */
  readonly message: SmsMessage | undefined;
  /**
   * The value that the inbox rejected with. If it did not settle within `storeTimeoutMs`, an `Error` with the code
   * `KALEYRA_SMS_STORE_TIMEOUT`.
   */
  readonly cause: unknown;
}

/** The second argument of every handler. */
export interface HandlerContext {
  /** Aborts when the handler exceeds `handlerTimeoutMs`, or when `close()` has waited that long. */
  readonly signal: AbortSignal;
  /** Which attempt at the message this is, from 1. */
  readonly attempt: number;
}

/** A function that handles an event. It may be async: its promise is awaited. */
export type Handler<Event extends SmsEvent> = (payload: SmsEvents[Event], context: HandlerContext) => unknown;

const EVENTS: Readonly<Record<SmsEvent, true>> = {
  message: true,
  keyword: true,
  unmatched: true,
  invalid: true,
  unauthorized: true,
  duplicate: true,
  error: true,
};

/** @throws TypeError if no event has that name */
export function assertEvent(name: unknown): void {
  if (typeof name === "string" && Object.hasOwn(EVENTS, name)) return;
  throw invalidArgument(`The event "${String(name)}" does not exist: use one of ${Object.keys(EVENTS).join(", ")}.`);
}
