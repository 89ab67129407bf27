// For processes that specs start: an OpenTelemetry SDK that keeps spans in memory, and prints them.

import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const exporter = new InMemorySpanExporter();

/** In the place of `NodeSDK`. */
export class MemorySDK {
  start() {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  }
}

/** Prints the spans that have ended, and whatever else is given. */
export function print(more = {}) {
  const spans = exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    kind: span.kind,
    id: span.spanContext().spanId,
    trace: span.spanContext().traceId,
    parent: span.parentSpanContext?.spanId,
    links: span.links.map((link) => [link.context.traceId, link.context.spanId]),
    attributes: span.attributes,
    status: span.status,
    events: span.events,
  }));
  console.log(JSON.stringify({ spans, ...more }));
}
