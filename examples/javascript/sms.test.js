// What the handlers do, without a server: `npm test`.

const assert = require("node:assert/strict");
const { after, test } = require("node:test");
const { subscriber } = require("express-kaleyra-sms/testing");

// Set before sms.js reads it: without a token, the router warns. No text of a test needs it.
process.env.CALLBACK_TOKEN = "token-of-the-tests";
const { optedOut, sms } = require("./sms.js");

const asha = subscriber(sms, { source: "+919876500001" });
after(() => sms.close());

test("STOP within a sentence opts nobody out", async () => {
  const { outcome } = await asha.text("Where does the bus stop?");
  assert.equal(outcome, "handled");
  assert.equal(optedOut.size, 0);
});

test("STOP opts a subscriber out", async () => {
  await asha.text("Stop, please!");
  assert.deepEqual([...optedOut], ["+919876500001"]);
});
