// Spans of OpenTelemetry for the callbacks, handlers and stores of express-kaleyra-sms, to copy into your app. They
// follow the conventions for messaging, and hold neither what was typed nor a subscriber's number. See tracing.md.

import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

/** @import { Span, SpanOptions } from "@opentelemetry/api" */
/** @import { CallbackTrace, HandlerTrace, SmsMessage, StoreTrace } from "express-kaleyra-sms" */

/**
 * Traces every router of this process. Call it once, when the SDK has started.
 *
 * @param {{ numbers?: readonly string[] }} [options] - your business numbers, as in `message.recipient`. Only these are
 * shown: the recipient of what came by mistake, such as a delivery report, may be a subscriber
 */
export function traceSms({ numbers = [] } = {}) {
  const tracer = trace.getTracer("express-kaleyra-sms");
  const storage = storageOfContext();

  /** @param {SmsMessage} [message] */
  const attributesOf = (message) => ({
    ...(message && { "messaging.message.id": message.id }),
    ...(message && numbers.includes(message.recipient) && { "messaging.destination.name": message.recipient }),
  });

  /** @type {(name: string, type: string, options: SpanOptions, message?: SmsMessage) => Span} */
  const start = (name, type, options, message) => {
    const operation = { "messaging.operation.name": name, "messaging.operation.type": type };
    const attributes = { "messaging.system": "kaleyra", ...operation, ...attributesOf(message) };
    return tracer.startSpan(name, { ...options, attributes });
  };

  /** @type {(name: string, begin: (one: any) => Span, finish: (span: Span, one: any) => void) => void} */
  const follow = (name, begin, finish) => {
    const channel = tracingChannel(`express-kaleyra-sms.${name}`);
    /** @type {WeakMap<object, Span>} */
    const spans = new WeakMap();
    channel.start.bindStore(storage, (/** @type {any} */ one) => {
      const span = begin(one);
      spans.set(one, span);
      return trace.setSpan(context.active(), span);
    });
    channel.asyncEnd.subscribe((/** @type {any} */ one) => {
      const span = spans.get(one);
      if (span === undefined) return; // It began before.
      finish(span, one);
      span.end();
    });
  };

  follow(
    "callback",
    () => start("callback", "process", { kind: SpanKind.CONSUMER }),
    (span, /** @type {CallbackTrace} */ { result }) => {
      const outcome = result?.outcome ?? "unauthorized";
      span.setAttributes({ "messaging.kaleyra.outcome": outcome, ...attributesOf(result?.message) });
      // A caller who is turned away is no failure of yours.
      if (["invalid", "failed", "busy"].includes(outcome)) fail(span, result?.problem?.code ?? outcome);
    },
  );
  follow(
    "handler",
    (/** @type {HandlerTrace} */ { event, message, attempt }) => {
      const [, traceId, spanId, flags] = message?.traceparent?.split("-") ?? [];
      // Behind an inbox, nothing waits for the handler: it begins a trace, with a link to the span of its callback.
      const links = traceId && spanId ? [{ context: { traceId, spanId, traceFlags: Number(`0x${flags}`) } }] : [];
      const options = { kind: SpanKind.CONSUMER, root: links.length > 0, links };
      return start(`handle ${event}`, "process", options, message).setAttribute("messaging.kaleyra.attempt", attempt);
    },
    (span, /** @type {HandlerTrace} */ { result, error }) => {
      if (result !== "ok") fail(span, result === "timeout" ? "timeout" : classOf(error));
    },
  );
  follow(
    "inbox.store",
    (/** @type {StoreTrace} */ one) => {
      const { traceId, spanId, traceFlags = 0 } = trace.getSpanContext(context.active()) ?? {};
      one.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
      return start("store", "send", { kind: SpanKind.CLIENT }, one.message);
    },
    (span, /** @type {StoreTrace} */ { result, error }) => {
      if (result === undefined) fail(span, classOf(error));
      else span.setAttribute("messaging.kaleyra.outcome", result);
    },
  );
}

/** The storage of the SDK's context manager, for which OpenTelemetry has no public name yet. */
function storageOfContext() {
  const { _asyncLocalStorage: storage } = /** @type {any} */ (context)._getContextManager();
  if (storage instanceof AsyncLocalStorage) return storage;
  throw new TypeError("traceSms() needs the AsyncLocalStorageContextManager of OpenTelemetry: start the SDK first.");
}

/** @type {(span: Span, type: string) => void} */
function fail(span, type) {
  span.setAttribute("error.type", type).setStatus({ code: SpanStatusCode.ERROR });
}

/** The message of what was thrown may hold what was sent. @type {(error: unknown) => string} */
function classOf(error) {
  try {
    const { name } = Object.getPrototypeOf(error).constructor;
    return error instanceof Error && /^[A-Z]\w{0,60}$/i.test(name) ? name : "_OTHER";
  } catch {
    return "_OTHER";
  }
}
