// What can be observed of handlers. An observer is no handler: nothing changes whether somebody observes or not.

import type { Observation } from "../base/observation.js";
import type { SmsMessage } from "../callback/message.js";
import type { Announced, SmsEvent, SmsEvents } from "./events.js";

/** A handler that is about to be called. */
export interface ObservedCall {
  /** The event that it handles. */
  readonly event: SmsEvent;
  /** `undefined` if looking up the handlers failed. */
  readonly payload: SmsEvents[SmsEvent] | undefined;
  /** The message that the payload is, or is about. Behind an inbox, its `traceparent` leads to its callback. */
  readonly message: SmsMessage | undefined;
  /** Which attempt at the message, from 1. */
  readonly attempt: number;
  /** Whether this is the last attempt. */
  readonly final: boolean;
}

/** How a handler ended. `cause` is what it threw, or the error that says that it took too long. */
export interface HandlerResult {
  readonly result: "ok" | "error" | "timeout";
  readonly cause?: unknown;
}

/** Its functions do not throw: pipeline/observer.ts sees to that. */
export interface HandlerObserver {
  /**
   * A handler is about to be called.
   *
   * @returns what is called when the handler has ended, or is past its time limit; again, if it ends after all after
   * that
   */
  handler(call: ObservedCall): Observation<HandlerResult> | undefined;
  /** An event was emitted that does not change the answer, whether or not it has a handler. */
  announced(...announced: Announced): void;
}

/** Those who observe handlers now. */
export interface HandlerObservers {
  /** `undefined` if nobody observes. */
  readonly ofHandlers: HandlerObserver | undefined;
  /** `undefined` if nobody observes. */
  readonly ofEvents: Pick<HandlerObserver, "announced"> | undefined;
}
