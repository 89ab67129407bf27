// What sms.receive is given, in every form that a program may have it.

import { describe, expect, it } from "@jest/globals";

import { callback } from "../support/callbacks";
import { recorder } from "../support/recorder";

const FORM = "application/x-www-form-urlencoded";
const text = (): string => JSON.stringify(callback());
const bytes = (): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text());
const fails = (): never => {
  throw new Error("c4n4ry");
};
/** An object that throws where one of its properties is read. */
const throwing = (name: string, others: object = {}): object =>
  Object.defineProperty({ ...others }, name, { enumerable: true, get: fails });

function transferred(): Uint8Array {
  const sent = bytes();
  structuredClone(sent.buffer, { transfer: [sent.buffer] });
  return sent;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** The compiler does not know it yet. */
function growing(length: number): ArrayBuffer {
  return Reflect.construct(ArrayBuffer, [length, { maxByteLength: 9_999 }]) as ArrayBuffer;
}

describe("sms.receive rejects with a TypeError that says what it takes", () => {
  it.each<[what: string, given: () => unknown]>([
    ["bytes that were transferred to another thread", () => ({ method: "POST", body: transferred() })],
    ["numbers of two bytes", () => ({ method: "POST", body: new Uint16Array(bytes()) })],
    ["a buffer that is no array", () => ({ method: "POST", body: bytes().buffer })],
    ["a content type that is a number", () => ({ method: "POST", body: text(), contentType: 5 })],
    ["a content type that is null", () => ({ method: "POST", body: text(), contentType: null })],
    ["a content type that is a list", () => ({ method: "POST", body: text(), contentType: ["application/json"] })],
    ["a query that is a number", () => ({ method: "GET", query: 5 })],
    ["a query of bytes", () => ({ method: "GET", query: bytes() })],
    ["a query of another class", () => ({ method: "GET", query: new URLSearchParams({ id: "1" }) })],
    ["a query whose variable throws", () => ({ method: "GET", query: throwing("id") })],
    ["a query that is a revoked proxy", () => ({ method: "GET", query: revoked() })],
    ["a method that throws", () => throwing("method")],
    ["a body that throws", () => throwing("body", { method: "POST" })],
    ["a content type that throws", () => throwing("contentType", { method: "POST", body: text() })],
    ["a revoked proxy", revoked],
    ["a function", () => Object.assign(() => undefined, { method: "GET", query: "id=1" })],
    ["nothing", () => undefined],
  ])("given %s", async (_what, make) => {
    const { sms, messages, invalid, lines } = recorder();
    const error: unknown = await sms.receive(make() as never).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toHaveProperty("message", expect.stringContaining("A callback is { method:"));
    expect([messages, invalid, lines]).toEqual([[], [], []]);
  });
});

describe("sms.receive finds invalid, without an internal error,", () => {
  it.each<[what: string, body: () => object, contentType: string | undefined, code: string]>([
    ["an object whose field throws", () => throwing("id", callback()), undefined, "malformed-body"],
    ["one of a form whose field throws", () => throwing("id", callback()), FORM, "malformed-body"],
    ["one whose keys cannot be had", () => new Proxy({}, { ownKeys: fails }), undefined, "malformed-body"],
    ["a revoked proxy", revoked, undefined, "malformed-body"],
    ["one of a form whose parts throw", () => ({ ...callback(), parts: throwing("1") }), FORM, "schema"],
    [
      "one of a form whose list throws",
      () => ({ ...callback(), id: Object.defineProperty(["1"], 0, { get: fails }) }),
      FORM,
      "schema",
    ],
    ["one that is nothing in JSON", () => ({ toJSON: () => undefined }), undefined, "schema"],
    ["one that cannot be written as JSON", () => ({ toJSON: fails }), undefined, "schema"],
  ])("%s, and raw is a string", async (_what, make, contentType, code) => {
    const { sms, invalid, lines } = recorder();
    const receipt = await sms.receive({ method: "POST", body: make(), contentType });
    expect(receipt).toMatchObject({ outcome: "invalid", status: 400, problem: { code, raw: "" } });
    expect([invalid, lines]).toEqual([[receipt.problem], []]);
  });
});

describe("sms.receive reads", () => {
  it.each<[what: string, body: (sent: Uint8Array) => Uint8Array]>([
    ["memory that threads share", (sent) => new Uint8Array(new SharedArrayBuffer(sent.length))],
    ["memory that may grow", (sent) => new Uint8Array(growing(sent.length))],
    ["part of a buffer", (sent) => new Uint8Array(new ArrayBuffer(sent.length + 2), 1, sent.length)],
  ])("bytes in %s", async (_what, place) => {
    const { sms } = recorder();
    for (const contentType of [undefined, "text/plain; charset=latin1"]) {
      const sent = bytes();
      const body = place(sent);
      body.set(sent);
      expect(await sms.receive({ method: "POST", body, contentType })).toMatchObject({ outcome: "handled" });
    }
  });

  it("each property of a callback once", async () => {
    const { sms } = recorder();
    let times = 0;
    const changing = {
      method: "POST" as const,
      get body(): string {
        return times++ === 0 ? text() : (5 as never);
      },
    };
    expect(await sms.receive(changing)).toMatchObject({ outcome: "handled" });
    expect(times).toBe(1);
  });
});
