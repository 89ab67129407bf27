// The tracing channels of node:diagnostics_channel, on which every router of the process publishes.

import { tracingChannel, type TracingChannel } from "node:diagnostics_channel";

import type { Observation } from "../base/observation.js";
import type { SmsMessage } from "../callback/message.js";
import type { HandlerResult, ObservedCall } from "../handlers/observer.js";
import type { Channels, ObservedAnswer, ObservedStore } from "../pipeline/observer.js";

/** What the channel `express-kaleyra-sms.callback` publishes: a callback, from its arrival to its answer. */
export interface CallbackTrace {
  /** The router. Channels belong to the process, and it may have several routers. */
  readonly router: object;
  /** The HTTP method of the callback. */
  readonly method: "GET" | "POST";
  /** From `end` or `asyncStart` on: the answer, with `outcome`, `message` and `problem` if a receipt has them. */
  readonly result?: ObservedAnswer;
}

/** What the channel `express-kaleyra-sms.handler` publishes: a call of a handler, from its start to its end. */
export interface HandlerTrace extends ObservedCall {
  /** The router. */
  readonly router: object;
  /** From `end` or `asyncStart` on: how it ended. */
  readonly result?: HandlerResult["result"];
  /** From `error` on: what the handler threw, or the error that says that it took too long. */
  readonly error?: unknown;
}

/** What the channel `express-kaleyra-sms.inbox.store` publishes: a message that is stored in the inbox. */
export interface StoreTrace {
  /** The router. */
  readonly router: object;
  /** The message to store. */
  readonly message: SmsMessage;
  /**
   * A subscriber of `start` may set it: the `traceparent` (W3C Trace Context) that is stored with the message, and is
   * `message.traceparent` in handlers. Anything else than a `traceparent` is ignored.
   */
  traceparent?: string;
  /** From `asyncStart` on. */
  readonly result?: "stored" | "duplicate";
  /** From `error` on: why it was not stored. */
  readonly error?: unknown;
}

type Trace = CallbackTrace | HandlerTrace | StoreTrace;

/** @param router - returns the router that the channels name */
export function createChannels(router: () => object): Channels {
  return {
    isActive: {
      callback: () => hasSubscribers(CALLBACK),
      handler: () => hasSubscribers(HANDLER),
      store: () => hasSubscribers(STORE),
    },
    callback: (method) => {
      const trace: CallbackTrace = { router: router(), method };
      // A copy: the receipt of sms.receive is its caller's.
      return observation<ObservedAnswer>(CALLBACK, trace, (result) => ({ result: Object.freeze({ ...result }) }));
    },
    handler: (call) => {
      const trace: HandlerTrace = { router: router(), ...call };
      return observation<HandlerResult>(HANDLER, trace, ({ result, cause }) =>
        result === "ok" ? { result } : { result, error: cause },
      );
    },
    store: (message) => {
      const trace: StoreTrace = { router: router(), message };
      const storing = observation<ObservedStore>(STORE, trace, (stored) =>
        "cause" in stored ? { error: stored.cause } : { result: stored.stored },
      );
      return (
        storing && {
          ...storing,
          get traceparent() {
            return trace.traceparent;
          },
        }
      );
    },
  };
}

const CALLBACK = tracingChannel("express-kaleyra-sms.callback");
const HANDLER = tracingChannel("express-kaleyra-sms.handler");
const STORE = tracingChannel("express-kaleyra-sms.inbox.store");

/** Before Node 22, a tracing channel has no `hasSubscribers` for all its channels. */
function hasSubscribers({ start, end, asyncStart, asyncEnd, error }: TracingChannel): boolean {
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers
  );
}

/**
 * Publishes all of `start`, `end`, `asyncStart` and `asyncEnd` in this order, with `error` before `asyncStart` or
 * `end`: also of what ends at once, as `tracePromise` does. What a subscriber throws does not come back: Node makes it
 * an uncaught exception.
 *
 * @param ending - the properties that the trace gets at the end
 * @returns `undefined` if the channel has no subscriber
 */
function observation<Result>(
  channel: TracingChannel,
  trace: Trace,
  ending: (result: Result) => object,
): Observation<Result> | undefined {
  if (!hasSubscribers(channel)) return undefined;
  let isRunning = true;
  let isEnded = false;
  const publishEnd = (): void => {
    channel.asyncStart.publish(trace);
    channel.asyncEnd.publish(trace);
  };
  return {
    run: (step) =>
      channel.start.runStores(trace, () => {
        try {
          return step();
        } finally {
          isRunning = false;
          channel.end.publish(trace);
          if (isEnded) publishEnd();
        }
      }),
    ended: (result) => {
      // A handler past its time limit may end after all.
      if (isEnded) return;
      isEnded = true;
      Object.assign(trace, ending(result));
      if ("error" in trace) channel.error.publish(trace);
      if (!isRunning) publishEnd();
    },
  };
}
