// The events and what their handlers get.

import type { UnauthorizedCallback } from "../access/unauthorized.js";
import { invalidArgument } from "../base/errors.js";
import type { InvalidCallback } from "../callback/invalid.js";
import type { SmsMessage } from "../callback/message.js";
import type { KeywordMatch } from "../keywords/keyword-match.js";

/** The events, each with what its handlers get. */
export interface SmsEvents {
  /** Every valid callback. */
  readonly message: SmsMessage;
  /** Once for each keyword matched; where none is, but the callback carries one, once for that. */
  readonly keyword: KeywordMatch;
  /** Keyword handlers are registered, and none matched. */
  readonly unmatched: SmsMessage;
  /** Not a valid callback. */
  readonly invalid: InvalidCallback;
  /** A caller that may not call: its callback was not read. */
  readonly unauthorized: UnauthorizedCallback;
  /** A repeat: the message's `key` was handled, or waits in the inbox. */
  readonly duplicate: SmsMessage;
  /** A handler threw, rejected or ran out of time, or the inbox is out of reach. */
  readonly error: HandlerError;
}

export type SmsEvent = keyof SmsEvents;

/** What handlers of `error` get: of a handler, or of the inbox. */
export type HandlerError = FailedHandler | FailedInbox;

interface FailedAttempt {
  /** Which attempt at the message this was, from 1. */
  readonly attempt: number;
  /** Whether the package will not try again by itself. */
  readonly final: boolean;
}

/** An attempt at a message failed. */
export interface FailedHandler extends FailedAttempt {
  /** The event whose handler failed. */
  readonly event: "message" | "keyword" | "unmatched";
  /** The message that it was handling. */
  readonly message: SmsMessage;
  /** What it threw or rejected with; an `Error` with the code `KALEYRA_SMS_HANDLER_TIMEOUT` where it ran out of time. */
  readonly cause: unknown;
}

/** The inbox failed, not a handler. */
export interface FailedInbox extends FailedAttempt {
  /** The inbox could not store a message, which was answered 503, or not take messages out. */
  readonly event: "inbox";
  /** The one that could not be stored, or whose attempts were all cut short by the end of a process. */
  readonly message: SmsMessage | undefined;
  /** What the inbox rejected with; an `Error` with the code `KALEYRA_SMS_STORE_TIMEOUT` where it gave no answer within `storeTimeoutMs`. */
  readonly cause: unknown;
}

/** The second argument of every handler. */
export interface HandlerContext {
  /** Aborts when the handler's time is over (`handlerTimeoutMs`), or when the router is closed and has waited for so long. */
  readonly signal: AbortSignal;
  /** Which attempt at the message this is, from 1. */
  readonly attempt: number;
}

/** A handler may be async: what it returns is awaited. */
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

/** @throws TypeError where there is no event of that name */
export function assertEvent(name: unknown): void {
  if (typeof name === "string" && Object.hasOwn(EVENTS, name)) return;
  throw invalidArgument(`There is no event "${String(name)}": use one of ${Object.keys(EVENTS).join(", ")}.`);
}
