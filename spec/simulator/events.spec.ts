// The event stream of the simulator: what is observed of the router, in which shape, and what a late page gets.

import { afterEach, describe, expect, it } from "@jest/globals";
import { callbackProfile, incomingSms, type Inbox } from "express-kaleyra-sms";
import { simulator } from "express-kaleyra-sms/simulator";
import { memoryInbox } from "express-kaleyra-sms/testing";
import express from "express";

import { callback, post as receivable } from "../support/callbacks";
import { freePort } from "../support/free-port";
import { closeServers, deferred, listen, recorder, type SomeOptions } from "../support/recorder";
import { recordWarnings } from "../support/warnings";
import { app, appOf, closeStreams, openStream, post, type StreamedEvent } from "./support";

const warnings = recordWarnings();
afterEach(async () => {
  closeStreams();
  await closeServers();
});

const named = (name: string) => (event: StreamedEvent) => event.name === name;
const dataOf = (events: readonly StreamedEvent[], name: string): unknown[] =>
  events.filter(named(name)).map(({ data }) => data);

describe("a stream", () => {
  it("begins with what the page must know", async () => {
    const { port } = await app({ escaping: "none" }, { target: "/sms?token=canary", headers: { "X-Token": "canary" } });
    const stream = await openStream(port);
    const [hello] = await stream.until(named("hello"));
    expect(hello?.data).toEqual({
      target: "/sms",
      hasRouter: true,
      methods: ["GET", "POST"],
      escaped: false,
      headers: ["X-Token"],
    });
    expect(stream.text()).toMatch(/^retry: \d+\nevent: hello\n/);
    expect(stream.text()).not.toContain("canary");
    expect(stream.headers).toMatchObject({ "content-type": "text/event-stream; charset=utf-8" });
  });

  it("names the methods that the router accepts", async () => {
    const { port } = await app({
      profile: callbackProfile({ method: "POST", url: "https://a.test/", headers: { "X-A": "b" } }),
    });
    const [hello] = await (await openStream(port)).until(named("hello"));
    expect(hello?.data).toMatchObject({ methods: ["POST"], headers: ["X-A"] });
  });

  it("brings each callback with its fields and its answer, and each handler with its time", async () => {
    const { port, sms } = await app();
    sms.keyword("JOIN", async () => Promise.resolve());
    const stream = await openStream(port);
    await post(port, "/simulator/send", { text: "join gold" });
    const events = await stream.until(named("callback"));
    const durationMs: unknown = expect.any(Number);
    expect(dataOf(events, "callback")).toMatchObject([
      {
        outcome: "handled",
        status: 200,
        body: "",
        method: "POST",
        durationMs,
        message: {
          text: "join gold",
          source: "+919876543210",
          fields: { message: "join gold", source: "919876543210" },
        },
      },
    ]);
    expect(dataOf(events, "handler")).toMatchObject([
      { event: "message", result: "ok", durationMs, attempt: 1, final: true },
      { event: "keyword", keyword: "JOIN", by: "text", result: "ok" },
      { event: "keyword", keyword: "JOIN", by: "text", result: "ok" },
    ]);
  });

  it("brings what handlers throw, and that they took too long", async () => {
    const { port, sms } = await app({ handlerTimeoutMs: 20 });
    const never = deferred();
    sms.keyword("FAIL", () => {
      throw new RangeError("the database is full");
    });
    sms.keyword("REJECT", () => Promise.reject(new TypeError("no such table")));
    sms.keyword("SLOW", () => never.promise);
    const stream = await openStream(port);
    for (const text of ["FAIL", "REJECT", "SLOW"]) await post(port, "/simulator/send", { text, id: text });
    const events = await stream.until(({ data }) => data.result === "timeout");
    const failed = dataOf(events, "handler").filter((data) => (data as { result: string }).result !== "ok");
    expect(failed).toMatchObject([
      { keyword: "FAIL", result: "error", error: expect.stringMatching(/^RangeError at .*: the database is full$/) },
      { keyword: "REJECT", result: "error", error: expect.stringContaining("no such table") },
      { keyword: "SLOW", result: "timeout" },
    ]);
    never.resolve();
  });

  it("brings callbacks that came by another way than the page", async () => {
    const { port, sms } = await app();
    const stream = await openStream(port);
    await sms.receive(receivable({ message: "by receive" }));
    await sms.fetch(
      new Request("http://a.test/sms", { method: "POST", body: JSON.stringify(callback({ message: "by fetch" })) }),
    );
    const events = await stream.until(
      ({ data }) => (data.message as { text?: string } | undefined)?.text === "by fetch",
    );
    expect(dataOf(events, "callback")).toMatchObject([
      { message: { text: "by receive" } },
      { message: { text: "by fetch" } },
    ]);
  });

  it("says why a caller was not authorized, and that a router was busy", async () => {
    const { port, sms } = await app({ authenticate: { header: "X-Token", value: "right" } });
    const stream = await openStream(port);
    await post(port, "/simulator/send");
    const events = await stream.until(named("callback"));
    expect(dataOf(events, "callback")).toMatchObject([
      { outcome: "unauthorized", status: 403, detail: expect.stringContaining("x-token") },
    ]);
    const closed = sms.close();
    await stream.ended;
    await closed;
    expect(await sms.receive(receivable())).toMatchObject({ outcome: "busy" });
  });

  it("brings the answers only, where the router is in another process", async () => {
    const other = await app();
    const port = await listen(
      express().use("/s", simulator(undefined, { target: `http://127.0.0.1:${other.port}/sms` })),
    );
    const stream = await openStream(port, "/s/events");
    await post(port, "/s/send");
    const events = await stream.until(named("callback"));
    expect(dataOf(events, "hello")).toMatchObject([{ hasRouter: false, target: `http://127.0.0.1:${other.port}/sms` }]);
    expect(dataOf(events, "callback")).toMatchObject([{ outcome: "answered", status: 200, sent: "Hello" }]);
    expect(other.messages).toHaveLength(1);
  });

  it("says that there was no answer, where the router's process is away", async () => {
    const closed = await freePort();
    const port = await listen(express().use("/s", simulator(undefined, { target: `http://127.0.0.1:${closed}/sms` })));
    const stream = await openStream(port, "/s/events");
    await post(port, "/s/send");
    const [event] = dataOf(await stream.until(named("callback")), "callback");
    expect(event).toMatchObject({
      outcome: "no answer",
      sent: "Hello",
      detail: expect.stringContaining("Nothing listens"),
    });
    expect(event).not.toHaveProperty("status");
  });

  it("tells the words of a GET callback from a text", async () => {
    const { port } = await app();
    const stream = await openStream(port);
    for (const method of ["GET", "POST"])
      await post(port, "/simulator/send", { method, id: method, text: "JOIN gold" });
    const events = await stream.until(({ data }) => data.method === "POST");
    expect(dataOf(events, "callback")).toMatchObject([
      { message: { text: "JOIN gold", hasWordsOnly: true } },
      { message: { text: "JOIN gold", hasWordsOnly: false } },
    ]);
  });
});

describe("an invalid callback", () => {
  /** What is marked in what was sent. */
  const marked = async (sent: { body: string } | { query: string }, options: SomeOptions): Promise<unknown> => {
    const { port, sms } = await app(options);
    const stream = await openStream(port);
    await sms.receive("body" in sent ? { method: "POST", ...sent } : { method: "GET", ...sent });
    const [event] = dataOf(await stream.until(named("callback")), "callback") as Array<{
      problem: { raw: string; places: ReadonlyArray<{ start: number; end: number }> };
    }>;
    const { raw = "", places = [] } = event?.problem ?? {};
    expect(raw).toBe("body" in sent ? sent.body : sent.query);
    return places.map(({ start, end }) => raw.slice(start, end));
  };

  it.each<[string, { body: string } | { query: string }, string[]]>([
    ["a value that is not allowed", { body: JSON.stringify(callback({ status: "DELIVERED" })) }, ['"DELIVERED"']],
    ["a value that is no text", { body: '{"id": {}, "source": "1", "recipient": "2", "message": ""}' }, ["{"]],
    ["a variable that came twice", { query: "id=1&source=2&recipient=3&id=4" }, ["1", "4"]],
    ["an empty variable, by its name", { query: "id=1&source=&recipient=3" }, ["source="]],
    ["a key that came twice", { body: '{"id":"1",\n"id":"2",\n"source":"1"}' }, ['"id":"2"']],
    ["where JSON ends to be JSON", { body: '{\n"id": "1",\n"source": oops,\n"x": 1' }, ["oops"]],
    ["a quote that was not escaped", { body: '{"id": "1", "message": "say "hi" now", "x": }' }, ['hi" now"']],
    ["nothing for a field that is missing", { query: "id=1&source=2" }, []],
  ])("is marked at its place: %s", async (_, sent, expected) => {
    expect(await marked(sent, {})).toEqual(expected);
  });

  it("is marked at a key that came twice, if the provider is known to escape", async () => {
    const body = '{"id":"1","id":"2","source":"1","recipient":"2","message":"x"}';
    expect(await marked({ body }, { escaping: "json" })).toEqual(['"id":"2"']);
  });

  it("is marked at its end if the rest is missing", async () => {
    const { port } = await app();
    const stream = await openStream(port);
    await post(port, "/simulator/send", { misbehaviour: "cut-body" });
    const [event] = dataOf(await stream.until(named("callback")), "callback") as Array<{
      problem: { code: string; raw: string; places: unknown };
    }>;
    const { code, raw = "", places } = event?.problem ?? {};
    expect(code).toBe("body-incomplete");
    expect(places).toEqual([{ start: raw.length, end: raw.length }]);
  });
});

describe("a page that comes late", () => {
  it("gets what came before it, and after a lost connection only what it missed", async () => {
    const { port, sms } = await app();
    for (const message of ["1", "2", "3"]) await sms.receive(receivable({ message }));
    const texts = (events: readonly StreamedEvent[]): unknown[] =>
      dataOf(events, "callback").map((data) => (data as { message: { text: string } }).message.text);
    const isText = (text: string) => (event: StreamedEvent) => event.name === "callback" && texts([event])[0] === text;
    const events = await (await openStream(port)).until(isText("3"));
    expect(texts(events)).toEqual(["1", "2", "3"]);
    const second = events.filter(named("callback"))[1];
    expect(texts(await (await openStream(port, "/simulator/events", second?.id)).until(isText("3")))).toEqual(["3"]);
    for (const unknown of ["of-another-run", "12345678-0", "", `${second?.id?.split("-")[0] ?? ""}-x`])
      expect(texts(await (await openStream(port, "/simulator/events", unknown)).until(isText("3")))).toEqual([
        "1",
        "2",
        "3",
      ]);
  });

  it("is told how many events are gone: the server keeps a bounded number", async () => {
    const { port, sms } = await app();
    const first = await openStream(port);
    await sms.receive(receivable({ message: "first" }));
    const [{ id } = { id: undefined }] = (await first.until(named("callback"))).filter(named("handler"));
    first.close();
    const sent = 800;
    for (let n = 0; n < sent; n++) await sms.receive(receivable({ message: `${n}` }));
    const isLast = ({ data }: StreamedEvent): boolean =>
      (data.message as { text?: string } | undefined)?.text === `${sent - 1}`;
    const events = await (await openStream(port, "/simulator/events", id)).until(isLast);
    const [gone] = dataOf(events, "gone") as Array<{ count: number }>;
    const kept = events.filter((event) => event.id !== undefined).length;
    expect(kept).toBeLessThanOrEqual(1_000);
    // Each message is two events: that of its handler and that of its callback.
    expect((gone?.count ?? 0) + kept).toBe(2 * sent + 1);
  });

  it("is told the same if large bodies took the place of others", async () => {
    const { port, sms } = await app({ bodyLimit: 3_000_000 });
    const large = "x".repeat(1_000_000);
    for (let n = 0; n < 8; n++) await sms.receive(receivable({ message: `${n}${large}` }));
    const events = await (
      await openStream(port)
    ).until(({ data }) => String((data.message as { text?: string } | undefined)?.text).startsWith("7"));
    expect(dataOf(events, "gone")).toMatchObject([{ count: expect.any(Number) }]);
    expect(dataOf(events, "callback").length).toBeLessThan(8);
  });
});

describe("observing", () => {
  it("silences no log line and no warning, and registers no handler", async () => {
    const lines: string[] = [];
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
    const sms = incomingSms({ logger, authenticate: false });
    const port = await listen(appOf(sms));
    const stream = await openStream(port);
    await post(port, "/simulator/send", { misbehaviour: "delivery-report" });
    await post(port, "/simulator/send");
    await stream.until(({ data }) => data.outcome === "handled");
    expect(lines).toEqual([expect.stringContaining("(schema)")]);
    expect(warnings).toContain("KALEYRA_SMS_NO_HANDLER");
  });

  it("takes nothing out of an inbox", async () => {
    const inbox = memoryInbox();
    const quiet = (): void => undefined;
    const sms = incomingSms({ inbox, authenticate: false, logger: { warn: quiet, error: quiet } });
    const port = await listen(appOf(sms));
    const stream = await openStream(port);
    await post(port, "/simulator/send");
    const events = await stream.until(
      ({ name, data }) => name === "inbox" && JSON.stringify(data).includes('"waiting":1'),
    );
    expect(dataOf(events, "callback")).toMatchObject([{ outcome: "stored" }]);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, running: 0 });
    await sms.close();
  });

  it("shows each attempt at a message of an inbox, and its dead letters", async () => {
    const inbox = memoryInbox({ attempts: 2 });
    const { sms, port } = await app({ inbox });
    sms.keyword("FAIL", () => {
      throw new RangeError("no");
    });
    const stream = await openStream(port);
    await post(port, "/simulator/send", { text: "FAIL" });
    await inbox.advance(60_000);
    const events = await stream.until(
      ({ name, data }) => name === "inbox" && JSON.stringify(data).includes('"dead":1'),
    );
    const failed = dataOf(events, "handler").filter((data) => (data as { result: string }).result === "error");
    expect(failed).toMatchObject([
      { keyword: "FAIL", attempt: 1, final: false },
      { keyword: "FAIL", attempt: 2, final: true },
    ]);
    await sms.close();
  });

  it("says that an inbox failed, and that its counts are out of reach", async () => {
    const inbox: Inbox & { stats(): Promise<never> } = {
      store: () => Promise.reject(new Error("the disk is full")),
      start: () => undefined,
      close: () => Promise.resolve(),
      stats: () => Promise.reject(new Error("gone")),
    };
    const { sms, port } = await app({ inbox });
    const stream = await openStream(port);
    await post(port, "/simulator/send");
    const events = await stream.until(named("callback"));
    // The heartbeat may come first, and fail as well.
    expect(dataOf(events, "failure")).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining("the disk is full") }),
    );
    expect(dataOf(await stream.until(named("inbox")), "inbox")).toEqual([{}]);
    await sms.close();
  });

  it("is possible for several simulators of one router", async () => {
    const { sms } = recorder();
    const made = appOf(sms).use("/second", simulator(sms, { target: "/sms" }));
    const port = await listen(made);
    const streams = [await openStream(port), await openStream(port, "/second/events")];
    await post(port, "/second/send");
    for (const stream of streams) {
      const events = await stream.until(named("callback"));
      expect([dataOf(events, "callback").length, dataOf(events, "handler").length]).toEqual([1, 1]);
    }
  });

  it("ends with sms.close(), so that the server can close", async () => {
    const { sms, port } = await app();
    const stream = await openStream(port);
    await sms.close();
    await stream.ended;
    await expect(openStream(port)).rejects.toThrow();
  });
});
