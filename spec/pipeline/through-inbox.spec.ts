// The router with an inbox that fails: a message that is not stored is never acknowledged.

import { createServer } from "node:http";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { incomingSms, type Inbox, type InboxWork } from "express-kaleyra-sms";
import request from "supertest";

import { callback, post } from "../support/callbacks";
import { until, waitFor } from "../inbox/waiting";
import { closeServers, deferred, recorder } from "../support/recorder";

afterEach(closeServers);

/** An inbox that does nothing, apart from the given methods. */
function inboxWith(given: Partial<Record<keyof Inbox, unknown>>): Inbox {
  return {
    store: () => Promise.resolve("stored"),
    start: () => undefined,
    close: () => Promise.resolve(),
    ...given,
  } as Inbox;
}

describe("a message that is not stored", () => {
  const cause = new Error("disk full: +919876543210");
  const NEVER = new Promise(() => undefined);

  it.each([
    ["store rejects", () => Promise.reject(cause), cause],
    [
      "store throws",
      () => {
        throw cause;
      },
      cause,
    ],
    ["store never settles", () => NEVER, { code: "KALEYRA_SMS_STORE_TIMEOUT" }],
    ["store resolves with undefined", () => Promise.resolve(), expect.any(TypeError)],
    ["store returns a boolean", () => true, expect.any(TypeError)],
  ])("is answered 503 and emits error if %s", async (_case, store, expected) => {
    const { sms, messages, errors, lines } = recorder({ inbox: inboxWith({ store }), storeTimeoutMs: 50 });
    const response = await request(createServer(sms)).post("/").send(callback()).expect(503).expect("Retry-After", "1");
    expect(response.type).toBe("application/problem+json");
    expect(response.body).toMatchObject({ status: 503, code: "not-stored" });
    expect(response.text).not.toContain("919876543210");
    const receipt = await sms.receive(post());
    expect(receipt).toMatchObject({ outcome: "failed", status: 503 });
    expect(errors).toHaveLength(2);
    expect(errors[1]).toMatchObject({
      event: "inbox",
      smsMessage: receipt.message,
      cause: expected,
      attempt: 1,
      final: true,
    });
    expect(messages).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("is answered only after the handlers of error have ended", async () => {
    const { sms } = recorder({ inbox: inboxWith({ store: () => Promise.reject(cause) }) });
    const log: string[] = [];
    const started = deferred();
    const saved = deferred();
    sms.on("error", async () => {
      started.resolve();
      await saved.promise;
      log.push("error handled");
    });
    const receipt = sms.receive(post()).then(({ status }) => log.push(`answered ${status}`));
    await started.promise;
    await new Promise(setImmediate);
    saved.resolve();
    await receipt;
    expect(log).toEqual(["error handled", "answered 503"]);
  });

  it("is never acknowledged, and without a handler of error it is logged without the text of the error", async () => {
    const lines: string[] = [];
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
    const inbox = inboxWith({ store: () => Promise.reject(cause) });
    const sms = incomingSms({ inbox, logger, authenticate: false });
    expect(await sms.receive(post())).toMatchObject({ status: 503 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/The inbox failed: Error at .*\(inbox-failed\)$/);
    expect(lines[0]).not.toContain("919876543210");
  });
});

describe("the signal of store", () => {
  /** A router on an inbox that stores nothing, and the signals that the inbox got. */
  const withSignals = (storeTimeoutMs: number, rejectsWith?: unknown) => {
    const signals: AbortSignal[] = [];
    const store = (_message: unknown, signal: AbortSignal): Promise<never> => {
      signals.push(signal);
      return new Promise((_resolve, reject) => {
        if (rejectsWith !== undefined) signal.addEventListener("abort", () => reject(rejectsWith));
      });
    };
    return { ...recorder({ inbox: inboxWith({ store }), storeTimeoutMs, handlerTimeoutMs: 50 }), signals };
  };

  it("is an AbortSignal that does not abort if the message is stored", async () => {
    const signals: unknown[] = [];
    const store = (_message: unknown, signal: unknown) => (signals.push(signal), Promise.resolve("stored"));
    const { sms } = recorder({ inbox: inboxWith({ store }), storeTimeoutMs: 20 });
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored", status: 200, body: "" });
    await waitFor(40);
    expect(signals[0]).toBeInstanceOf(AbortSignal);
    expect(signals).toMatchObject([{ aborted: false }]);
  });

  it("aborts after storeTimeoutMs, with the error of the event as its reason", async () => {
    const { sms, signals, errors } = withSignals(20);
    const receipt = sms.receive(post());
    expect(signals).toMatchObject([{ aborted: false }]);
    expect(await receipt).toMatchObject({ status: 503 });
    expect(signals).toMatchObject([{ aborted: true, reason: { code: "KALEYRA_SMS_STORE_TIMEOUT" } }]);
    expect(errors[0]?.cause).toBe(signals[0]?.reason);
  });

  it("aborts on closing", async () => {
    const { sms, signals } = withSignals(60_000);
    const receipt = sms.receive(post());
    const closed = sms.close();
    expect(await receipt).toMatchObject({ status: 503 });
    await closed;
    expect(signals).toMatchObject([{ aborted: true }]);
  });

  it("lets the inbox say why it took so long", async () => {
    const cause = new Error("no connection");
    const { sms, errors } = withSignals(20, cause);
    expect(await sms.receive(post())).toMatchObject({ status: 503 });
    expect(errors).toMatchObject([{ cause }]);
  });
});

describe("starting the inbox", () => {
  it("waits for a handler of messages, and for the next turn of the event loop", async () => {
    const started: InboxWork[] = [];
    const inbox = inboxWith({ start: (work: InboxWork) => started.push(work) });
    const sms = incomingSms({ inbox, authenticate: false, concurrency: 3 });
    sms.on("error", () => undefined).on("invalid", () => undefined);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(started).toEqual([]);
    sms.keyword("STOP", () => undefined);
    await Promise.resolve();
    expect(started).toEqual([]);
    await new Promise(setImmediate);
    expect(started).toMatchObject([{ concurrency: 3 }]);
    sms.on("message", () => undefined);
    await new Promise(setImmediate);
    expect(started).toHaveLength(1);
  });

  it.each(["message", "keyword", "unmatched"] as const)("needs only a handler of %s", async (event) => {
    const started: InboxWork[] = [];
    const inbox = inboxWith({ start: (work: InboxWork) => started.push(work) });
    const sms = incomingSms({ inbox, authenticate: false });
    sms.on(event, () => undefined);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(started).toHaveLength(1);
  });

  it("does not happen with concurrency 0, or after closing", async () => {
    const started: InboxWork[] = [];
    const start = (work: InboxWork): unknown => started.push(work);
    recorder({ inbox: inboxWith({ start }), concurrency: 0 });
    const { sms } = recorder({ inbox: inboxWith({ start }) });
    await sms.close();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(started).toEqual([]);
  });

  it("emits error if it fails", async () => {
    const cause = new Error("no");
    const start = (): void => {
      throw cause;
    };
    const { errors } = recorder({ inbox: inboxWith({ start }) });
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(errors).toMatchObject([{ event: "inbox", cause, attempt: 1, final: false }]);
    expect(errors[0]?.smsMessage).toBe(undefined);
  });
});

describe("closing", () => {
  it("closes the inbox after all messages are stored, and waits until it is closed", async () => {
    const log: string[] = [];
    const storing = deferred<string>();
    const closed = deferred();
    const inbox = inboxWith({
      store: () => storing.promise,
      close: () => {
        log.push("close begins");
        return closed.promise;
      },
    });
    const { sms } = recorder({ inbox });
    const receipt = sms.receive(post());
    const closing = sms.close().then(() => log.push("closed"));
    await new Promise(setImmediate);
    expect(log).toEqual([]);
    log.push("stored");
    storing.resolve("stored");
    expect(await receipt).toMatchObject({ outcome: "stored" });
    await new Promise(setImmediate);
    closed.resolve();
    await closing;
    expect(log).toEqual(["stored", "close begins", "closed"]);
  });

  it("ends even if the inbox never settles", async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const { sms } = recorder({
      inbox: inboxWith({ store: never, close: never }),
      handlerTimeoutMs: 50,
      storeTimeoutMs: 40,
    });
    const receipt = sms.receive(post());
    await sms.close();
    expect(await receipt).toMatchObject({ status: 503 });
  });
});

it.each<[string, () => Promise<never>, unknown]>([
  ["rejects", () => Promise.reject(new Error("away")), new Error("away")],
  ["does not answer", () => new Promise<never>(() => undefined), { code: "KALEYRA_SMS_INBOX_FAILED" }],
])("says once in each outage that the inbox of a process without callbacks %s", async (_how, fail, cause) => {
  const counts = { waiting: 0, running: 0, delayed: 0, dead: 0, oldestWaitingMs: 0 };
  let isAway = true;
  let asked = 0;
  const stats = (): Promise<object> => (asked++, isAway ? fail() : Promise.resolve(counts));
  const { sms, errors } = recorder({ inbox: inboxWith({ stats, leaseMs: 150 }), concurrency: 0 });
  for (const outage of [1, 2]) {
    isAway = true;
    const before = asked;
    await until(() => asked > before + 3);
    expect(errors).toHaveLength(outage);
    expect(errors.at(-1)).toMatchObject({ event: "inbox", smsMessage: undefined, cause });
    isAway = false;
    await until(() => sms.health().ready);
  }
  await sms.close();
});

it("begins nothing after the draining, and closes the inbox although a callback does not end", async () => {
  let work: InboxWork | undefined;
  const closed: string[] = [];
  let isHanging = false;
  const inbox = inboxWith({
    store: () => (isHanging ? new Promise(() => undefined) : Promise.resolve("stored")),
    start: (given: InboxWork) => void (work = given),
    close: () => Promise.resolve(closed.push("inbox")),
  });
  const { sms, messages } = recorder({ inbox, handlerTimeoutMs: 300, storeTimeoutMs: 10_000 });
  const { message } = await sms.receive(post());
  await until(() => work !== undefined);
  isHanging = true;
  const answered = sms.receive(post({ id: "hangs" }));
  const closing = sms.close();
  if (work === undefined || message === undefined) throw new Error("The inbox was not started.");
  let isGivenBack = false;
  // An inbox that got it back at once would hand it out again at once, for as long as it is not closed.
  const outcome = Promise.resolve(work.handle(message, { attempt: 1, final: false })).then((released) => {
    isGivenBack = true;
    return released;
  });
  await new Promise(setImmediate);
  expect([isGivenBack, closed]).toEqual([false, []]);
  await closing;
  expect(closed).toEqual(["inbox"]);
  expect(await outcome).toEqual({ outcome: "released" });
  expect((await answered).status).toBe(503);
  expect(messages).toEqual([]);
});

it("throws if another router already uses the inbox", () => {
  const inbox = inboxWith({});
  recorder({ inbox });
  expect(() => recorder({ inbox })).toThrow("options.inbox is in use by another router");
});

it("throws if a router of another copy of the package already uses the inbox", () => {
  const inbox = inboxWith({});
  recorder({ inbox });
  jest.isolateModules(() => {
    const copy = jest.requireActual<{ incomingSms: typeof incomingSms }>("express-kaleyra-sms");
    expect(copy.incomingSms).not.toBe(incomingSms);
    expect(() => copy.incomingSms({ inbox, authenticate: false })).toThrow("options.inbox is in use by another router");
  });
});

it.each([
  ["deduplicate", { inbox: inboxWith({}), deduplicate: false }, "options.deduplicate goes without options.inbox"],
  [
    "acknowledgeFailures",
    { inbox: inboxWith({}), acknowledgeFailures: true },
    "options.acknowledgeFailures goes without options.inbox",
  ],
  ["concurrency", { concurrency: 1 }, "options.concurrency goes with options.inbox"],
  ["describeFailure", { describeFailure: String }, "options.describeFailure goes with options.inbox"],
  ["storeTimeoutMs", { storeTimeoutMs: 1 }, "options.storeTimeoutMs goes with options.inbox"],
] as const)("throws if %s does not fit the other options", (_name, options, text) => {
  expect(() => recorder(options)).toThrow(TypeError);
  expect(() => recorder(options)).toThrow(text);
});
