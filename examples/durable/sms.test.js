// What the handlers do, also when the app's database fails: without a server, without a file, and without waiting for a retry. `npm test`.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";

import { createSms } from "./sms.js";

let app;
let inbox;
let sms;
let asha;
let lines;

beforeEach(() => {
  lines = [];
  const credited = new Map();
  app = {
    optedOut: [],
    credited,
    isDown: false,
    optOut: (source) => app.optedOut.push(source),
    topUp: (key, source, amount) => {
      if (app.isDown) throw new Error("The database is down.");
      const isFirst = !credited.has(key);
      if (isFirst) credited.set(key, `${source} ${amount}`);
      return isFirst;
    },
  };
  inbox = memoryInbox({ attempts: 3, backoffMs: 60_000 });
  const log = { error: (line) => lines.push(line) };
  sms = createSms({ inbox, app, authenticate: false, log });
  asha = subscriber(sms, { source: "+919876500001" });
});

afterEach(() => sms.close());

test("STOP opts a subscriber out", async () => {
  const { outcome } = await asha.text("Stop, please!");
  assert.equal(outcome, "stored");
  await settled(sms);
  assert.deepEqual(app.optedOut, ["+919876500001"]);
});

test("TOPUP credits the amount once, also if the provider sends the callback twice", async () => {
  for (let n = 0; n < 2; n++) await asha.text("TOPUP 50", { id: "sent-twice" });
  await asha.text("TOPUP lots");
  await settled(sms);
  assert.deepEqual([...app.credited.values()], ["+919876500001 50"]);
});

test("a top-up that failed is tried again, before what was texted after it", async () => {
  app.isDown = true;
  await asha.text("TOPUP 50");
  await asha.text("TOPUP 20");
  await settled(sms);
  app.isDown = false;
  await inbox.advance(60_000);
  assert.deepEqual([...app.credited.values()], ["+919876500001 50", "+919876500001 20"]);
});

test("what fails in each attempt is a dead letter, and is credited when it is replayed", async () => {
  app.isDown = true;
  const { message } = await asha.text("TOPUP 50");
  await inbox.advance(60_000 + 120_000);
  assert.deepEqual(await inbox.get(message.key).then(({ state, attempts }) => [state, attempts]), ["dead", 3]);
  app.isDown = false;
  await inbox.replayAll();
  await settled(sms);
  assert.equal(app.credited.size, 1);
});

test("each failed attempt is one line, with the message's key and with nothing that was typed", async () => {
  app.isDown = true;
  const { message } = await asha.text("TOPUP 50");
  await inbox.advance(60_000 + 120_000);
  assert.equal(lines.length, 3);
  for (const [n, line] of lines.entries()) {
    const isLast = n === 2 ? "the last" : "to be retried";
    assert.ok(line.startsWith(`Message ${message.key}, attempt ${n + 1}, ${isLast}: `), line);
    assert.match(line, /A handler of "keyword" failed: Error at .*sms\.test\.js:\d+:\d+/);
    assert.doesNotMatch(line, /\n|9876500001|TOPUP|down/);
  }
});
