// The events, and the payloads of their handlers.

import type { UnauthorizedCallback } from "../access/unauthorized.js";
import { invalidArgument } from "../base/errors.js";
import type { InvalidCallback } from "../callback/invalid.js";
import type { SmsMessage } from "../callback/message.js";
import type { KeywordMatch } from "../keywords/keyword-match.js";
import type { SmsError } from "./sms-error.js";

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
  /** Emitted for a callback that gets a 503 without being handled. */
  readonly busy: BusyCallback;
  /** Emitted when a handler throws, rejects or exceeds its time limit, and when the inbox fails. */
  readonly error: SmsError;
}

/** The name of an event. */
export type SmsEvent = keyof SmsEvents;

/** The events that do not change the answer. */
export type Announcement = "invalid" | "unauthorized" | "duplicate" | "busy" | "error";

/** One of them with its payload: the event determines the payload. */
export type Announced = { [Event in Announcement]: [event: Event, payload: SmsEvents[Event]] }[Announcement];

/** The payload of `busy`. */
export interface BusyCallback {
  /**
   * `capacity`: `maxInFlight` is reached. `source`: a quarter of `maxInFlight` is taken by messages of its source.
   * `closing`: the router is closing.
   */
  readonly reason: "capacity" | "source" | "closing";
  /** The HTTP method of the callback. */
  readonly method: "GET" | "POST";
  /** The time of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
  /** The message, if it had been read. */
  readonly message?: SmsMessage;
}

/** The second argument of every handler. */
export interface HandlerContext {
  /** Aborts when the handler exceeds `handlerTimeoutMs`, or when `close()` has waited that long. */
  readonly signal: AbortSignal;
  /** Which attempt at the message this is, from 1. Without an inbox it is always 1. */
  readonly attempt: number;
  /**
   * Whether this is the last attempt: if it fails, the message becomes a dead letter. Without an inbox always `true`.
   */
  readonly final: boolean;
  /** Whether the message opts out. A handler that replies looks at it first. */
  readonly optOut: boolean;
}

/** A function that handles an event. It may be async: its promise is awaited. */
export type Handler<Event extends SmsEvent> = (payload: SmsEvents[Event], context: HandlerContext) => unknown;

/** The events that a valid callback can emit. @inline */
export type MessageEvent = "message" | "keyword" | "unmatched";

export const MESSAGE_EVENTS: readonly MessageEvent[] = ["message", "keyword", "unmatched"];
export const EVENTS: readonly SmsEvent[] = [
  ...MESSAGE_EVENTS,
  ...(["invalid", "unauthorized", "duplicate", "busy", "error"] as const),
];

/** @throws TypeError if the event is none of those that can be registered for */
export function assertEvent(name: unknown, events: readonly SmsEvent[]): void {
  if (events.some((one) => one === name)) return;
  throw invalidArgument(`The event "${String(name)}" does not exist: use one of ${events.join(", ")}.`);
}
