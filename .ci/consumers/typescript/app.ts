// A TypeScript app that receives one callback and ends. The library's own types are checked too (skipLibCheck is off).

import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import express from "express";
import type { DatabaseSync } from "node:sqlite";
import { Pool } from "pg";
import { incomingSms, OPT_OUT, type Inbox, type KeywordMatch, type SmsMessage } from "express-kaleyra-sms";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { simulator, type SimulatorOptions } from "express-kaleyra-sms/simulator";
import {
  fixture,
  memoryInbox,
  settled,
  subscriber,
  type MemoryInbox,
  type Subscriber,
} from "express-kaleyra-sms/testing";

const stopped: string[] = [];
const texts: Array<SmsMessage["text"]> = [];
const sms = incomingSms({ defaultCountry: "IN" });
sms.keyword(OPT_OUT, ({ message }: KeywordMatch) => stopped.push(message.source));
sms.on("message", async (message) => void texts.push(message.text));
// Node 20 has no such database: what is looked at is that it fits.
export const durable = (database: DatabaseSync): Inbox => sqliteInbox({ database, attempts: 3 });
void postgresInbox({ pool: new Pool(), schema: "sms", name: "orders" }).close();
// @ts-expect-error: a connection string
assert.throws(() => postgresInbox({ pool: "postgres://localhost/app" }), TypeError);
const inMemory: MemoryInbox = memoryInbox({ attempts: 3 });
const asha: Subscriber = subscriber(sms, { source: "+919876500001" });
assert.throws(() => fixture("no such file"), /There is no file no such file/);
void inMemory.advance(1_000).then(() => inMemory.close());
const page: SimulatorOptions = { target: "/sms", headers: { "X-Callback-Token": process.env.CALLBACK_TOKEN } };
assert.equal(typeof simulator(sms, page), "function");
// @ts-expect-error: a misspelt event
assert.throws(() => sms.on("mesage", () => undefined), TypeError);

const router = express.Router();
router.use("/sms", sms);
const server = express()
  .use(router)
  .listen(0, "127.0.0.1", async () => {
    const body = JSON.stringify({ id: "1", source: "9876543210", recipient: "5050", message: "stop" });
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/sms`, { method: "POST", body });
    assert.equal(response.status, 200);
    assert.deepEqual([stopped, texts], [["+919876543210"], ["stop"]]);
    await asha.text("hello");
    await settled(sms);
    assert.deepEqual(texts, ["stop", "hello"]);
    server.close();
  });
