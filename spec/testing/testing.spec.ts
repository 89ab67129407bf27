// express-kaleyra-sms/testing, as users' specs call it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { callbackProfile, incomingSms, OPT_OUT, type Inbox } from "express-kaleyra-sms";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { fixture, memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";

import { DRIVERS } from "../inbox/drivers";
import { post } from "../support/callbacks";
import { deferred, recorder } from "../support/recorder";

const closing: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  jest.useRealTimers();
  for (const close of closing.splice(0).reverse()) await close();
});

const URL = "https://your.domain/sms";

describe("subscriber", () => {
  it("sends what the provider would send, and resolves with the receipt", async () => {
    const { sms, messages, keywords, lines } = recorder();
    sms.keyword(OPT_OUT, () => undefined);
    const text = 'Stop "now"\n\\ 👍';
    const receipt = await subscriber(sms).text(text);
    expect(receipt).toMatchObject({ outcome: "handled", status: 200, message: { text, method: "POST" } });
    expect(messages).toEqual([receipt.message]);
    expect(keywords).toMatchObject([{ keyword: "STOP", by: "text" }]);
    expect(messages).toMatchObject([{ source: "+919876543210", recipient: "+919812345678", status: "SENT" }]);
    expect(lines).toEqual([]);
  });

  it("sends each text as a callback of its own, unless it is given an id", async () => {
    const { sms, duplicates } = recorder();
    const asha = subscriber(sms);
    const outcomes = [];
    for (const options of [{}, {}, { id: "1" }, { id: "1" }]) outcomes.push((await asha.text("hi", options)).outcome);
    expect(outcomes).toEqual(["handled", "handled", "handled", "duplicate"]);
    expect(duplicates).toMatchObject([{ id: "1" }]);
  });

  it("has its own number, writes to the given one, and passes the keyword", async () => {
    const { sms } = recorder();
    const { message } = await subscriber(sms, { source: "+14155550100", recipient: "5050" }).text("ACME join", {
      keyword: "ACME",
    });
    expect(message).toMatchObject({ source: "+14155550100", recipient: "5050", keyword: "ACME" });
  });

  it("passes words and keyword but no text by GET, as the provider does", async () => {
    const { sms } = recorder();
    const { message } = await subscriber(sms).text("JOIN GOLD & more", { method: "GET", keyword: "JOIN" });
    expect(message).toMatchObject({ method: "GET", keyword: "JOIN", parts: ["JOIN", "GOLD", "&", "more"] });
    expect(message).not.toHaveProperty("text");
    const words = Array.from({ length: 120 }, (_, n) => `w${n}`);
    const long = await subscriber(sms).text(words.join(" "), { method: "GET" });
    expect(long.message?.parts).toEqual(words.slice(0, 100));
  });

  it.each(["auto", "json", "none"] as const)("sends by the router's profile, with escaping: %p", async (escaping) => {
    const profile = callbackProfile({ method: "POST", url: URL, statics: { tenant: "acme" } });
    const { sms } = recorder({ profile, escaping });
    const text = 'C:\\new "x"\n{}';
    const { message, problem } = await subscriber(sms).text(text);
    expect([problem, message]).toMatchObject([undefined, { text, fields: { tenant: "acme" } }]);
  });

  it("sends by a given profile, also of GET", async () => {
    const statics = { tenant: "acme" };
    const { sms } = recorder();
    const some = callbackProfile({
      method: "POST",
      url: URL,
      fields: ["id", "source", "recipient", "message"],
      statics,
    });
    expect((await subscriber(sms, { profile: some }).text("hi")).message).toMatchObject({
      text: "hi",
      fields: statics,
    });
    const get = callbackProfile({ method: "GET", url: `${URL}?key=1`, fields: ["id", "source", "recipient"], statics });
    expect((await subscriber(sms, { profile: get }).text("hi")).message).toMatchObject({
      method: "GET",
      fields: { key: "1", ...statics },
    });
  });

  it("rejects what the profile cannot send", async () => {
    const { sms } = recorder();
    const profile = callbackProfile({ method: "POST", url: URL, fields: ["source", "recipient", "message"] });
    const asha = subscriber(sms, { profile });
    for (const options of [{ keyword: "K" }, { id: "1" }, { method: "GET" } as const])
      await expect(asha.text("hi", options)).rejects.toMatchObject({ code: "KALEYRA_SMS_INVALID_ARGUMENT" });
  });

  it("throws if something is not what it takes, and says what it takes", async () => {
    const { sms } = recorder();
    for (const other of [{}, undefined, null])
      expect(() => subscriber(other as never)).toThrow("subscriber(sms) takes a router");
    expect(() => subscriber(sms, { sorce: "1" } as never)).toThrow(
      "sorce is not an option of subscriber. They are source, recipient, profile.",
    );
    expect(() => subscriber(sms, "+919876500001" as never)).toThrow("subscriber takes options in an object: source, ");
    expect(() => subscriber(sms, { source: 91 } as never)).toThrow("source of subscriber takes a string.");
    expect(() => subscriber(sms, { profile: {} } as never)).toThrow("profile of subscriber takes a callbackProfile().");
    const asha = subscriber(sms, { source: undefined });
    await expect(asha.text(1 as never)).rejects.toThrow("text takes a string.");
    await expect(asha.text("hi", { keywords: "K" } as never)).rejects.toThrow("They are keyword, method, id.");
    await expect(asha.text("hi", { method: "PUT" } as never)).rejects.toThrow('method of text takes "GET" or "POST".');
  });
});

describe("settled", () => {
  it("resolves at once if nothing was sent, and rejects what is no router", async () => {
    await settled(recorder().sms);
    await expect(settled({} as never)).rejects.toThrow("settled(sms) takes a router");
  });

  it("without an inbox, waits for callbacks that are being handled", async () => {
    const { sms } = recorder();
    let ended = 0;
    sms.on("message", async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      ended++;
    });
    const asha = subscriber(sms);
    void asha.text("one");
    void asha.text("two");
    await settled(sms);
    expect(ended).toBe(2);
  });

  it("waits for handlers of events that no answer waits for", async () => {
    const { sms } = recorder({ maxInFlight: 1 });
    const { promise, resolve } = deferred();
    sms.on("message", () => promise);
    let ended = 0;
    sms.on("busy", async () => {
      await new Promise((done) => setTimeout(done, 30));
      ended++;
    });
    const asha = subscriber(sms);
    const first = asha.text("first");
    expect((await asha.text("too many")).outcome).toBe("busy");
    resolve();
    await first;
    expect(ended).toBe(0);
    await settled(sms);
    expect(ended).toBe(1);
  });

  it("with memoryInbox, waits for what is handled now, and leaves what is due later to advance", async () => {
    const inbox = memoryInbox({ backoffMs: 60_000 });
    const { sms, errors } = recorder({ inbox });
    closing.push(() => sms.close());
    const { promise, resolve } = deferred();
    const handled: string[] = [];
    sms.on("message", async ({ text = "" }, { attempt }) => {
      if (text === "slow") await promise;
      handled.push(`${text} ${attempt}`);
      if (text === "fails" && attempt === 1) throw new Error("no");
    });
    const asha = subscriber(sms);
    await asha.text("fails");
    await asha.text("behind it");
    await subscriber(sms, { source: "2" }).text("slow");
    setTimeout(resolve, 30);
    await settled(sms);
    expect(handled).toEqual(["fails 1", "slow 1"]);
    expect(errors).toHaveLength(1);
    await inbox.advance(60_000);
    expect(handled).toEqual(["fails 1", "slow 1", "fails 2", "behind it 1"]);
  });

  it("with memoryInbox, waits for the router to start it, however slow the process is", async () => {
    const inbox = memoryInbox();
    const sms = incomingSms({ inbox, authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    closing.push(() => sms.close());
    const texts: unknown[] = [];
    // From here on, timers that are due come before what waits for the next turn.
    await new Promise(setImmediate);
    sms.on("message", ({ text }) => texts.push(text));
    await subscriber(sms).text("hello");
    const whenSettled = settled(sms);
    for (const begun = performance.now(); performance.now() - begun < 10;) Math.random();
    await whenSettled;
    expect(texts).toEqual(["hello"]);
  });

  it("with memoryInbox, waits for a message that was replayed", async () => {
    const inbox = memoryInbox({ attempts: 1 });
    const { sms } = recorder({ inbox });
    closing.push(() => sms.close());
    let isBroken = true;
    const handled: unknown[] = [];
    sms.on("message", ({ text }) => {
      if (isBroken) throw new Error("no");
      handled.push(text);
    });
    await subscriber(sms).text("hello");
    await settled(sms);
    expect(await inbox.stats()).toMatchObject({ dead: 1 });
    isBroken = false;
    await inbox.replayAll();
    await settled(sms);
    expect(handled).toEqual(["hello"]);
  });

  it.each(DRIVERS)("with sqliteInbox and $name, waits until nothing waits or runs", async (driver) => {
    const folder = mkdtempSync(join(tmpdir(), "settled-"));
    const inbox = sqliteInbox({ file: join(folder, "inbox.db"), driver: driver.name as never, backoffMs: 60_000 });
    const { sms } = recorder({ inbox });
    closing.push(
      () => rmSync(folder, { recursive: true }),
      () => sms.close(),
    );
    let ended = 0;
    sms.on("message", async ({ text }) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      ended++;
      if (text === "0") throw new Error("no");
    });
    for (let n = 0; n < 5; n++) await subscriber(sms, { source: `${n}` }).text(`${n}`);
    await settled(sms);
    expect(ended).toBe(5);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 1 });
  });

  it.each([
    ["the router only receives", 0],
    ["a handler was removed", 1],
  ])("leaves what waits in the inbox if %s", async (_when, concurrency) => {
    const inbox = memoryInbox();
    const sms = incomingSms({ inbox, concurrency, authenticate: false });
    closing.push(() => sms.close());
    const texts: unknown[] = [];
    sms.once("message", ({ text }) => texts.push(text));
    for (const text of ["one", "two"]) expect((await subscriber(sms).text(text)).outcome).toBe("stored");
    await settled(sms);
    expect(texts).toEqual(concurrency === 0 ? [] : ["one"]);
    const { waiting, running } = await inbox.stats();
    expect(waiting + running).toBe(2 - texts.length);
  });

  it("with an inbox of your own, asks its stats until nothing waits or runs, also of what came meanwhile", async () => {
    const counts = [
      { waiting: 1, running: 0 },
      { waiting: 0, running: 1 },
    ];
    const sent: Array<Promise<unknown>> = [];
    let stored = 0;
    const own = {
      store: async (): Promise<"stored"> => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        stored++;
        return "stored";
      },
      start: () => undefined,
      close: () => Promise.resolve(),
      stats: () => {
        const count = counts.shift();
        if (count === undefined && sent.length === 0) sent.push(subscriber(sms).text("meanwhile"));
        return Promise.resolve({ waiting: 0, running: 0, delayed: 0, dead: 0, oldestWaitingMs: 0, ...count });
      },
    };
    const { sms } = recorder({ inbox: own });
    await settled(sms);
    expect([counts, sent.length, stored]).toEqual([[], 1, 1]);
  });

  it("needs the stats of an inbox of one's own", async () => {
    const own: Inbox = {
      store: () => Promise.resolve("stored"),
      start: () => undefined,
      close: () => Promise.resolve(),
    };
    const sms = incomingSms({ inbox: own, authenticate: false });
    await expect(settled(sms)).rejects.toMatchObject({ code: "KALEYRA_SMS_INVALID_ARGUMENT" });
  });

  it("works while a test runner fakes the timers", async () => {
    jest.useFakeTimers();
    const inbox = memoryInbox();
    const { sms, messages } = recorder({ inbox });
    // The router starts the inbox in the next turn of the event loop.
    jest.runAllTicks();
    jest.advanceTimersByTime(0);
    await subscriber(sms).text("hello");
    await settled(sms);
    expect(messages).toHaveLength(1);
    jest.useRealTimers();
    await sms.close();
  });
});

describe("fixture", () => {
  const saved = (content: unknown): string => {
    const folder = mkdtempSync(join(tmpdir(), "fixture-"));
    closing.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "callback.json");
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  };
  const base64 = (body: string | Uint8Array): string => Buffer.from(body as string, "latin1").toString("base64");

  it("gives sms.receive the exact bytes of a POST callback, and its content type", async () => {
    const { sms } = recorder();
    const body = JSON.stringify({ id: "1", source: "919876543210", recipient: "5050", message: "*" });
    const headers = { "CONTENT-type": "application/json" };
    const file = saved({ method: "POST", url: "/sms", headers, body: base64(body.replace("*", "\xed\xa0\xbd")) });
    expect(fixture(file)).toMatchObject({ method: "POST", contentType: "application/json" });
    expect((await sms.receive(fixture(file))).message).toMatchObject({ damaged: true, text: "\ufffd\ufffd\ufffd" });
  });

  const plain = (bytes: Uint8Array): Uint8Array => bytes;
  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["gzip, br", (bytes: Uint8Array) => brotliCompressSync(gzipSync(bytes))],
    ["gzip", plain],
    ["utf-8", plain],
  ])("undoes the Content-Encoding %s, if the body has it", async (encoding, compress) => {
    const { sms } = recorder();
    const headers = { "content-type": "application/json", "Content-Encoding": encoding };
    const body = Buffer.from(compress(Buffer.from(post({ message: "hello" }).body))).toString("base64");
    expect((await sms.receive(fixture(saved({ method: "POST", url: "/sms", headers, body })))).message?.text).toBe(
      "hello",
    );
  });

  it.each(["/sms", "https://your.domain/sms"])(
    "gives sms.receive the query of a GET callback to %s",
    async (target) => {
      const { sms } = recorder();
      const url = `${target}?id=1&source="919876543210"&recipient=5050&keyword=STOP`;
      const callback = fixture(saved({ method: "GET", url, headers: {}, body: "" }));
      expect((await sms.receive(callback)).message).toMatchObject({ keyword: "STOP", source: "+919876543210" });
    },
  );

  it("gives an empty query if the request had none", () => {
    const file = saved({ method: "GET", url: "/sms", headers: {}, body: "" });
    expect(fixture(file)).toEqual({ method: "GET", query: "" });
  });

  it("throws with the cause if the file cannot be read", () => {
    const cause = expect.objectContaining({ code: "ENOENT" });
    expect(() => fixture("no-such-fixture.json")).toThrow(expect.objectContaining({ cause }));
    const headers = { "content-encoding": "gzip" };
    const damaged = saved({ method: "POST", url: "/", headers, body: base64("no gzip") });
    expect(() => fixture(damaged)).toThrow(expect.objectContaining({ code: "KALEYRA_SMS_INVALID_ARGUMENT" }));
  });

  it("throws if the file is missing or is no callback, and says what it holds", () => {
    for (const file of [
      join(tmpdir(), "no-such-fixture.json"),
      saved("{"),
      saved("null"),
      saved({ method: "PUT", url: "/", headers: {}, body: "" }),
      saved({ method: "GET", url: 1, headers: {}, body: "" }),
      saved({ method: "POST", url: "/", headers: { a: 1 }, body: "" }),
      saved({ method: "POST", url: "/", headers: {}, body: "{}" }),
    ]) {
      const read = () => fixture(file);
      expect(read).toThrow(expect.objectContaining({ code: "KALEYRA_SMS_INVALID_ARGUMENT" }));
      expect(read).toThrow(file);
    }
  });
});
