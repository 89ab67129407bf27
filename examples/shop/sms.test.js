// What the keywords do, also when the provider's API fails: without a server or a file, and without waiting for a retry. `npm test`.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";

import { createConsent } from "./consent.js";
import { openDatabase } from "./database.js";
import { createReplies } from "./replies.js";
import { createShop } from "./shop.js";
import { createSms } from "./sms.js";

const ASHA = "+919876500001";
const numbers = { orders: "+919812345678", offers: "+919812345679" };
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

let database, consent, shop, inbox, sms, provider, toOrders, toOffers;

beforeEach(() => {
  database = openDatabase(":memory:");
  consent = createConsent(database);
  shop = createShop(database);
  for (const code of ["FIRST10", "SECOND10"]) shop.addCoupon(code);
  shop.addOrder("4711", ASHA, "on its way");
  // Like the provider's API: it knows the keys of what it has sent.
  provider = {
    sent: new Map(),
    requests: 0,
    isDown: false,
    losesAnswers: false,
    async send({ idempotencyKey, receiver, text }) {
      provider.requests++;
      if (provider.isDown) throw new Error("The API is down.");
      if (!provider.sent.has(idempotencyKey)) provider.sent.set(idempotencyKey, `${receiver} ${text}`);
      if (provider.losesAnswers) throw new Error("No answer came.");
    },
  };
  inbox = memoryInbox({ attempts: 3, backoffMs: 60_000 });
  const replies = createReplies({ database, consent, provider });
  sms = createSms({ inbox, numbers, consent, shop, replies, log, authenticate: false });
  toOrders = subscriber(sms, { source: ASHA, recipient: numbers.orders });
  toOffers = subscriber(sms, { source: ASHA, recipient: numbers.offers });
});

afterEach(async () => {
  await sms.close();
  database.close();
});

const sent = () => [...provider.sent.values()];
const couponsTaken = () => database.prepare("SELECT code FROM coupon WHERE source IS NOT NULL").all().length;
const states = () =>
  database
    .prepare("SELECT state FROM reply")
    .all()
    .map(({ state }) => state);
const toReview = () =>
  database
    .prepare("SELECT text FROM review ORDER BY received_at")
    .all()
    .map(({ text }) => text);

async function send(from, ...texts) {
  for (const one of texts) await from.text(one);
  await settled(sms);
}

test("STOP to either number ends the replies of both", async () => {
  await send(toOrders, "Stop, please!");
  assert.ok(consent.hasOptedOut(ASHA));
  await send(toOffers, "COUPON", "HELP");
  await send(toOrders, "TRACK 4711");
  assert.deepEqual(sent(), []);
  assert.equal(couponsTaken(), 0);
});

test("STOP behind the console's keyword COUPON or HELP opts out, and gets no reply", async () => {
  consent.optIn(ASHA, "2026-01-01T00:00:00.000Z");
  for (const keyword of ["COUPON", "HELP"]) await toOffers.text(`${keyword} STOP`, { keyword });
  await settled(sms);
  assert.ok(consent.hasOptedOut(ASHA));
  assert.equal(couponsTaken(), 0);
  assert.deepEqual(states(), []);
});

test("only those who texted START get a coupon", async () => {
  await send(toOffers, "COUPON", "START", "COUPON");
  assert.deepEqual(sent(), [
    `${ASHA} Text START to get our offers, and then COUPON.`,
    `${ASHA} Welcome! You get our offers now. Text STOP to end them.`,
    `${ASHA} Your coupon: FIRST10`,
  ]);
});

test("START undoes STOP", async () => {
  await send(toOffers, "STOP", "START", "COUPON");
  assert.equal(sent().at(-1), `${ASHA} Your coupon: FIRST10`);
});

test("a reply that cannot be sent is sent later, and takes one coupon only", async () => {
  await send(toOffers, "START");
  provider.isDown = true;
  await send(toOffers, "COUPON");
  assert.equal(sent().length, 1);
  provider.isDown = false;
  await inbox.advance(60_000);
  assert.deepEqual(sent().slice(1), [`${ASHA} Your coupon: FIRST10`]);
  assert.equal(couponsTaken(), 1);
});

test("a reply whose sending got no answer is not sent twice", async () => {
  provider.losesAnswers = true;
  await send(toOrders, "TRACK 4711");
  provider.losesAnswers = false;
  await inbox.advance(60_000);
  assert.deepEqual(sent(), [`${ASHA} Order 4711: on its way.`]);
  assert.deepEqual(await inbox.stats().then(({ delayed, dead }) => [delayed, dead]), [0, 0]);
});

test("a message that is retried although its reply was sent changes and sends nothing again", async () => {
  sms.on("message", (_message, { attempt }) => {
    if (attempt === 1) throw new Error("Another handler failed.");
  });
  await send(toOrders, "TRACK 4711");
  await send(subscriber(sms, { source: "+919876500002", recipient: numbers.orders }), "Where is my parcel?");
  await inbox.advance(60_000);
  assert.deepEqual(await inbox.stats().then(({ delayed, dead }) => [delayed, dead]), [0, 0]);
  assert.equal(provider.requests, 1);
  assert.deepEqual(states(), ["sent"]);
  assert.deepEqual(toReview(), ["Where is my parcel?"]);
});

test("a callback that comes twice gets one reply", async () => {
  for (let n = 0; n < 2; n++) await toOrders.text("TRACK 4711", { id: "sent-twice" });
  await settled(sms);
  assert.equal(sent().length, 1);
});

test("a reply that waits is not sent to somebody who has opted out meanwhile", async () => {
  await send(toOffers, "START");
  provider.isDown = true;
  const { message } = await toOffers.text("COUPON");
  await inbox.advance(60_000 + 120_000);
  assert.equal((await inbox.get(message.key)).state, "dead");
  await send(toOffers, "STOP");
  provider.isDown = false;
  await inbox.replayAll();
  await settled(sms);
  assert.equal(sent().length, 1);
  assert.deepEqual(states(), ["sent", "withheld"]);
  await send(toOffers, "START");
  assert.deepEqual(await inbox.stats().then(({ waiting, dead }) => [waiting, dead]), [0, 0]);
  assert.ok(sent().every((one) => !one.includes("FIRST10")));
});

test("TRACK tells nothing of an order of somebody else", async () => {
  await send(subscriber(sms, { source: "+919876500002", recipient: numbers.orders }), "TRACK 4711");
  assert.deepEqual(sent(), ["+919876500002 We find no such order of yours. Text TRACK and its number."]);
});

test("a keyword of one number is none of the other", async () => {
  await send(toOrders, "COUPON");
  assert.deepEqual(sent(), []);
  assert.deepEqual(toReview(), ["COUPON"]);
});

test("what may be an opt-out, and what no keyword matches, is put before a person", async () => {
  await send(toOrders, "Why don't you stop?", "Where is my parcel?");
  assert.deepEqual(toReview(), ["Why don't you stop?", "Where is my parcel?"]);
  assert.ok(!consent.hasOptedOut(ASHA));
});

test("a START that is handled late does not undo a later STOP", () => {
  consent.optOut(ASHA, "2026-01-01T00:00:02.000Z");
  consent.optIn(ASHA, "2026-01-01T00:00:01.000Z");
  assert.ok(consent.hasOptedOut(ASHA));
});
