// What can be observed of handlers. An observer is no handler: nothing changes whether somebody observes or not.

import type { SmsEvent, SmsEvents } from "./events.js";

/** A handler that is about to be called. */
interface ObservedCall {
  readonly event: SmsEvent;
  /** `undefined` if looking up the handlers failed. */
  readonly payload: SmsEvents[SmsEvent] | undefined;
  /** Which attempt at the message, from 1. */
  readonly attempt: number;
  readonly final: boolean;
}

type HandlerResult = "ok" | "error" | "timeout";

/** Its functions do not throw: pipeline/observer.ts sees to that. */
export interface HandlerObserver {
  /**
   * A handler is about to be called.
   *
   * @returns a function that is called when the handler has ended, or at its time limit. After a time limit, it is called
   * again if the handler ends after all. `cause` is what the handler threw
   */
  handler(call: ObservedCall): (result: HandlerResult, cause?: unknown) => void;
  /** An event was emitted that does not change the answer, whether or not it has a handler. */
  announced<Event extends SmsEvent>(event: Event, payload: SmsEvents[Event]): void;
}
