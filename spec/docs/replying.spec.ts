// docs/replying.md: its examples run as printed. A reply is sent once, and none to somebody who opted out.

import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "@jest/globals";
import { memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";
import Database from "libsql";

import { recorder } from "../support/recorder";
import { readPage } from "./page";

const PAGE = readPage("docs/replying.md");

it("has a handler that replies, but not to a message that opts out", async () => {
  const { sms } = recorder();
  const sent: unknown[] = [];
  const sendSms = (reply: unknown, signal: unknown): unknown => sent.push([reply, signal instanceof AbortSignal]);
  runInNewContext(PAGE.block("ts", "BALANCE"), { sms, sendSms });
  const { message } = await subscriber(sms).text("balance");
  await subscriber(sms).text("BALANCE STOP", { keyword: "BALANCE" });
  const reply = { to: "+919876543210", text: "Your balance: 10", idempotencyKey: message?.key };
  expect(sent).toEqual([[reply, true]]);
});

describe("the recipe for changes and replies", () => {
  const code = PAGE.block("js", "CREATE TABLE IF NOT EXISTS reply");
  const asha = "+919876543210";
  const closing: Array<() => Promise<void>> = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  /** Runs the recipe over an API that knows the idempotency keys of what it has sent. */
  function shop() {
    const database = new Database(":memory:");
    const inbox = memoryInbox({ attempts: 3, backoffMs: 60_000 });
    const { sms } = recorder({ inbox });
    const optedOut = new Set<string>();
    const sent = new Map<string, string>();
    const api = { calls: 0, isDown: false, losesAnswers: false };
    const taken: string[] = [];
    const sendSms = ({ to, text, idempotencyKey }: Record<"to" | "text" | "idempotencyKey", string>): Promise<void> => {
      api.calls++;
      if (api.isDown) return Promise.reject(new Error("down"));
      if (!sent.has(idempotencyKey)) sent.set(idempotencyKey, `${to} ${text}`);
      return api.losesAnswers ? Promise.reject(new Error("no answer")) : Promise.resolve();
    };
    const takeCoupon = (source: string): string => `C${taken.push(source)}`;
    const hasOptedOut = (source: string): boolean => optedOut.has(source);
    runInNewContext(code, { database, sms, sendSms, takeCoupon, hasOptedOut });
    closing.push(async () => {
      await sms.close();
      database.close();
    });
    return { sms, inbox, api, optedOut, taken, sent: () => [...sent.values()] };
  }

  it("makes the change once, and sends the reply when the API is up again", async () => {
    const { sms, inbox, api, taken, sent } = shop();
    api.isDown = true;
    await subscriber(sms).text("COUPON");
    await inbox.advance(60_000);
    expect([taken, sent()]).toEqual([[asha], []]);
    api.isDown = false;
    await inbox.advance(120_000);
    expect([taken, sent()]).toEqual([[asha], [`${asha} Your coupon: C1`]]);
  });

  it("sends a reply once, also if the API's answer is lost, or a sent reply is handled again", async () => {
    const { sms, inbox, api, taken, sent } = shop();
    sms.on("message", (_message, { attempt }) => {
      if (attempt < 3) throw new Error("another handler");
    });
    api.losesAnswers = true;
    await subscriber(sms).text("COUPON");
    await settled(sms);
    api.losesAnswers = false;
    await inbox.advance(180_000);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    expect([taken, sent(), api.calls]).toEqual([[asha], [`${asha} Your coupon: C1`], 2]);
  });

  it("sends nothing to a subscriber who opted out, before or meanwhile", async () => {
    const { sms, inbox, api, optedOut, taken, sent } = shop();
    api.isDown = true;
    await subscriber(sms).text("COUPON");
    await settled(sms);
    optedOut.add(asha);
    api.isDown = false;
    await inbox.advance(60_000);
    await subscriber(sms).text("COUPON");
    await settled(sms);
    expect([taken, sent()]).toEqual([[asha], []]);
  });
});
