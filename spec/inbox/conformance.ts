// The spec that every inbox must pass, through the router. The spec of each inbox calls `itConforms`.

import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { afterEach, expect, it } from "@jest/globals";
import {
  incomingSms,
  OPT_OUT,
  type Callback,
  type KeywordMatch,
  type OperableInbox,
  type SmsMessage,
} from "express-kaleyra-sms";

import { callback, post } from "../support/callbacks";
import { deferred, recorder, type Recorder } from "../support/recorder";
import { until, waitFor } from "./waiting";

/** On a text of some 160,000 characters, V8 throws at this expression. */
const EXHAUSTING = new RegExp(`^(?:${Array.from({ length: 60 }, (_, n) => `(CODE${n})`).join("|")}|.)*$`);
const EXHAUSTED = "x".repeat(163_000);
/** As long as a body may carry, and no shorter when it is compressed: too much for the index of some databases. */
const LONG = Array.from({ length: 200 }, (_, n) => createHash("sha256").update(`${n}`).digest("base64url")).join("");
/** A source may be any text. */
const ODD_SOURCES = [
  ...["x\ud800", "x\udfff", "x\u0000y", '"', '"x"', "\u2028", "é", "👍", " x", "'; --", "_%"],
  ...[LONG, `${LONG}x`, `é${LONG}`],
];

const FORGOTTEN = { id: "once", source: "+911111111111" };

/** The same number. */
const FORMS = [
  "+919876500001",
  "00919876500001",
  "919876500001",
  "+91 98765 00001",
  "91-98765-00001",
  " 919876500001",
  "+91 (98765) 00.001",
  "+91\u00a098765\u201100001",
  // As telephones copy it.
  "\u202a+91 98765 00001\u202c",
  "\u200e919876500001",
];

/** The options of every inbox. */
interface Options {
  readonly attempts?: number;
  readonly backoffMs?: number;
  readonly retentionMs?: number;
  readonly leaseMs?: number;
}

/**
 * A place where messages are kept, such as a file or a queue. Several inboxes can be open on it, as in several
 * processes.
 */
export interface Place {
  open(options?: Options): OperableInbox;
  /** Removes the place. All its inboxes are closed by then. */
  remove(): Promise<void> | void;
}

interface Conforming {
  /** Whether messages of one source are handled in order. */
  readonly isOrdered: boolean;
  /** Whether it calls `work.whenListening`, and leaves messages waiting while no handler is registered. */
  readonly asksForHandlers?: boolean;
  /** Makes an empty place. */
  place(): Promise<Place> | Place;
}

async function messageOf(sent: Callback): Promise<SmsMessage> {
  const { message } = await recorder().sms.receive(sent);
  if (message === undefined) throw new Error("The sample is not valid.");
  return message;
}

export function itConforms({ isOrdered, asksForHandlers = false, place }: Conforming): void {
  const open: Array<() => Promise<void> | void> = [];
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  /** An empty place, which is removed after the spec. */
  const empty = async (): Promise<Place> => {
    const made = await place();
    open.push(() => made.remove());
    return made;
  };

  /** A router on a place. */
  const router = (on: Place, options: Parameters<typeof recorder>[0] & { inboxOptions?: Options } = {}) => {
    const { inboxOptions, ...others } = options;
    const inbox = on.open({ backoffMs: 20, ...inboxOptions });
    const recorded: Recorder & { inbox: OperableInbox } = { ...recorder({ inbox, ...others }), inbox };
    open.push(() => recorded.sms.close());
    return recorded;
  };

  /** Stores messages, which wait: the router that receives them has no concurrency. */
  const stored = async (on: Place, ...fields: Array<Record<string, unknown>>): Promise<void> => {
    const { sms } = router(on, { concurrency: 0 });
    for (const one of fields) expect(await sms.receive(post(one))).toMatchObject({ outcome: "stored", status: 200 });
  };

  it("answers 200 when a message is stored, and hands it to the handlers unchanged", async () => {
    const { sms, messages, keywords, inbox } = router(await empty());
    const text = 'a "b"\n\\ {} \u0000 \ud83d\ude00 \ud800 \u2028 <message>';
    const body = JSON.stringify(callback({ message: text, keyword: "K", constructor: "c", proto: "p" }));
    const receipt = await sms.receive({ method: "POST", body: body.replace('"proto"', '"__proto__"') });
    expect(receipt).toMatchObject({ outcome: "stored", status: 200, body: "" });
    await until(() => messages.length > 0);
    expect(messages).toEqual([receipt.message]);
    expect(messages[0]?.text).toBe(text);
    expect(Object.entries(messages[0]?.fields ?? {})).toEqual(Object.entries(receipt.message?.fields ?? {}));
    expect(Object.isFrozen(messages[0]) && Object.isFrozen(messages[0]?.parts)).toBe(true);
    expect(Object.isFrozen(messages[0]?.fields)).toBe(true);
    await until(() => keywords.length > 0);
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toEqual({ waiting: 0, running: 0, delayed: 0, dead: 0, oldestWaitingMs: 0 });
  });

  it("keeps whether a text is damaged", async () => {
    const place = await empty();
    const idle = router(place, { concurrency: 0 });
    for (const damage of ["\xed\xa0\xbd", "\xed\xa0\xbd\xed\xb8\x80"]) {
      const body = JSON.stringify(callback({ message: "*" })).replace("*", damage);
      await idle.sms.receive({ method: "POST", body: Buffer.from(body, "latin1") });
    }
    const { messages } = router(place);
    await until(() => messages.length === 2);
    expect(messages.map(({ text, damaged }) => [text, damaged]).sort()).toEqual([
      ["\u{1f600}", false],
      ["\ufffd\ufffd\ufffd", true],
    ]);
  });

  it("answers 200 to a duplicate while the first message waits, while it runs, and after it was handled", async () => {
    const on = await empty();
    const waiting = router(on, { concurrency: 0 });
    const sent = post();
    const outcomes = [];
    for (let n = 0; n < 2; n++) outcomes.push((await waiting.sms.receive(sent)).outcome);
    expect(outcomes).toEqual(["stored", "duplicate"]);

    const running = router(on);
    const { promise, resolve } = deferred();
    const started = deferred();
    running.sms.on("message", () => {
      started.resolve();
      return promise;
    });
    await started.promise;
    expect(await running.sms.receive(sent)).toMatchObject({ outcome: "duplicate", status: 200 });
    resolve();
    await until(async () => (await running.inbox.stats()).running === 0);
    expect(await waiting.sms.receive(sent)).toMatchObject({ outcome: "duplicate", status: 200 });
    expect(running.messages).toHaveLength(1);
    expect([...waiting.duplicates, ...running.duplicates]).toHaveLength(3);
  });

  it("stores one of a thousand duplicates at once, and answers 200 to all", async () => {
    const { sms, messages, duplicates } = router(await empty(), { maxInFlight: 2_000, storeTimeoutMs: 30_000 });
    const sent = post();
    const receipts = await Promise.all(Array.from({ length: 1_000 }, () => sms.receive(sent)));
    expect(receipts.filter(({ outcome }) => outcome === "stored")).toHaveLength(1);
    expect(receipts.filter(({ status }) => status === 200)).toHaveLength(1_000);
    expect(duplicates).toHaveLength(999);
    await until(() => messages.length > 0);
    expect(messages).toHaveLength(1);
  }, 40_000);

  it("does not store a message for which nobody waits any more, and rejects with the reason", async () => {
    const { sms, inbox } = router(await empty(), { concurrency: 0 });
    const message = await messageOf(post());
    await sms.receive(post());
    const waiting = new AbortController();
    const reason = new Error("nobody waits");
    waiting.abort(reason);
    await expect(inbox.store(message, waiting.signal)).rejects.toBe(reason);
    expect(await inbox.stats()).toMatchObject({ waiting: 1 });
    expect(await inbox.store(message, new AbortController().signal)).toBe("stored");
  });

  it("retries a message after growing delays, until it is a dead letter", async () => {
    const { sms, errors, inbox } = router(await empty(), { inboxOptions: { attempts: 4, backoffMs: 100 } });
    const started: number[] = [];
    const attempts: Array<[attempt: number, final: boolean]> = [];
    sms.on("message", (_message, { attempt, final }) => {
      started.push(Date.now());
      attempts.push([attempt, final]);
      throw new RangeError("secret text +919876543210");
    });
    const { message } = await sms.receive(post());
    await until(async () => (await inbox.stats()).dead === 1, 10_000);
    expect(attempts).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect(errors.map(({ event, attempt, final }) => [event, attempt, final])).toEqual([
      ["message", 1, false],
      ["message", 2, false],
      ["message", 3, false],
      ["message", 4, true],
    ]);
    const [first = 0, second = 0, third = 0] = started.slice(1).map((at, n) => at - (started[n] ?? 0));
    // Rounded instants may lose a millisecond.
    expect(first).toBeGreaterThanOrEqual(98);
    expect(second).toBeGreaterThanOrEqual(198);
    expect(third).toBeGreaterThanOrEqual(398);
    const [letter, ...more] = await inbox.deadLetters();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ key: message?.key, message, attempts: 4 });
    expect(letter?.reason).toMatch(/^RangeError at .*:\d+:\d+$/);
    expect(Date.now() - Date.parse(letter?.failedAt ?? "")).toBeLessThan(10_000);
    expect(Object.isFrozen(letter?.message)).toBe(true);
  }, 20_000);

  it("keeps what describeFailure returns as the reason of a dead letter", async () => {
    const describeFailure = (cause: unknown): string => {
      if (cause instanceof RangeError) throw cause;
      // Cut off in the middle of an emoji, and with a character that some databases do not take.
      if (cause instanceof SyntaxError) return "order \u0000 \ud83d";
      return cause instanceof TypeError ? (Symbol("no") as never) : `order ${(cause as Error).message}`;
    };
    const { sms, inbox } = router(await empty(), { describeFailure, inboxOptions: { attempts: 1 } });
    sms.on("message", ({ text }) => {
      if (text === "4") throw new SyntaxError("secret");
      throw text === "1" ? new Error("4711") : text === "2" ? new RangeError("secret") : new TypeError("secret");
    });
    for (const message of ["1", "2", "3", "4"]) {
      await sms.receive(post({ message }));
      await until(async () => (await inbox.stats()).dead === Number(message), 10_000);
    }
    const reasons = new Map((await inbox.deadLetters()).map(({ message, reason }) => [message.text, reason]));
    expect(reasons.get("1")).toBe("order 4711");
    expect(reasons.get("2")).toMatch(/^RangeError at /);
    expect(reasons.get("3")).toMatch(/^TypeError at /);
    expect(reasons.get("4")).toBe("order \ufffd \ufffd");
  });

  it("handles a dead letter again when it is replayed, and when the callback comes again", async () => {
    const { sms, messages, inbox } = router(await empty(), { inboxOptions: { attempts: 1 } });
    let isBroken = true;
    const handled: string[] = [];
    sms.on("message", ({ id }, { attempt }) => {
      if (isBroken) throw new Error("no");
      handled.push(`${id} ${attempt}`);
    });
    const sent = [post({ id: "a", source: "1" }), post({ id: "b", source: "2" }), post({ id: "c", source: "3" })];
    const keys = [];
    for (const one of sent) {
      keys.push((await sms.receive(one)).message?.key ?? "");
      await until(async () => (await inbox.stats()).dead === keys.length);
    }
    isBroken = false;
    expect(messages).toHaveLength(3);
    expect(await inbox.replay(keys[1] ?? "")).toBe(1);
    await until(() => handled.length === 1);
    expect(await sms.receive(sent[2] ?? post())).toMatchObject({ outcome: "stored", status: 200 });
    await until(() => handled.length === 2);
    expect(await inbox.replayAll()).toBe(1);
    await until(() => handled.length === 3);
    expect(handled).toEqual(["b 1", "c 1", "a 1"]);
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 0, dead: 0 });
    for (const key of [...keys, "all", "no such key"]) expect(await inbox.replay(key)).toBe(0);
    expect(await inbox.replayAll()).toBe(0);
  });

  it("finds a message by its key in every state, and nothing of one that is handled or unknown", async () => {
    const on = await empty();
    const inboxOptions = { attempts: 2, backoffMs: 500 };
    const waiting = router(on, { concurrency: 0, inboxOptions });
    const { message } = await waiting.sms.receive(post({ message: "fails" }));
    const key = message?.key ?? "";
    expect(await waiting.inbox.get(key)).toEqual({ state: "waiting", message, attempts: 0 });
    const { sms, inbox } = router(on, { inboxOptions });
    const attempts = [deferred(), deferred()];
    const started: number[] = [];
    sms.on("message", async ({ text }, { attempt }) => {
      if (text !== "fails") return;
      started.push(attempt);
      await attempts[attempt - 1]?.promise;
      throw new RangeError("no");
    });
    await until(() => started.length === 1);
    expect(await inbox.get(key)).toEqual({ state: "running", message, attempts: 1 });
    attempts[0]?.resolve();
    await until(async () => (await inbox.stats()).delayed === 1);
    expect(await inbox.get(key)).toEqual({ state: "delayed", message, attempts: 1 });
    await until(() => started.length === 2);
    expect(await inbox.get(key)).toEqual({ state: "running", message, attempts: 2 });
    attempts[1]?.resolve();
    await until(async () => (await inbox.stats()).dead === 1);
    const dead = await inbox.get(key);
    expect(dead).toEqual({ state: "dead", message, attempts: 2, reason: expect.stringMatching(/^RangeError at /) });
    expect(Object.isFrozen(dead?.message)).toBe(true);
    const handled = await sms.receive(post({ message: "works", source: "2" }));
    await until(async () => (await inbox.get(handled.message?.key ?? "")) === undefined);
    expect(await inbox.get("no such key")).toBe(undefined);
  }, 20_000);

  it("discards a dead letter, whose callback is a duplicate from then on, and nothing else", async () => {
    const on = await empty();
    const { sms, inbox, messages } = router(on, { inboxOptions: { attempts: 1 } });
    sms.on("message", () => Promise.reject(new Error("no")));
    const sent = post();
    const key = (await sms.receive(sent)).message?.key ?? "";
    const other = (await sms.receive(post({ source: "2" }))).message?.key ?? "";
    await until(async () => (await inbox.stats()).dead === 2);
    expect(await inbox.discard(key)).toBe(1);
    expect(await inbox.discard(key)).toBe(0);
    expect(await inbox.discard("all")).toBe(0);
    expect(await inbox.get(key)).toBe(undefined);
    expect((await inbox.deadLetters()).map((letter) => letter.key)).toEqual([other]);
    expect(await inbox.replay(key)).toBe(0);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate", status: 200 });
    await sms.close();
    const waiting = router(on, { concurrency: 0 });
    const kept = (await waiting.sms.receive(post({ source: "3" }))).message?.key ?? "";
    expect(await waiting.inbox.discard(kept)).toBe(0);
    expect(await waiting.inbox.get(kept)).toMatchObject({ state: "waiting" });
    expect(messages).toHaveLength(2);
  });

  it("forgets a number in any form that needs no country, and other sources exactly", async () => {
    const { sms, inbox } = router(await empty(), { concurrency: 0 });
    const others = ["+919876500002", "9876500001", "+9198765000010", "VM-KALEYRA", "vm-kaleyra", "5050", "50-50"];
    for (const source of others) await sms.receive(post({ source }));
    for (const form of FORMS) {
      for (const source of FORMS) await sms.receive(post({ source }));
      expect([form, await inbox.forget(form)]).toEqual([form, FORMS.length]);
    }
    expect((await inbox.stats()).waiting).toBe(others.length);
    for (const source of others) expect([source, await inbox.forget(source)]).toEqual([source, 1]);
  });

  it("lists dead letters in pages, the oldest first", async () => {
    const { sms, inbox } = router(await empty(), { inboxOptions: { attempts: 1 } });
    sms.on("message", () => Promise.reject(new Error("no")));
    const keys: string[] = [];
    for (let n = 0; n < 5; n++) {
      keys.push((await sms.receive(post({ source: `${n}` }))).message?.key ?? "");
      await until(async () => (await inbox.stats()).dead === n + 1);
    }
    const page = async (options: Parameters<OperableInbox["deadLetters"]>[0]) =>
      (await inbox.deadLetters(options)).map(({ key }) => key);
    expect(await page({})).toEqual(keys);
    expect(await page({ limit: 2 })).toEqual(keys.slice(0, 2));
    expect(await page({ limit: 2, after: keys[1] })).toEqual(keys.slice(2, 4));
    expect(await page({ limit: 2, after: keys[3] })).toEqual(keys.slice(4));
    expect(await page({ after: keys[4] })).toEqual([]);
    for (const limit of [0, -1, 1.5, NaN, "2" as never]) {
      await expect(inbox.deadLetters({ limit })).rejects.toThrow(TypeError);
    }
  });

  it("lists a hundred dead letters in a page by default", async () => {
    const { sms, inbox } = router(await empty(), { inboxOptions: { attempts: 1 } });
    sms.on("message", () => Promise.reject(new Error("no")));
    await Promise.all(Array.from({ length: 101 }, (_, n) => sms.receive(post({ source: `${n}` }))));
    await until(async () => (await inbox.stats()).dead === 101, 20_000);
    const letters = await inbox.deadLetters();
    expect(letters).toHaveLength(100);
    const rest = await inbox.deadLetters({ after: letters.at(-1)?.key });
    expect(new Set([...letters, ...rest].map(({ key }) => key)).size).toBe(101);
    expect(await inbox.deadLetters({ limit: 1_000 })).toHaveLength(101);
  }, 30_000);

  it("counts waiting, running and delayed messages", async () => {
    const on = await empty();
    const { sms, inbox } = router(on, { concurrency: 2, inboxOptions: { attempts: 2, backoffMs: 60_000 } });
    const { promise, resolve } = deferred();
    sms.on("message", ({ text }) => (text === "fails" ? Promise.reject(new Error("no")) : promise));
    await sms.receive(post({ source: "0", message: "fails" }));
    await until(async () => (await inbox.stats()).delayed === 1);
    for (let n = 1; n <= 5; n++) await sms.receive(post({ source: `${n}` }));
    await until(async () => (await inbox.stats()).running === 2);
    await waitFor(30);
    // Not the oldest.
    await sms.receive(post({ source: "6" }));
    const stats = await inbox.stats();
    expect(stats).toMatchObject({ waiting: 4, running: 2, delayed: 1, dead: 0 });
    expect(stats.oldestWaitingMs).toBeGreaterThanOrEqual(29);
    expect(stats.oldestWaitingMs).toBeLessThan(5_000);
    resolve();
    await until(async () => (await inbox.stats()).waiting === 0);
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toEqual({ waiting: 0, running: 0, delayed: 1, dead: 0, oldestWaitingMs: 0 });
  });

  it("erases the messages of a subscriber in every state, and keeps those of others", async () => {
    const on = await empty();
    const { sms, inbox, messages } = router(on, { inboxOptions: { attempts: 2, backoffMs: 60_000 } });
    sms.on("message", ({ text }) => (text === "fails" ? Promise.reject(new Error("no")) : undefined));
    for (const source of ["+911111111111", "+912222222222"]) {
      await sms.receive(post({ source, message: "done" }));
      await until(async () => (await inbox.stats()).running === 0 && messages.at(-1)?.source === source);
      await sms.receive(post({ source, message: "fails" }));
    }
    await until(async () => (await inbox.stats()).delayed === 2);
    expect(await inbox.forget("+911111111111")).toBeGreaterThanOrEqual(1);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 1, dead: 0 });
    expect(await inbox.forget("+911111111111")).toBe(0);
    expect(await inbox.forget("nobody")).toBe(0);
  });

  it("rejects with a TypeError if a key, a source or `after` is not a string", async () => {
    const { sms, inbox, messages } = router(await empty());
    await sms.receive(post());
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    for (const wrong of [undefined, null, 1, {}, []]) {
      await expect(inbox.get(wrong as never)).rejects.toThrow(TypeError);
      await expect(inbox.replay(wrong as never)).rejects.toThrow(TypeError);
      await expect(inbox.discard(wrong as never)).rejects.toThrow(TypeError);
      await expect(inbox.forget(wrong as never)).rejects.toThrow(TypeError);
      if (wrong !== undefined) await expect(inbox.deadLetters({ after: wrong as never })).rejects.toThrow(TypeError);
    }
  });

  it("can be closed more than once", async () => {
    const { sms, inbox } = router(await empty());
    await sms.receive(post());
    await Promise.all([sms.close(), inbox.close()]);
    await inbox.close();
  });

  it("hands the messages of two numbers to the handlers of each, also after a restart", async () => {
    const on = await empty();
    const [CLUB, NEWS] = ["+919812345678", "5050"];
    const called: string[] = [];
    const twoNumbers = (options: Parameters<typeof router>[1] = {}) => {
      const { sms } = router(on, options);
      const note =
        (name: string) =>
        ({ recipient, source }: KeywordMatch) =>
          called.push(`${name} ${recipient} ${source}`);
      sms.keyword(OPT_OUT, note("stop"));
      sms.recipient(CLUB).keyword("JOIN", note("club"));
      sms.recipient(NEWS).keyword("JOIN", note("news"));
      return sms;
    };
    const first = twoNumbers();
    for (const recipient of [CLUB, NEWS]) await first.receive(post({ source: "1", recipient, message: "join" }));
    await until(() => called.length === 2);
    await first.close();
    await stored(
      on,
      ...[CLUB, NEWS].map((recipient) => ({ source: "2", recipient, message: "Join now" })),
      ...[CLUB, NEWS].map((recipient) => ({ source: "3", recipient, message: "please stop" })),
    );
    twoNumbers();
    await until(() => called.length === 6);
    const joined = ["1", "2"].flatMap((source) => [`club ${CLUB} ${source}`, `news ${NEWS} ${source}`]);
    expect(called.sort()).toEqual([...joined, `stop ${CLUB} 3`, `stop ${NEWS} 3`].sort());
  });

  it("recognizes a duplicate of a message that was forgotten while it waited, or as a dead letter", async () => {
    const { sms, inbox } = router(await empty(), { inboxOptions: { attempts: 1 } });
    sms.on("message", () => Promise.reject(new Error("no")));
    await sms.receive(post(FORGOTTEN));
    await until(async () => (await inbox.stats()).dead === 1);
    expect(await inbox.forget("+911111111111")).toBe(1);
    expect((await sms.receive(post(FORGOTTEN))).outcome).toBe("duplicate");

    const idle = router(await empty(), { concurrency: 0 });
    await idle.sms.receive(post(FORGOTTEN));
    expect(await idle.inbox.forget("+911111111111")).toBe(1);
    expect((await idle.sms.receive(post(FORGOTTEN))).outcome).toBe("duplicate");
  });

  it("does not handle a message that was forgotten while it waited", async () => {
    const on = await empty();
    await stored(on, { source: "+911111111111" }, { source: "+912222222222" });
    const { sms, inbox } = router(on, { concurrency: 0 });
    expect(await inbox.forget("+911111111111")).toBe(1);
    await sms.close();
    const handled: string[] = [];
    router(on).sms.on("message", ({ source }) => handled.push(source));
    await until(() => handled.length > 0);
    await waitFor(150);
    expect(handled).toEqual(["+912222222222"]);
  });

  it("handles at most `concurrency` messages at once, and none with 0", async () => {
    const on = await empty();
    await stored(on, ...Array.from({ length: 12 }, (_, n) => ({ source: `${n}` })));
    const idle = router(on, { concurrency: 0 });
    const { sms, messages } = router(on, { concurrency: 3 });
    let running = 0;
    let most = 0;
    sms.on("message", async () => {
      most = Math.max(most, ++running);
      await waitFor(10);
      running--;
    });
    await until(() => messages.length === 12, 10_000);
    expect(most).toBe(3);
    expect(idle.messages).toEqual([]);
  }, 20_000);

  it("hands out no message before a handler is registered, nor in that turn of the event loop", async () => {
    const on = await empty();
    await stored(on, { message: "STOP", source: "1" }, { message: "hello", source: "2" });
    const inbox = on.open();
    const seen: string[] = [];
    // Not a recorder, which listens from the start.
    const sms = incomingSms({ inbox, authenticate: false });
    open.push(() => sms.close());
    sms.on("error", (error) => seen.push(String(error.cause)));
    await waitFor(100);
    expect(await inbox.stats()).toMatchObject({ waiting: 2, running: 0 });
    sms.on("unmatched", ({ text }) => seen.push(`unmatched ${text ?? ""}`));
    await Promise.resolve();
    sms.keyword("STOP", ({ keyword }) => seen.push(`keyword ${keyword}`));
    await until(() => seen.length === 2);
    expect(seen.sort()).toEqual(["keyword STOP", "unmatched hello"]);
  });

  it("keeps messages that come after the last handler was removed", async () => {
    const on = await empty();
    await stored(on, { source: "1" }, { source: "2" }, { source: "3" });
    const inbox = on.open({ leaseMs: 1_000 });
    const sms = incomingSms({ inbox, authenticate: false });
    open.push(() => sms.close());
    const seen: string[] = [];
    const handler = ({ source }: SmsMessage): unknown => seen.push(source);
    sms.once("message", handler);
    await until(() => seen.length === 1);
    await waitFor(100);
    expect(seen).toHaveLength(1);
    sms.on("message", handler);
    await until(() => seen.length === 3);
    expect(new Set(seen)).toEqual(new Set(["1", "2", "3"]));
  });

  it("aborts handlers that do not end on closing, and gives their messages to another router", async () => {
    const on = await empty();
    const first = router(on, { handlerTimeoutMs: 100, inboxOptions: { leaseMs: 60_000 } });
    const started = deferred();
    const signals: AbortSignal[] = [];
    first.sms.on("message", (_message, { signal }) => {
      signals.push(signal);
      started.resolve();
      return new Promise(() => undefined);
    });
    await first.sms.receive(post());
    await started.promise;
    await first.sms.close();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(first.errors.map(({ final }) => final)).toEqual([false]);
    const second = router(on);
    await until(() => second.messages.length > 0);
  }, 20_000);

  it("gives messages that wait for a handler to another router on closing, and counts no attempt", async () => {
    const on = await empty();
    await stored(on, { source: "1" }, { source: "2" });
    const inbox = on.open({ leaseMs: 60_000 });
    const sms = incomingSms({ inbox, authenticate: false });
    const handled = deferred();
    sms.once("message", () => handled.resolve());
    await handled.promise;
    const held = asksForHandlers ? "waiting" : "running";
    await until(async () => (await inbox.stats())[held] === 1);
    await sms.close();
    const { sms: second, messages } = router(on);
    const attempts: number[] = [];
    second.on("message", (_message, { attempt }) => attempts.push(attempt));
    await until(() => messages.length > 0);
    expect(attempts).toEqual([1]);
  });

  it("waits on closing until the running handlers have ended", async () => {
    const on = await empty();
    const { sms, messages } = router(on);
    const started = deferred();
    let ended = 0;
    sms.on("message", async () => {
      started.resolve();
      await waitFor(50);
      ended++;
    });
    await sms.receive(post());
    await started.promise;
    await sms.close();
    expect(ended).toBe(1);
    const after = on.open();
    expect(await after.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 0 });
    await after.close();
    expect(messages).toHaveLength(1);
  });

  it("counts a handler as failed after handlerTimeoutMs, and starts no other while it may still end", async () => {
    const { sms, errors, inbox } = router(await empty(), { handlerTimeoutMs: 60, inboxOptions: { attempts: 2 } });
    let running = 0;
    let most = 0;
    sms.on("message", async (_message, { attempt }) => {
      most = Math.max(most, ++running);
      await waitFor(attempt === 1 ? 90 : 0);
      running--;
      if (attempt === 1) throw new Error("late");
    });
    await sms.receive(post());
    await until(async () => errors.length === 1 && (await inbox.stats()).running === 0);
    await until(async () => {
      const { delayed, waiting, running: runs } = await inbox.stats();
      return delayed + waiting + runs === 0;
    });
    expect(errors).toMatchObject([{ cause: { code: "KALEYRA_SMS_HANDLER_TIMEOUT" }, attempt: 1, final: false }]);
    expect(most).toBe(1);
    expect(await inbox.deadLetters()).toEqual([]);
  });

  it("shares waiting messages among several routers, and hands each to one", async () => {
    const on = await empty();
    const handled: string[] = [];
    const routers = [0, 1].map(() => router(on, { concurrency: 4 }));
    for (const { sms } of routers) {
      sms.on("message", async ({ id }) => {
        await waitFor(5);
        handled.push(id);
      });
    }
    const ids = Array.from({ length: 200 }, (_, n) => `id ${n}`);
    const receipts = await Promise.all(
      routers.flatMap(({ sms }, n) =>
        ids.filter((_, index) => index % 2 === n).map((id) => sms.receive(post({ id, source: id.slice(3) }))),
      ),
    );
    expect(new Set(receipts.map(({ outcome }) => outcome))).toEqual(new Set(["stored"]));
    await until(() => handled.length >= 200, 20_000);
    await waitFor(100);
    expect(handled.sort()).toEqual(ids.sort());
  }, 30_000);

  it("fails a message on which the RegExp of a keyword throws, and handles all others", async () => {
    const { sms, errors, inbox } = router(await empty(), { inboxOptions: { attempts: 2, backoffMs: 10 } });
    const stopped: string[] = [];
    sms.keyword(EXHAUSTING, () => undefined).keyword("STOP", ({ message: { id } }) => stopped.push(id));
    const others = (n: number): Promise<unknown> => sms.receive(post({ source: `91900000000${n}`, message: "STOP" }));
    await others(1);
    const { message, status } = await sms.receive(post({ source: "919111111111", message: EXHAUSTED }));
    expect(status).toBe(200);
    await others(2);
    await until(async () => (await inbox.stats()).dead === 1, 10_000);
    await others(3);
    await sms.receive(post({ source: "919111111111", message: "STOP" }));
    await until(() => stopped.length === 4, 10_000);
    expect(errors.map(({ event, attempt, final }) => [event, attempt, final])).toEqual([
      ["keyword", 1, false],
      ["keyword", 2, true],
    ]);
    expect(errors.map((error) => error.smsMessage)).toEqual([message, message]);
    const [letter, ...more] = await inbox.deadLetters();
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ key: message?.key, attempts: 2 });
    expect(letter?.reason).toMatch(/^\w+(?: at \S+:\d+:\d+)?$/);
  }, 30_000);

  it("hands out a message that comes in the same turn of the event loop as forget for its source", async () => {
    const { sms, messages, inbox } = router(await empty());
    const source = "+911111111111";
    for (let n = 0; n < 20; n++) {
      const before = sms.receive(post({ source, message: "before" }));
      for (let turn = 0; turn < n % 4; turn++) await new Promise(setImmediate);
      const forgotten = inbox.forget(source);
      const after = sms.receive(post({ source, message: `after ${n}` }));
      await Promise.all([before, forgotten, after]);
      await until(() => messages.some(({ text }) => text === `after ${n}`));
    }
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 0, dead: 0 });
  }, 20_000);

  it("hands out and forgets messages of a source with unusual characters", async () => {
    const { sms, messages, inbox } = router(await empty());
    for (const source of ODD_SOURCES) {
      const texts = ["first", "second", "third"].map((which) => `${which} of ${JSON.stringify(source)}`);
      await Promise.all(texts.map((message) => sms.receive(post({ source, message }))));
      const seen = (): unknown[] => messages.filter((one) => one.source === source).map(({ text }) => text);
      await until(() => seen().length === 3);
      if (isOrdered) expect(seen()).toEqual(texts);
      expect(seen().sort()).toEqual(texts.sort());
    }
    await until(async () => (await inbox.stats()).running === 0);
    const idle = router(await empty(), { concurrency: 0 });
    for (const source of ODD_SOURCES) await idle.sms.receive(post({ source }));
    for (const source of ODD_SOURCES) expect([source, await idle.inbox.forget(source)]).toEqual([source, 1]);
  }, 20_000);

  it("calls handlers in the asynchronous context of the router, not in that of a request", async () => {
    const tenant = new AsyncLocalStorage<string>();
    const on = await empty();
    const { sms, errors, inbox } = tenant.run("where it was made", () => router(on, { inboxOptions: { attempts: 2 } }));
    const seen: unknown[] = [];
    sms.on("message", async ({ text }) => {
      seen.push(tenant.getStore());
      await new Promise(setImmediate);
      seen.push(tenant.getStore());
      if (text === "fails") throw new Error("no");
    });
    sms.on("error", () => seen.push(tenant.getStore()));
    for (const message of ["a", "fails", "b"]) {
      await tenant.run(`request ${message}`, () => sms.receive(post({ source: message, message })));
    }
    await until(async () => errors.length === 2 && (await inbox.stats()).dead === 1);
    await until(() => seen.length === 10);
    expect(new Set(seen)).toEqual(new Set(["where it was made"]));
  });

  if (isOrdered) {
    it.each([
      ["are handled at once", false],
      ["wait before they are handled", true],
    ])(
      "keeps the order of messages of one source that come in one turn of the event loop and %s",
      async (_case, isWaiting) => {
        const on = await empty();
        const handling = () => router(on);
        const receiver = isWaiting ? router(on, { concurrency: 0 }) : handling();
        const log: Record<string, string[]> = { "+911111111111": [], "+912222222222": [] };
        const listen = ({ sms }: Recorder) =>
          sms.on("message", async ({ source, text = "" }) => {
            log[source]?.push(`${text} starts`);
            await new Promise(setImmediate);
            log[source]?.push(`${text} ends`);
          });
        if (!isWaiting) listen(receiver);
        const texts = Array.from({ length: 20 }, (_, n) => `${n}`);
        const sent = texts.flatMap((message) => Object.keys(log).map((source) => post({ source, message })));
        const receipts = await Promise.all(sent.map((one) => receiver.sms.receive(one)));
        expect(receipts.map(({ outcome }) => outcome)).toEqual(sent.map(() => "stored"));
        if (isWaiting) listen(handling());
        const steps = texts.flatMap((text) => [`${text} starts`, `${text} ends`]);
        await until(() => Object.values(log).every(({ length }) => length >= steps.length), 20_000);
        expect(log).toEqual({ "+911111111111": steps, "+912222222222": steps });
      },
      30_000,
    );

    it("handles messages of one source in order of arrival, across two routers and retries", async () => {
      const on = await empty();
      const routers = [0, 1].map(() => router(on, { inboxOptions: { attempts: 3 } }));
      const log: string[] = [];
      for (const { sms } of routers) {
        sms.on("message", async ({ text = "" }, { attempt }) => {
          log.push(`${text} ${attempt} starts`);
          await waitFor(5);
          log.push(`${text} ${attempt} ends`);
          if (text === "STOP") throw new Error("no");
        });
      }
      const source = "+911111111111";
      for (const [n, message] of ["STOP", "START", "HELP"].entries()) {
        await routers[n % 2]?.sms.receive(post({ source, message }));
      }
      await until(() => log.includes("HELP 1 ends"), 10_000);
      const steps = ["STOP 1", "STOP 2", "STOP 3", "START 1", "HELP 1"];
      expect(log).toEqual(steps.flatMap((step) => [`${step} starts`, `${step} ends`]));
      expect(await routers[0]?.inbox.stats()).toMatchObject({ dead: 1 });
    }, 20_000);
  }
}
