// An ESM app that receives one callback and ends.

import assert from "node:assert/strict";
import express from "express";
import { incomingSms, OPT_OUT } from "express-kaleyra-sms";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { subscriber } from "express-kaleyra-sms/testing";
import schema from "express-kaleyra-sms/schema.json" with { type: "json" };

assert.equal(schema.type, "object");
assert.throws(() => postgresInbox({}), /options\.pool of postgresInbox/);
assert.throws(() => sqliteInbox({}), /options\.file of sqliteInbox/);
const stopped = [];
const sms = incomingSms();
sms.keyword(OPT_OUT, ({ message }) => stopped.push(message.source));
await subscriber(sms).text("stop");
assert.deepEqual(stopped.splice(0), ["+919876543210"]);
const server = express()
  .all("/sms", sms)
  .listen(0, "127.0.0.1", async () => {
    const query = "id=1&source=919876543210&recipient=5050&keyword=STOP";
    const response = await fetch(`http://127.0.0.1:${server.address().port}/sms?${query}`);
    assert.equal(response.status, 200);
    assert.deepEqual(stopped, ["+919876543210"]);
    server.close();
  });
