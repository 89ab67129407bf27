// What the handlers do, on an inbox in memory and without a server: `npm test`.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { incomingSms } from "express-kaleyra-sms";
import { memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";

import { addHandlers } from "./handlers.js";

let calls, printed, isDown, hasOptedOut, inbox, sms, asha;

beforeEach(() => {
  calls = [];
  printed = [];
  isDown = false;
  hasOptedOut = false;
  const note = (choice) => async (source, at) => {
    if (isDown) throw new Error("The database is down.");
    calls.push([choice, source, at]);
  };
  const consent = { optOut: note("out"), optIn: note("in"), hasOptedOut: async () => hasOptedOut };
  inbox = memoryInbox({ attempts: 3, backoffMs: 60_000 });
  sms = incomingSms({ inbox, authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
  addHandlers(sms, { consent, log: (line) => printed.push(line) });
  asha = subscriber(sms, { source: "+919876500001" });
});

afterEach(() => sms.close());

test("STOP and START are noted with the time at which they came", async () => {
  const { message: stop } = await asha.text("Stop, please!");
  const { message: start } = await asha.text("START");
  await settled(sms);
  assert.deepEqual(calls, [
    ["out", "+919876500001", stop.receivedAt],
    ["in", "+919876500001", start.receivedAt],
  ]);
});

test("a STOP that could not be noted is noted by a retry, with its first time", async () => {
  isDown = true;
  const { message } = await asha.text("STOP");
  await settled(sms);
  assert.deepEqual(calls, []);
  isDown = false;
  await inbox.advance(60_000);
  assert.deepEqual(calls, [["out", "+919876500001", message.receivedAt]]);
});

test("HELP is answered, unless the subscriber has opted out", async () => {
  await asha.text("HELP");
  await settled(sms);
  hasOptedOut = true;
  await asha.text("HELP");
  await settled(sms);
  assert.deepEqual(printed, ["+919876500001 gets help"]);
});

test("STOP within a sentence, and what no keyword matches, are left to a person", async () => {
  for (const text of ["Why don't you stop?", "Where is my parcel?"]) await asha.text(text, { id: text });
  await settled(sms);
  assert.deepEqual(calls, []);
  assert.deepEqual(printed, [
    "message Why don't you stop?: a person should read this",
    "message Where is my parcel?: a person should read this",
  ]);
});
