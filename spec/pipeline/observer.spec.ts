// What observes a router, such as the simulator, harms no callback.

import { describe, expect, it } from "@jest/globals";
import { incomingSms, type Inbox, type InboxWork, type IncomingSms } from "express-kaleyra-sms";
import { simulator } from "express-kaleyra-sms/simulator";

import { callback } from "../support/callbacks";
import { deferred } from "../support/recorder";

interface Observable {
  readonly observe: (observer: object) => void;
}

const STATE = Symbol.for("express-kaleyra-sms: state of a router");
const observe = (sms: IncomingSms, observer: object): void =>
  (sms as unknown as Record<symbol, Observable>)[STATE]?.observe(observer);

const hurt = (): never => {
  throw new Error("+919876500001 hurts");
};

const hurtAtEnd = () => ({ ended: hurt });
/** What has no end. */
const events = { announced: hurt, inboxFailed: hurt, deadLetter: hurt, closing: hurt };

/** Observers that throw at once, or when what they began to observe has ended. */
const HURTING = [
  ["at once", { ...events, callback: hurt, handler: hurt, store: hurt }],
  ["at the end", { ...events, callback: hurtAtEnd, handler: hurtAtEnd, store: hurtAtEnd }],
] as const;

describe("an observer", () => {
  it.each(HURTING)("that throws %s harms no callback, no handler and no other observer", async (_when, observer) => {
    const lines: string[] = [];
    const logger = { warn: () => undefined, error: (line: string) => lines.push(line) };
    const sms = incomingSms({ authenticate: false, logger });
    const handled: string[] = [];
    sms.on("message", async ({ id }) => {
      await Promise.resolve();
      handled.push(id);
    });
    const seen: string[] = [];
    observe(sms, observer);
    observe(sms, { ...observer, callback: () => ({ ended: () => seen.push("answer") }) });
    for (const id of ["1", "2"]) {
      const { outcome } = await sms.receive({ method: "POST", body: callback({ id }) });
      expect(outcome).toBe("handled");
    }
    const { outcome } = await sms.receive({ method: "POST", body: "{" });
    expect(outcome).toBe("invalid");
    expect(handled).toEqual(["1", "2"]);
    expect(seen).toEqual(["answer", "answer", "answer"]);
    expect(lines.filter((line) => line.endsWith("(observer-failed)"))).toHaveLength(1);
    expect(lines.join("\n")).not.toContain("9876500001");
    await sms.close();
  });

  it.each(HURTING)("that throws %s harms no store, and nothing that an inbox does", async (_when, observer) => {
    const lines: string[] = [];
    const logger = { warn: () => undefined, error: (line: string) => lines.push(line) };
    const started = deferred<InboxWork>();
    let isFull = false;
    const inbox: Inbox = {
      store: () => (isFull ? Promise.reject(new Error("full")) : Promise.resolve("stored")),
      start: started.resolve,
      close: () => Promise.resolve(),
    };
    const sms = incomingSms({ authenticate: false, logger, inbox });
    const causes: unknown[] = [];
    sms.on("message", () => Promise.reject(new Error("down"))).on("error", ({ cause }) => causes.push(cause));
    const stored: unknown[] = [];
    observe(sms, observer);
    observe(sms, { ...observer, store: () => ({ ended: (result: unknown) => stored.push(result) }) });
    const { outcome, message } = await sms.receive({ method: "POST", body: callback() });
    if (message === undefined) throw new Error(`not stored: ${outcome}`);
    isFull = true;
    expect(await sms.receive({ method: "POST", body: callback() })).toMatchObject({ outcome: "failed", status: 503 });
    expect(stored).toEqual([{ stored: "stored" }, { cause: new Error("full") }]);

    const work = await started.promise;
    expect(await work.handle(message, { attempt: 1, final: true })).toMatchObject({ outcome: "failed" });
    work.failed(new Error("no take"));
    work.unwritten?.(new Error("no end"));
    expect(causes).toEqual(["full", "down", "no take", "no end"].map((text) => new Error(text)));
    expect(lines.filter((line) => line.endsWith("(observer-failed)"))).toHaveLength(1);
    expect(lines.join("\n")).not.toContain("9876500001");
    await sms.close();
  });
});

describe("a simulator", () => {
  it.each([
    ["synchronous", () => hurt],
    ["asynchronous", () => async () => Promise.reject(Object.create({}, { message: { get: hurt } }) as Error)],
    ["asynchronous, of null", () => async () => Promise.reject(null)],
  ])("harms no callback whose handler throws what nobody can read: %s", async (_kind, make) => {
    const sms = incomingSms({ authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    simulator(sms, { target: "/sms" });
    sms.keyword("ODD", make());
    const send = (id: string): Promise<{ outcome: string }> =>
      sms.receive({ method: "POST", body: callback({ id, message: "ODD" }) });
    expect(await send("1")).toMatchObject({ outcome: "failed", status: 500 });
    expect(await send("2")).toMatchObject({ outcome: "failed", status: 500 });
    await sms.close();
  });
});
