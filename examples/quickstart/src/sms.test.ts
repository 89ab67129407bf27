// What the handlers do, without a server and without the provider: `npm test`.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { subscriber } from "express-kaleyra-sms/testing";

// Set before sms.ts reads it: without a token, the router warns. No text of a test needs it.
process.env.CALLBACK_TOKEN = "token-of-the-tests";
const { optedOut, sms } = await import("./sms.js");

after(() => sms.close());

test("STOP opts a subscriber out, however it is typed", async () => {
  for (const [n, text] of ["STOP", "stop", "Stop, please!", "*Stop* 🙏"].entries()) {
    const source = `+9198765000${n}0`;
    const { outcome } = await subscriber(sms, { source }).text(text);
    assert.equal(outcome, "handled");
    assert.ok(optedOut.has(source), text);
  }
});

test("HELP, and STOP within a sentence, opt nobody out", async () => {
  const before = optedOut.size;
  const asha = subscriber(sms, { source: "+919876500099" });
  await asha.text("HELP");
  await asha.text("Where does the bus stop?");
  assert.equal(optedOut.size, before);
});

test("a callback that the provider sends twice is handled once", async () => {
  const asha = subscriber(sms, { source: "+919876500098" });
  const outcomes = [];
  for (let n = 0; n < 2; n++) outcomes.push((await asha.text("STOP", { id: "sent-twice" })).outcome);
  assert.deepEqual(outcomes, ["handled", "duplicate"]);
});
