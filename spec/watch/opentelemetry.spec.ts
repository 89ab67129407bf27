// docs/opentelemetry.mjs, as docs/tracing.md says to use it: the spans that it makes, in processes of their own.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "@jest/globals";
import type { Inbox } from "express-kaleyra-sms";
import ts from "typescript";

import { callback, post } from "../support/callbacks";
import { recorder } from "../support/recorder";
import { temporary } from "../inbox/temporary";
import { published, tracesOf } from "./traces";

const ROOT = join(__dirname, "..", "..");
const PAGE = readFileSync(join(ROOT, "docs", "tracing.md"), "utf8");

const SOURCE = "919876500001";
const TEXT = "SECRET from a subscriber";
const NUMBER = "+919812345678";
const sample = (fields: Record<string, unknown> = {}): Record<string, unknown> =>
  callback({ source: SOURCE, recipient: NUMBER, message: TEXT, keyword: "TYPED", ...fields });

const KINDS = ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const ERROR = 2;

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly id: string;
  readonly trace: string;
  readonly parent?: string;
  readonly links: ReadonlyArray<readonly [trace: string, span: string]>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message?: string };
  readonly events: readonly unknown[];
}

interface Traced {
  readonly spans: readonly Span[];
  readonly statuses?: readonly number[];
}

/** How the page says to start it, with an SDK that keeps spans in memory. */
const [, START = ""] = /^```js\n(\/\/ instrumentation[^]*?)^```$/m.exec(PAGE) ?? [];
const PRELUDE = `
  ${START.replace("{ NodeSDK }", "{ MemorySDK as NodeSDK, print }").replace("@opentelemetry/sdk-node", "./spec/watch/traced.mjs").replace("./opentelemetry.mjs", "./docs/opentelemetry.mjs")}
  import { createServer } from "node:http";
  import { setTimeout } from "node:timers/promises";
  import { SpanKind, trace } from "@opentelemetry/api";
  import { incomingSms } from "express-kaleyra-sms";
  import { sqliteInbox } from "express-kaleyra-sms/sqlite";
  const quiet = { authenticate: false, logger: { warn() {}, error() {} } };
  const tracer = trace.getTracer("app");
`;

/** Runs code in a process of its own, and returns the spans that it prints. None of them holds what was sent. */
async function run(code: string): Promise<Traced> {
  const args = ["--no-warnings", "--input-type=module", "-e", PRELUDE + code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  for (const sent of [SOURCE, "SECRET", "TYPED"]) expect(stdout).not.toContain(sent);
  return JSON.parse(stdout) as Traced;
}

const named = ({ spans }: Traced, name: string): Span => {
  const [found, ...more] = spans.filter((span) => span.name === name);
  if (found === undefined || more.length > 0) throw new Error(`There must be one span "${name}".`);
  return found;
};

describe("the spans of OpenTelemetry", () => {
  it("nest in that of the HTTP request, without an inbox, as what a handler does nests in its own", async () => {
    const traced = await run(`
      const sms = incomingSms(quiet);
      sms.keyword("SECRET", async () => {
        await setTimeout(1);
        tracer.startSpan("a query").end();
      });
      sms.on("message", () => tracer.startSpan("an API").end());
      const server = createServer((req, res) =>
        tracer.startActiveSpan("POST", { kind: SpanKind.SERVER }, (span) => {
          res.on("close", () => span.end());
          sms(req, res);
        }),
      ).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const body = ReadableStream.from(${JSON.stringify(Array.from(JSON.stringify(sample({ id: "an-id" })).match(/.{1,60}/g) ?? []))}.map((text) => Buffer.from(text)));
      await fetch("http://127.0.0.1:" + server.address().port, { method: "POST", body, duplex: "half" });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      print();`);
    const span = (name: string): Span => named(traced, name);
    const callback = span("callback");
    expect(traced.spans.map(({ name }) => name).sort()).toEqual(
      ["POST", "callback", "handle keyword", "handle message", "a query", "an API"].sort(),
    );
    expect(new Set(traced.spans.map(({ trace }) => trace)).size).toBe(1);
    expect(callback.parent).toBe(span("POST").id);
    for (const [name, child] of [
      ["handle keyword", "a query"],
      ["handle message", "an API"],
    ] as const) {
      expect(span(name)).toMatchObject({ parent: callback.id, links: [] });
      expect(span(child).parent).toBe(span(name).id);
      expect(span(name).attributes).toEqual({
        "messaging.system": "kaleyra",
        "messaging.operation.name": name,
        "messaging.operation.type": "process",
        "messaging.message.id": "an-id",
        "messaging.destination.name": NUMBER,
        "messaging.kaleyra.attempt": 1,
      });
    }
    expect(callback.attributes).toEqual({
      "messaging.system": "kaleyra",
      "messaging.operation.name": "callback",
      "messaging.operation.type": "process",
      "messaging.message.id": "an-id",
      "messaging.destination.name": NUMBER,
      "messaging.kaleyra.outcome": "handled",
    });
    expect(["callback", "handle keyword"].map((name) => KINDS[span(name).kind])).toEqual(["CONSUMER", "CONSUMER"]);
  });

  it("name what failed by its class or its code, and hold no text of it", async () => {
    const send = (fields: Record<string, unknown>): string =>
      `await sms.receive({ method: "POST", body: ${JSON.stringify(sample(fields))} });`;
    const { spans } = await run(`
      class OutOfStock extends Error {}
      const sms = incomingSms({ ...quiet, handlerTimeoutMs: 20 });
      const text = ${JSON.stringify(`${TEXT} ${SOURCE}`)};
      const hostile = new Proxy({}, { getPrototypeOf() { throw new Error(text); } });
      const failures = {
        a: () => { throw Object.assign(new OutOfStock(text), { code: text }); },
        b: () => Promise.reject(new TypeError(text)),
        c: () => Promise.reject(text),
        d: () => { throw hostile; },
        e: () => new Promise(() => undefined),
        f: () => undefined,
      };
      sms.on("message", ({ id }) => failures[id]());
      ${["a", "b", "c", "d", "e", "f"].map((id) => send({ id, source: `${SOURCE}${id}`, recipient: SOURCE })).join("\n")}
      ${send({ id: "g", status: TEXT })}
      const closed = incomingSms({ ...quiet, authenticate: { header: "X-Token", value: text } });
      await closed.fetch(new Request("http://127.0.0.1/?message=" + encodeURIComponent(text)));
      await closed.close();
      await closed.receive({ method: "POST", body: text });
      print();`);
    const seen = spans.map(({ name, attributes, status }) => [
      name,
      attributes["messaging.kaleyra.outcome"],
      attributes["error.type"],
      status.code === ERROR,
    ]);
    const failed = (type: string): unknown[][] => [
      ["handle message", undefined, type, true],
      ["callback", "failed", "failed", true],
    ];
    expect(seen).toEqual([
      ...["OutOfStock", "TypeError", "_OTHER", "_OTHER", "timeout"].flatMap(failed),
      ["handle message", undefined, undefined, false],
      ["callback", "handled", undefined, false],
      ["callback", "invalid", "schema", true],
      ["callback", "unauthorized", undefined, false],
      ["callback", "busy", "busy", true],
    ]);
    expect(spans.flatMap(({ events, status }) => [...events, status.message ?? []].flat())).toEqual([]);
    expect(spans.filter(({ attributes }) => "messaging.destination.name" in attributes)).toEqual([]);
  });

  it("link handlers behind an inbox to their callback, which another process has received", async () => {
    const file = JSON.stringify(temporary());
    const receiver = await run(`
      const sms = incomingSms({ ...quiet, inbox: sqliteInbox({ file: ${file} }), concurrency: 0 });
      await tracer.startActiveSpan("POST", async (span) => {
        await sms.receive({ method: "POST", body: ${JSON.stringify(sample({ id: "an-id" }))} });
        await sms.receive({ method: "POST", body: ${JSON.stringify(sample({ id: "an-id" }))} });
        span.end();
      });
      await sms.close();
      print();`);
    const worker = await run(`
      const sms = await tracer.startActiveSpan("start", async (span) => {
        span.end();
        return incomingSms({ ...quiet, inbox: sqliteInbox({ file: ${file}, attempts: 2, backoffMs: 1 }) });
      });
      await new Promise((resolve) => {
        sms.on("message", async ({ text }) => {
          await setTimeout(1);
          tracer.startSpan("a query").end();
          throw new RangeError(text);
        });
        sms.on("error", ({ final }) => { if (final) resolve(); });
      });
      await sms.close();
      print();`);
    const callbacks = receiver.spans.filter(({ name }) => name === "callback");
    const stores = receiver.spans.filter(({ name }) => name === "store");
    expect(stores.map(({ parent }) => parent)).toEqual(callbacks.map(({ id }) => id));
    expect(new Set(callbacks.map(({ parent }) => parent))).toEqual(new Set([named(receiver, "POST").id]));
    expect(stores.map(({ attributes }) => attributes["messaging.kaleyra.outcome"])).toEqual(["stored", "duplicate"]);
    expect(stores[0]).toMatchObject({
      kind: KINDS.indexOf("CLIENT"),
      attributes: {
        "messaging.operation.type": "send",
        "messaging.message.id": "an-id",
        "messaging.destination.name": NUMBER,
      },
    });

    const handlers = worker.spans.filter(({ name }) => name.startsWith("handle "));
    expect(handlers.map(({ name, attributes }) => [name, attributes["messaging.kaleyra.attempt"]])).toEqual([
      ["handle message", 1],
      ["handle error", 1],
      ["handle message", 2],
      ["handle error", 1],
    ]);
    const [first] = callbacks;
    const queries = worker.spans.filter(({ name }) => name === "a query");
    expect(queries.map(({ parent }) => parent)).toEqual([handlers[0]?.id, handlers[2]?.id]);
    for (const { parent, links } of handlers) expect([parent, links]).toEqual([undefined, [[first?.trace, first?.id]]]);
    const traces = [first, ...handlers].map((span) => span?.trace);
    expect(new Set(traces).size).toBe(traces.length);
    expect(handlers.map(({ attributes }) => attributes["error.type"])).toEqual([
      "RangeError",
      undefined,
      "RangeError",
      undefined,
    ]);
  });

  it("need an SDK that has started", async () => {
    const code =
      'import("./docs/opentelemetry.mjs").then(({ traceSms }) => traceSms()).catch(({ name }) => console.log(name))';
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", code], { cwd: ROOT });
    expect(stdout).toBe("TypeError\n");
  });
});

it("docs/opentelemetry.mjs compiles against the types of the package", () => {
  const program = ts.createProgram([join(ROOT, "docs", "opentelemetry.mjs")], {
    allowJs: true,
    checkJs: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
  });
  const found = ts.getPreEmitDiagnostics(program).map((one) => ts.flattenDiagnosticMessageText(one.messageText, "\n"));
  expect(found).toEqual([]);
}, 60_000);

it("docs/tracing.md names every property that is published", async () => {
  const tableOf = (name: string): string[] => {
    const [, table = ""] =
      new RegExp(`^\`express-kaleyra-sms\\.${name}\`: .*\\n\\n((?:\\|.*\\n)+)`, "m").exec(PAGE) ?? [];
    return Array.from(table.matchAll(/^\| `(\w+)`/gm), ([, property = ""]) => property).sort();
  };
  const all = published();
  const inbox: Inbox = {
    store: () => Promise.reject(new Error("full")),
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const { sms } = recorder({ inbox });
  await sms.receive(post());
  await sms.close();
  const plain = recorder();
  plain.sms.on("message", () => Promise.reject(new Error("no")));
  await plain.sms.receive(post());
  const keysOf = (name: "callback" | "handler" | "inbox.store"): string[] =>
    [...new Set(tracesOf(all, name).flatMap((trace) => Object.keys(trace)))].sort();
  expect(keysOf("callback")).toEqual(tableOf("callback"));
  expect(keysOf("handler")).toEqual(tableOf("handler"));
  expect([...keysOf("inbox.store"), "result", "traceparent"].sort()).toEqual(tableOf("inbox.store"));
});
