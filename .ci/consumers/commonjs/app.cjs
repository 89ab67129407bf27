// A CommonJS app that receives one callback and ends.

const assert = require("node:assert/strict");
const express = require("express");
const { incomingSms, OPT_OUT } = require("express-kaleyra-sms");
const { postgresInbox } = require("express-kaleyra-sms/postgres");
const { simulator } = require("express-kaleyra-sms/simulator");
const { subscriber } = require("express-kaleyra-sms/testing");
const schema = require("express-kaleyra-sms/schema.json");

assert.equal(schema.type, "object");
assert.throws(() => postgresInbox({}), /options\.pool of postgresInbox/);
const stopped = [];
const sms = incomingSms();
sms.keyword(OPT_OUT, ({ message }) => stopped.push(message.source));
const server = express()
  .use("/sms", sms)
  .use("/simulator", simulator(sms, { target: "/sms" }))
  .listen(0, "127.0.0.1", async () => {
    const body = JSON.stringify({ id: "1", source: "919876543210", recipient: "5050", message: "stop" });
    const response = await fetch(`http://127.0.0.1:${server.address().port}/sms`, { method: "POST", body });
    assert.equal(response.status, 200);
    const page = await fetch(`http://127.0.0.1:${server.address().port}/simulator`);
    assert.match(await page.text(), /SMS simulator/);
    await subscriber(sms).text("stop");
    assert.deepEqual(stopped, ["+919876543210", "+919876543210"]);
    server.close();
  });
