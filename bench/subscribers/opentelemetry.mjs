// Makes the spans of docs/opentelemetry.mjs, and exports them nowhere.

import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

import { traceSms } from "../../docs/opentelemetry.mjs";

const SUCCESS = { code: 0 };
const exporter = { export: (_spans, done) => done(SUCCESS), shutdown: () => Promise.resolve() };

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }));
traceSms();
