// An app with an old TypeScript, which finds subpaths by `typesVersions`. It checks our types too (no skipLibCheck).

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { callbackProfile, incomingSms, OPT_OUT, type Inbox, type SmsMessage } from "express-kaleyra-sms";
import { bullmqInbox, type BullmqInboxOptions } from "express-kaleyra-sms/bullmq";
import { postgresInbox, type PostgresInboxOptions } from "express-kaleyra-sms/postgres";
import { sqliteInbox, type SqliteInboxOptions } from "express-kaleyra-sms/sqlite";
import { metrics, type MetricsOptions } from "express-kaleyra-sms/metrics";
import * as client from "prom-client";
import { simulator } from "express-kaleyra-sms/simulator";
import {
  fixture,
  memoryInbox,
  settled,
  subscriber,
  type MemoryInbox,
  type Subscriber,
} from "express-kaleyra-sms/testing";

export const inFile = (options: SqliteInboxOptions): Inbox => sqliteInbox(options);
export const inRedis = (options: BullmqInboxOptions): Inbox => bullmqInbox(options);
export const inPostgres = (options: PostgresInboxOptions): Inbox => postgresInbox(options);

const texts: Array<SmsMessage["text"]> = [];
const profile = callbackProfile({ method: "POST", url: "https://your.domain/sms" });
const sms = incomingSms({ authenticate: false, profile });
sms.keyword(OPT_OUT, ({ message }) => texts.push(message.text));
const asha: Subscriber = subscriber(sms, { source: "+919876500001" });
const inMemory: MemoryInbox = memoryInbox({ attempts: 3 });
assert.throws(() => fixture("no such file"), /There is no file no such file/);
// @ts-expect-error: a misspelt event
assert.throws(() => sms.on("mesage", () => undefined), TypeError);
createServer(sms);
createServer(simulator(sms, { target: "/sms" }));
createHttp2Server(sms);
const measured: MetricsOptions = { client, prefix: "sms_" };
metrics(sms, measured);
export const POST = (request: Request): Promise<Response> => sms.fetch(request, { ip: "203.0.113.5" });
incomingSms({ authenticate: (request: Request) => request.headers.get("x-token") === "abc" });
incomingSms({ authenticate: (req) => req.headers["x-token"] === "abc" });

const values = { id: "1", source: "919876543210", recipient: "5050", message: "stop", status: "SENT" };
void sms.receive({ method: "POST", body: profile.render(values).body ?? "" }).then(async ({ outcome }) => {
  assert.equal(outcome, "handled");
  assert.deepEqual(texts, ["stop"]);
  await asha.text("Stop!");
  await settled(sms);
  assert.deepEqual(texts, ["stop", "Stop!"]);
  assert.match(await client.register.metrics(), /^sms_callbacks_total\{method="POST",outcome="handled"\} 2$/m);
  await inMemory.close();
});
