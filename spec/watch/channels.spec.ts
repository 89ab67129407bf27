// The tracing channels: what is published of callbacks, handlers and stores, in which order, and by which router.

import { describe, expect, it } from "@jest/globals";
import { incomingSms, type Inbox, type IncomingSms } from "express-kaleyra-sms";
import { memoryInbox, settled } from "express-kaleyra-sms/testing";

import { callback, post } from "../support/callbacks";
import { closeServers, deferred, listen, recorder } from "../support/recorder";
import { ended } from "../inbox/temporary";
import { momentsOf, momentsOfEach, published, subscribe, tracesOf, WHOLE } from "./traces";

const body = (): string => JSON.stringify(callback());
const query = (): string => new URLSearchParams(callback() as Record<string, string>).toString();
const HTTP = "http://127.0.0.1";
const JSON_TYPE = { "content-type": "application/json" };

async function served(sms: IncomingSms): Promise<string> {
  ended.push(closeServers);
  return `${HTTP}:${await listen(sms)}/`;
}

type Send = (sms: IncomingSms) => Promise<unknown>;

/** Every way that a callback comes. */
const WAYS: ReadonlyArray<readonly [way: string, method: "GET" | "POST", send: Send]> = [
  ["by HTTP", "POST", async (sms) => fetch(await served(sms), { method: "POST", headers: JSON_TYPE, body: body() })],
  ["by HTTP", "GET", async (sms) => fetch(`${await served(sms)}?${query()}`)],
  ["to receive", "POST", (sms) => sms.receive({ method: "POST", body: body() })],
  ["to receive", "GET", (sms) => sms.receive({ method: "GET", query: query() })],
  ["to fetch", "POST", (sms) => sms.fetch(new Request(HTTP, { method: "POST", headers: JSON_TYPE, body: body() }))],
  ["to fetch", "GET", (sms) => sms.fetch(new Request(`${HTTP}?${query()}`))],
];

const HANDLERS: ReadonlyArray<readonly [kind: string, handler: () => unknown]> = [
  ["a synchronous", () => undefined],
  ["an asynchronous", () => new Promise(setImmediate)],
];

/** A callback is answered before the last of it is published. */
const asyncEndOf = async (send: () => Promise<unknown>): Promise<void> => {
  const last = deferred();
  subscribe("callback", "asyncEnd", () => last.resolve());
  await send();
  await last.promise;
};

describe.each(HANDLERS)("the channels, with %s handler,", (kind, handler) => {
  it.each(WAYS)("publish a callback %s by %s, and its handlers within it", async (_way, method, send) => {
    const { sms } = recorder();
    sms.on("message", handler);
    const all = published();
    await asyncEndOf(() => send(sms));
    expect(momentsOfEach(all)).toEqual([WHOLE("callback"), WHOLE("handler"), WHOLE("handler")]);
    expect([all[0], all.at(-1)]).toMatchObject([
      { name: "callback", moment: "start" },
      { name: "callback", moment: "asyncEnd" },
    ]);
    if (kind === "a synchronous" && method === "GET")
      expect(momentsOf(all)).toEqual([
        "callback.start",
        ...[1, 2].flatMap(() => WHOLE("handler")),
        ...WHOLE("callback").slice(1),
      ]);
    const [trace] = tracesOf(all, "callback");
    expect(trace).toMatchObject({ router: sms, method, result: { outcome: "handled", status: 200 } });
    const message = trace?.result?.message;
    expect(tracesOf(all, "handler")).toEqual(
      ["message", "message"].map((event) => ({
        router: sms,
        event,
        payload: message,
        message,
        attempt: 1,
        final: true,
        result: "ok",
      })),
    );
  });
});

it("the channels publish the result of a callback only when it has one", async () => {
  const seen: unknown[] = [];
  for (const moment of ["start", "end"] as const)
    subscribe("callback", moment, (trace) => seen.push("result" in trace));
  for (const moment of ["asyncStart", "asyncEnd"] as const)
    subscribe("callback", moment, ({ result }) => seen.push(result?.status));
  const { sms } = recorder();
  sms.on("message", () => new Promise(setImmediate));
  await sms.receive(post());
  expect(seen).toEqual([false, false, 200, 200]);
});

it("the channels publish what handlers of keywords, invalid, unauthorized, busy, duplicate and error get", async () => {
  const { sms, keywords, invalid, unauthorized, duplicates, busy, errors } = recorder({
    authenticate: { header: "X-Token", value: "secret" },
    maxInFlight: 4,
  });
  const wait = deferred();
  sms.keyword("STOP", () => undefined);
  sms.on("message", ({ text }) => {
    if (text === "fails") throw new Error("no");
    return text === "waits" ? wait.promise : undefined;
  });
  const all = published();
  const stop = post({ message: "STOP" });
  await sms.receive(stop);
  await sms.receive(stop);
  await sms.receive({ method: "POST", body: "{" });
  await sms.fetch(new Request(HTTP));
  await sms.receive(post({ message: "fails" }));
  const waiting = sms.receive(post({ message: "waits" }));
  await sms.receive(post());
  wait.resolve();
  await waiting;
  const of = (event: string) => tracesOf(all, "handler").filter((trace) => trace.event === event);
  expect(of("keyword").map(({ payload, message }) => [payload, message])).toEqual(
    [keywords[0], keywords[0]].map((match) => [match, match?.message]),
  );
  expect(of("duplicate")).toMatchObject([{ payload: duplicates[0], message: duplicates[0] }]);
  expect(of("invalid")).toMatchObject([{ payload: invalid[0], message: undefined }]);
  expect(of("unauthorized")).toMatchObject([{ payload: unauthorized[0], message: undefined }]);
  expect(of("busy")).toMatchObject([{ payload: busy[0], message: busy[0]?.message }]);
  expect(of("error")).toMatchObject([{ payload: errors[0], message: errors[0]?.smsMessage }]);
  const results = tracesOf(all, "callback").map(({ result }) => result?.outcome ?? result?.unauthorized?.code);
  expect(results).toEqual(["handled", "duplicate", "invalid", "missing", "failed", "handled", "busy"]);
  expect(new Set(momentsOfEach(all).map((moments) => moments.filter((one) => !one.endsWith(".error")).length))).toEqual(
    new Set([4]),
  );
});

describe("a handler that fails", () => {
  const cause = new Error("no");
  const fails = async (handler: () => unknown) => {
    const sms = incomingSms({ authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    sms.on("message", handler);
    const all = published(["handler"]);
    expect(await sms.receive(post())).toMatchObject({ outcome: "failed" });
    return { moments: momentsOf(all).map((one) => one.replace("handler.", "")), trace: all[0]?.trace };
  };

  it.each([cause, "a text", undefined])("by throwing %p is published as an error before its end", async (thrown) => {
    const { moments, trace } = await fails(() => {
      throw thrown;
    });
    expect(moments).toEqual(["start", "error", "end", "asyncStart", "asyncEnd"]);
    expect(trace).toMatchObject({ result: "error", error: thrown });
  });

  it.each([cause, "a text", undefined])("by rejecting with %p is published as an error after it", async (thrown) => {
    const { moments, trace } = await fails(() => Promise.reject(thrown));
    expect(moments).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
    expect(trace).toMatchObject({ result: "error", error: thrown });
  });

  it("by its time limit is published once, and nothing more when it ends after all", async () => {
    const finish = deferred();
    const { sms } = recorder({ handlerTimeoutMs: 20 });
    sms.on("message", () => finish.promise);
    const all = published();
    const sent = post();
    expect(await sms.receive(sent)).toMatchObject({ outcome: "failed" });
    const late = tracesOf(all, "handler").find(({ result }) => result === "timeout");
    const moments = (): string[] => momentsOf(all.filter(({ trace }) => trace === late));
    const whole = ["start", "end", "error", "asyncStart", "asyncEnd"].map((one) => `handler.${one}`);
    expect([late?.error, moments()]).toEqual([expect.objectContaining({ code: "KALEYRA_SMS_HANDLER_TIMEOUT" }), whole]);
    // The duplicate ends as the late handler does.
    const again = sms.receive(sent);
    finish.resolve();
    expect(await again).toMatchObject({ outcome: "duplicate" });
    expect([late?.result, moments()]).toEqual(["timeout", whole]);
  });
});

describe("the channels, behind an inbox,", () => {
  it("publish the store within its callback, and each attempt of a handler after it", async () => {
    const inbox = memoryInbox({ attempts: 2, backoffMs: 1_000 });
    const { sms } = recorder({ inbox });
    sms.keyword("FAIL", () => Promise.reject(new Error("no")));
    const all = published();
    const sent = post({ message: "FAIL" });
    const { message } = await sms.receive(sent);
    expect(momentsOf(all)).toEqual([
      ...["callback.start", "inbox.store.start", "inbox.store.end", "callback.end"],
      ...["inbox.store.asyncStart", "inbox.store.asyncEnd", "callback.asyncStart", "callback.asyncEnd"],
    ]);
    await settled(sms);
    await inbox.advance(1_000);
    await sms.receive(sent);
    expect(tracesOf(all, "inbox.store")).toEqual(
      ["stored", "stored"].map((result) => ({
        router: sms,
        message: { ...message, receivedAt: expect.any(String) },
        result,
      })),
    );
    const failed = tracesOf(all, "handler").filter(({ result }) => result === "error");
    expect(failed).toMatchObject([
      { event: "keyword", message, attempt: 1, final: false },
      { event: "keyword", message, attempt: 2, final: true },
    ]);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
    expect(tracesOf(all, "inbox.store").at(-1)).toMatchObject({ result: "duplicate" });
    await sms.close();
  });

  const NEVER = new Promise<never>(() => undefined);
  it.each([
    ["rejects", () => Promise.reject(new Error("full")), { message: "full" }],
    ["gives neither result", () => Promise.resolve("yes"), { code: "KALEYRA_SMS_INBOX_CONTRACT" }],
    ["takes too long", () => NEVER, { code: "KALEYRA_SMS_STORE_TIMEOUT" }],
  ] as const)("publish the error of a store that %s", async (_how, store, error) => {
    const inbox = { store, start: () => Promise.resolve(), close: () => Promise.resolve() } as unknown as Inbox;
    const { sms } = recorder({ inbox, storeTimeoutMs: 20 });
    const all = published(["inbox.store"]);
    const { message } = await sms.receive(post());
    expect(momentsOf(all).map((one) => one.replace("inbox.store.", ""))).toEqual([
      "start",
      "end",
      "error",
      "asyncStart",
      "asyncEnd",
    ]);
    expect(all[0]?.trace).toEqual({ router: sms, message, error: expect.objectContaining(error) });
    await sms.close();
  });
});

const failingStore = (): Inbox => ({
  store: () => Promise.reject(new Error("full")),
  start: () => undefined,
  close: () => Promise.resolve(),
});

describe("a subscriber of one moment alone", () => {
  const MOMENTS = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;

  it.each(MOMENTS)("gets what is published of a handler that fails: %s", async (moment) => {
    const seen: unknown[] = [];
    subscribe("handler", moment, ({ event }) => seen.push(event));
    const sms = incomingSms({ authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    sms.on("message", () => Promise.reject(new Error("no")));
    await sms.receive(post());
    expect(seen).toEqual(["message"]);
  });

  it.each(MOMENTS)("gets what is published of a store that fails: %s", async (moment) => {
    const seen: unknown[] = [];
    subscribe("inbox.store", moment, ({ message }) => seen.push(message.text));
    const { sms } = recorder({ inbox: failingStore() });
    await sms.receive(post());
    expect(seen).toEqual(["hello"]);
    await sms.close();
  });

  it.each(MOMENTS.filter((moment) => moment !== "error"))(
    "gets what is published of a callback: %s",
    async (moment) => {
      const seen: unknown[] = [];
      subscribe("callback", moment, ({ method }) => seen.push(method));
      await recorder().sms.receive(post());
      expect(seen).toEqual(["POST"]);
    },
  );
});

describe.each(["start", "end"] as const)("a subscriber of %s that freezes what is published", (moment) => {
  const freeze = (): void => {
    for (const name of ["callback", "handler", "inbox.store"] as const) subscribe(name, moment, Object.freeze);
  };

  it.each(HANDLERS)("costs no callback with %s handler, and no event", async (_kind, handler) => {
    freeze();
    const { sms, messages, invalid, errors } = recorder();
    sms.on("message", handler);
    expect(await sms.receive(post())).toMatchObject({ outcome: "handled", status: 200 });
    expect(await sms.receive({ method: "POST", body: "{" })).toMatchObject({ outcome: "invalid", status: 400 });
    const url = await served(sms);
    expect((await fetch(url, { method: "POST", headers: JSON_TYPE, body: body() })).status).toBe(200);
    expect((await sms.fetch(new Request(`${HTTP}?${query()}`))).status).toBe(200);
    expect([messages.length, invalid.length, errors.length]).toEqual([3, 1, 0]);
  });

  it("costs no handler's error", async () => {
    freeze();
    const { sms, errors } = recorder();
    sms.on("message", () => Promise.reject(new Error("no")));
    expect(await sms.receive(post())).toMatchObject({ outcome: "failed", status: 500 });
    expect(errors).toMatchObject([{ event: "message", cause: { message: "no" } }]);
  });

  it("costs no store, whether it succeeds or fails", async () => {
    freeze();
    const inbox = memoryInbox();
    const stores = recorder({ inbox });
    expect(await stores.sms.receive(post())).toMatchObject({ outcome: "stored", status: 200 });
    await settled(stores.sms);
    expect([stores.messages.length, stores.errors.length]).toEqual([1, 0]);
    const fails = recorder({ inbox: failingStore() });
    expect(await fails.sms.receive(post())).toMatchObject({ outcome: "failed", status: 503 });
    expect(fails.errors).toMatchObject([{ event: "inbox", cause: { message: "full" } }]);
    await Promise.all([stores.sms.close(), fails.sms.close()]);
  });
});

it("the channels name the router of each of several", async () => {
  const all = published();
  const routers = [recorder().sms, recorder().sms];
  const ids = await Promise.all(
    routers.map(async (sms) => {
      sms.on("message", () => new Promise(setImmediate));
      return (await sms.receive(post())).message?.id;
    }),
  );
  const seen = (sms: IncomingSms): Set<string | undefined> =>
    new Set(tracesOf(all, "handler").flatMap(({ router, message }) => (router === sms ? [message?.id] : [])));
  expect(routers.map(seen)).toEqual(ids.map((id) => new Set([id])));
  expect(tracesOf(all, "callback").map(({ router }) => router)).toEqual(routers);
});
