// The inbox in memory, for tests: conformance, and its clock.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { incomingSms, type InboxAttempt, type SmsMessage } from "express-kaleyra-sms";
import { memoryInbox } from "express-kaleyra-sms/testing";

import { MemoryInbox } from "../../dist/inbox/memory/memory-inbox";
import { Messages } from "../../dist/inbox/memory/messages";
import { readInboxOptions } from "../../dist/inbox/inbox-options";
import { post } from "../support/callbacks";
import { deferred, recorder, type SomeOptions } from "../support/recorder";
import { itConforms } from "./conformance";

itConforms({
  isOrdered: true,
  asksForHandlers: true,
  place: () => {
    const messages = new Messages();
    return {
      open: (options = {}) => new MemoryInbox(messages, readInboxOptions("memoryInbox", options, [])),
      remove: () => undefined,
    };
  },
});

const closing: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A router whose handler notes each attempt, and fails on "fails". */
function failing(options: Parameters<typeof memoryInbox>[0] = {}, others: SomeOptions = {}) {
  const inbox = memoryInbox(options);
  const recorded = recorder({ inbox, ...others });
  closing.push(() => recorded.sms.close());
  const attempts: string[] = [];
  recorded.sms.on("message", ({ text = "" }, { attempt, final }) => {
    attempts.push(`${text} ${attempt}${final ? " final" : ""}`);
    if (text === "fails") throw new Error("no");
  });
  return { ...recorded, inbox, attempts };
}

describe("advance", () => {
  it("handles what is due within, and not what is due later", async () => {
    const { sms, inbox, attempts } = failing({ backoffMs: 60_000 });
    await sms.receive(post({ message: "fails" }));
    await inbox.advance(0);
    expect(attempts).toEqual(["fails 1"]);
    await inbox.advance(59_000);
    expect(attempts).toEqual(["fails 1"]);
    await inbox.advance(1_000);
    expect(attempts).toEqual(["fails 1", "fails 2"]);
    await inbox.advance(119_000);
    expect(attempts).toHaveLength(2);
    await inbox.advance(1_000);
    expect(attempts).toHaveLength(3);
  });

  it("makes every retry that falls into the time, each after its own delay", async () => {
    const { sms, inbox, attempts } = failing({ attempts: 4, backoffMs: 10_000 });
    await sms.receive(post({ message: "fails" }));
    await inbox.advance(70_000);
    expect(attempts).toEqual(["fails 1", "fails 2", "fails 3", "fails 4 final"]);
    const [letter] = await inbox.deadLetters();
    // 10 + 20 + 40 seconds on its clock.
    expect(Date.parse(letter?.failedAt ?? "") - Date.now()).toBeGreaterThan(60_000);
  });

  it("retries a message before later ones of its source", async () => {
    const { sms, inbox, attempts } = failing({ attempts: 2, backoffMs: 60_000 });
    await sms.receive(post({ message: "fails" }));
    await sms.receive(post({ message: "START" }));
    await inbox.advance(0);
    expect(attempts).toEqual(["fails 1"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, delayed: 1 });
    await inbox.advance(60_000);
    expect(attempts).toEqual(["fails 1", "fails 2 final", "START 1"]);
  });

  it("resolves when asynchronous handlers have ended", async () => {
    const { sms, inbox } = failing({ backoffMs: 60_000 });
    const { promise, resolve } = deferred();
    let ended = 0;
    sms.on("message", async (_message, { attempt }) => {
      if (attempt === 2) setImmediate(resolve);
      if (attempt === 2) await promise;
      ended++;
    });
    await sms.receive(post({ message: "fails" }));
    await inbox.advance(60_000);
    expect(ended).toBe(2);
  });

  it("moves the clock of retentionMs", async () => {
    const { sms, inbox } = failing({ retentionMs: 60_000 });
    const sent = post();
    expect((await sms.receive(sent)).outcome).toBe("stored");
    await inbox.advance(50_000);
    expect((await sms.receive(sent)).outcome).toBe("duplicate");
    await inbox.advance(20_000);
    expect((await sms.receive(sent)).outcome).toBe("stored");
  });

  it("handles nothing if the router only receives", async () => {
    const { sms, inbox, attempts } = failing({}, { concurrency: 0 });
    await sms.receive(post());
    await inbox.advance(60_000);
    expect(attempts).toEqual([]);
    expect(await inbox.stats()).toMatchObject({ waiting: 1 });
    expect((await inbox.stats()).oldestWaitingMs).toBeGreaterThanOrEqual(60_000);
  });

  /** A router whose only handler notes texts; it can be removed, and registered again. */
  function removable(inbox = memoryInbox({ attempts: 2, backoffMs: 60_000 })) {
    const sms = incomingSms({ inbox, authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    closing.push(() => sms.close());
    const texts: string[] = [];
    const handler = ({ text = "" }: SmsMessage): void => {
      texts.push(text);
      if (text === "fails") throw new Error("no");
    };
    return { sms, inbox, texts, handler };
  }

  it("leaves waiting what comes after the only handler, one of once, was removed", async () => {
    const { sms, inbox, texts, handler } = removable();
    sms.once("message", handler);
    for (const text of ["one", "two"]) await sms.receive(post({ message: text, source: text }));
    await inbox.advance(0);
    await sms.receive(post({ message: "three" }));
    await inbox.advance(60_000);
    expect(texts).toEqual(["one"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 2, running: 0 });
    expect(await inbox.deadLetters()).toEqual([]);
  });

  it.each([true, false])("handles it when a handler is registered again (before advance: %p)", async (isBefore) => {
    const { sms, inbox, texts, handler } = removable();
    sms.on("message", handler);
    await inbox.advance(0);
    sms.off("message", handler);
    for (const text of ["one", "two"]) await sms.receive(post({ message: text }));
    if (!isBefore) await inbox.advance(0);
    expect(texts).toEqual([]);
    sms.on("message", handler);
    await inbox.advance(0);
    expect(texts).toEqual(["one", "two"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0 });
  });

  it("retries nothing whose handler was removed, until one is registered again", async () => {
    const { sms, inbox, texts, handler } = removable();
    sms.on("message", handler);
    await sms.receive(post({ message: "fails" }));
    await inbox.advance(0);
    sms.off("message", handler);
    await inbox.advance(60_000);
    await inbox.advance(60_000);
    expect(texts).toEqual(["fails"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 1, delayed: 0, dead: 0 });
    sms.on("message", handler);
    await inbox.advance(0);
    expect(texts).toEqual(["fails", "fails"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, dead: 1 });
  });

  it("resolves if the handler that runs was the last one, when that has ended", async () => {
    const { sms, inbox } = removable();
    const { promise, resolve } = deferred();
    let ended = 0;
    sms.once("message", async () => {
      await promise;
      ended++;
    });
    for (const source of ["1", "2"]) await sms.receive(post({ source }));
    setImmediate(() => setImmediate(resolve));
    await inbox.advance(60_000);
    expect(ended).toBe(1);
  });

  it("closes while messages wait for a handler", async () => {
    const { sms, inbox, handler } = removable();
    sms.on("message", handler);
    await inbox.advance(0);
    sms.off("message", handler);
    await sms.receive(post());
    await inbox.advance(0);
    await sms.close();
    await expect(inbox.stats()).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
  });

  it.each([-1, NaN, Infinity, "1", undefined])("rejects %p with a TypeError", async (ms) => {
    await expect(memoryInbox().advance(ms as never)).rejects.toMatchObject({ code: "KALEYRA_SMS_INVALID_ARGUMENT" });
  });
});

it("rejects every call after close", async () => {
  const inbox = memoryInbox();
  await inbox.close();
  const { message } = await recorder().sms.receive(post());
  const calls = [
    () => inbox.advance(1),
    () => inbox.stats(),
    () => inbox.deadLetters(),
    () => inbox.get("key"),
    () => inbox.replay("key"),
    () => inbox.replayAll(),
    () => inbox.discard("key"),
    () => inbox.forget("source"),
    () => inbox.store(message as never, new AbortController().signal),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
});

/** Runs a script in a process of its own. */
function run(script: string, env: Record<string, string> = {}) {
  return spawnSync(process.execPath, ["-e", script], {
    cwd: join(__dirname, "..", ".."),
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 20_000,
  });
}

it("throws under NODE_ENV=production, and names the inboxes that keep messages", () => {
  const { stdout } = run(
    `try { require("express-kaleyra-sms/testing").memoryInbox(); } catch (error) { console.log(error.name, error.code, error.message); }`,
    { NODE_ENV: "production" },
  );
  expect(stdout).toMatch(/^TypeError KALEYRA_SMS_INBOX_IN_MEMORY .*sqliteInbox.*bullmqInbox/);
});

it("does not keep the process alive after close", () => {
  const started = Date.now();
  const { status, stdout } = run(`
    const { incomingSms } = require("express-kaleyra-sms");
    const { memoryInbox, settled, subscriber } = require("express-kaleyra-sms/testing");
    const logger = { warn() {}, error() {} };
    const sms = incomingSms({ inbox: memoryInbox({ backoffMs: 60_000 }), authenticate: false, logger });
    sms.on("error", () => undefined);
    sms.on("message", () => { throw new Error("no"); });
    (async () => {
      await subscriber(sms).text("hello");
      await settled(sms);
      await sms.close();
      console.log("closed");
    })();`);
  expect([status, stdout]).toEqual([0, "closed\n"]);
  expect(Date.now() - started).toBeLessThan(15_000);
});

describe("forget", () => {
  it("erases a message while it runs, so that it is neither listed nor retried if it fails", async () => {
    const { sms, inbox } = failing({ attempts: 2, backoffMs: 60_000 });
    const { promise, resolve } = deferred();
    const started = deferred();
    sms.on("message", () => {
      started.resolve();
      return promise;
    });
    const { message } = await sms.receive(post({ message: "fails", source: "919876500001" }));
    if (message === undefined) throw new Error("The sample is not valid.");
    await started.promise;
    expect(await inbox.forget("+919876500001")).toBe(1);
    expect(await inbox.get(message.key)).toBeUndefined();
    expect(await inbox.forget("+919876500001")).toBe(0);
    resolve();
    await inbox.advance(60_000);
    expect(await inbox.stats()).toEqual({ waiting: 0, running: 0, delayed: 0, dead: 0, oldestWaitingMs: 0 });
  });
});

describe("deadLetters", () => {
  it("continues after a letter that was discarded since the page before", async () => {
    const { sms, inbox } = failing({ attempts: 1 });
    for (const id of ["1", "2", "3"]) await sms.receive(post({ message: "fails", id }));
    await inbox.advance(0);
    const [, second] = await inbox.deadLetters({ limit: 2 });
    await inbox.discard(second?.key ?? "");
    const ids = (await inbox.deadLetters({ after: second?.key ?? "" })).map(({ message }) => message.id);
    expect(ids).toEqual(["3"]);
  });
});

describe("close", () => {
  it("ends an advance that waits for a handler, and leaves what is due", async () => {
    const { sms, inbox, attempts } = failing({}, { concurrency: 1 });
    const { promise, resolve } = deferred();
    const started = deferred();
    sms.once("message", () => {
      started.resolve();
      return promise;
    });
    for (const source of ["1", "2"]) await sms.receive(post({ source, message: source }));
    const advanced = inbox.advance(60_000);
    await started.promise;
    const closed = sms.close();
    resolve();
    await Promise.all([advanced, closed]);
    expect(attempts).toEqual(["1 1"]);
  });
});

it("counts no attempt that its router gave back", async () => {
  const inbox = memoryInbox({ attempts: 1 });
  closing.push(() => inbox.close());
  const { message } = await recorder().sms.receive(post());
  if (message === undefined) throw new Error("The sample is not valid.");
  await inbox.store(message, new AbortController().signal);
  const attempts: InboxAttempt[] = [];
  inbox.start({
    concurrency: 1,
    failed: () => undefined,
    handle: (_message, attempt) => ({ outcome: attempts.push(attempt) === 1 ? "released" : "handled" }),
  });
  await inbox.advance(0);
  expect(attempts).toEqual([
    { attempt: 1, final: true },
    { attempt: 1, final: true },
  ]);
});
