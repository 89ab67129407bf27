// What observes a router, such as the simulator, harms no callback.

import { describe, expect, it } from "@jest/globals";
import { incomingSms, type IncomingSms } from "express-kaleyra-sms";
import { simulator } from "express-kaleyra-sms/simulator";

import { callback } from "../support/callbacks";

interface Observable {
  readonly observe: (observer: object) => void;
}

const STATE = Symbol.for("express-kaleyra-sms: state of a router");
const observe = (sms: IncomingSms, observer: object): void =>
  (sms as unknown as Record<symbol, Observable>)[STATE]?.observe(observer);

const hurt = (): never => {
  throw new Error("+919876500001 hurts");
};

/** Observers that throw at once, or when what they began to observe has ended. */
const HURTING = [
  ["at once", { callback: hurt, handler: hurt, announced: hurt, closing: hurt }],
  [
    "at the end",
    { callback: () => ({ ended: hurt }), handler: () => ({ ended: hurt }), announced: hurt, closing: hurt },
  ],
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
