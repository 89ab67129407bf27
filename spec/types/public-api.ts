// Compiled by `npm run types`, never run. Correct uses must compile; each wrong use must be a type error.

import { createServer } from "node:http";
import { createSecureServer, createServer as createHttp2Server } from "node:http2";
import { expectTypeOf } from "expect-type";
import express, { type Request as ExpressRequest } from "express";
import {
  callbackProfile,
  incomingSms,
  OPT_OUT,
  type BusyCallback,
  type CallbackProfile,
  type DeadLetter,
  type HandlerContext,
  type Health,
  type Inbox,
  type InboxStats,
  type KeptMessage,
  type OperableInbox,
  type IncomingSms,
  type IncomingSmsOptions,
  type InvalidCallback,
  type KeywordMatch,
  type PostCallbackProfile,
  type Receipt,
  type RenderedCallback,
  type SmsError,
  type SmsEvents,
  type SmsMessage,
  type UnauthorizedCallback,
} from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { sqliteInbox, type SqliteDatabase } from "express-kaleyra-sms/sqlite";
import { fixture, memoryInbox, settled, subscriber } from "express-kaleyra-sms/testing";
import { Pool } from "pg";

const sms = incomingSms();

// A router can be mounted in each of these ways.
express().use("/sms", sms).all("/sms", sms).post("/sms", sms);
express.Router().use(sms).route("/sms").get(sms);
createServer(sms);
createHttp2Server(sms);
createSecureServer({}, sms);
expectTypeOf(sms.fetch(new Request("http://localhost"), { ip: "203.0.113.5" })).toEqualTypeOf<Promise<Response>>();
// @ts-expect-error: a URL is not a Request
void sms.fetch("http://localhost");

// The event's name determines the payload.
sms.on("message", (message, context) => {
  expectTypeOf(message).toEqualTypeOf<SmsMessage>();
  expectTypeOf(context).toEqualTypeOf<HandlerContext>();
  expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
});
sms.on("unmatched", (message) => expectTypeOf(message).toEqualTypeOf<SmsMessage>());
sms.on("duplicate", (message) => expectTypeOf(message).toEqualTypeOf<SmsMessage>());
sms.on("keyword", (match) => expectTypeOf(match).toEqualTypeOf<KeywordMatch>());
sms.on("invalid", (problem) => expectTypeOf(problem).toEqualTypeOf<InvalidCallback>());
sms.on("unauthorized", (refused) => expectTypeOf(refused).toEqualTypeOf<UnauthorizedCallback>());
sms.on("busy", (busy) => expectTypeOf(busy).toEqualTypeOf<BusyCallback>());
sms.on("error", (error) => expectTypeOf(error).toEqualTypeOf<SmsError>());
expectTypeOf<SmsError>().toExtend<Error>();
expectTypeOf<SmsError["smsMessage"]>().toEqualTypeOf<SmsMessage | undefined>();
expectTypeOf<SmsError["event"]>().toEqualTypeOf<"message" | "keyword" | "unmatched" | "inbox">();
sms.keyword(OPT_OUT, (match) => expectTypeOf(match).toEqualTypeOf<KeywordMatch>());

// Handlers may be sync or async, and take fewer arguments.
sms
  .once("message", () => undefined)
  .on("message", async ({ source }) => fetch(source))
  .keyword(["A", /b/], async () => Promise.resolve())
  .off("message", () => undefined)
  .off("keyword", "A", () => undefined);
expectTypeOf(sms.on("message", () => undefined)).toEqualTypeOf<IncomingSms>();

// Only optional properties can be undefined.
expectTypeOf<SmsMessage["text"]>().toEqualTypeOf<string | undefined>();
expectTypeOf<SmsMessage["statusTrace"]>().toEqualTypeOf<string | undefined>();
expectTypeOf<SmsMessage["damaged"]>().toEqualTypeOf<boolean>();
expectTypeOf<SmsMessage["id"]>().toEqualTypeOf<string>();
expectTypeOf<SmsMessage["parts"]>().toEqualTypeOf<readonly string[]>();
expectTypeOf<SmsMessage["fields"]>().toEqualTypeOf<Readonly<Record<string, string>>>();
expectTypeOf<KeywordMatch["by"]>().toEqualTypeOf<"text" | "rest" | "field">();
expectTypeOf<InvalidCallback["raw"]>().toEqualTypeOf<string | Uint8Array>();
expectTypeOf<Receipt["outcome"]>().toEqualTypeOf<"handled" | "stored" | "duplicate" | "invalid" | "failed" | "busy">();
expectTypeOf(sms.receive({ method: "GET", query: "id=1" })).resolves.toEqualTypeOf<Receipt>();
expectTypeOf(sms.close()).toEqualTypeOf<Promise<void>>();

// An option can be undefined.
incomingSms({ path: undefined, deduplicate: { windowMs: 1 }, methods: ["POST"], ack: { body: "ok" } });
expectTypeOf(incomingSms).parameter(0).toEqualTypeOf<IncomingSmsOptions | undefined>();

// Authentication: one demand or several.
incomingSms({ authenticate: false });
incomingSms({ authenticate: { header: "X-Token", value: "abc" } });
incomingSms({ authenticate: [{ query: "token", value: "abc" }, { allow: ["10.0.0.0/8"] }] as const });
incomingSms({
  authenticate: [{ basic: { username: "u", password: "p" } }, { bearer: async () => Promise.resolve(true) }],
});
incomingSms({ authenticate: (req) => req.headers["x-token"] === "abc" });
incomingSms({ authenticate: (req: ExpressRequest) => req.get("x-token") === "abc" });
incomingSms({ authenticate: (request: Request) => request.headers.get("x-token") === "abc" });
incomingSms({
  authenticate: [async (request: Request) => Promise.resolve(request.url !== ""), ({ url }) => url !== ""],
});
incomingSms({ authenticate: (req) => req.headers["x-token"] === "abc" });
// @ts-expect-error: a string is not an answer
incomingSms({ authenticate: (request: Request) => request.url });
sms.on("unauthorized", (refused) => expectTypeOf(refused).toEqualTypeOf<UnauthorizedCallback>());
expectTypeOf<UnauthorizedCallback["ip"]>().toEqualTypeOf<string | undefined>();
incomingSms({ decrypt: (value, field) => value + field });
incomingSms({ defaultCountry: "IN" });

// An environment variable may be missing: then a TypeError names the option.
incomingSms({ authenticate: [{ header: "X-Token", value: process.env.TOKEN }, { bearer: process.env.TOKEN }] });
incomingSms({ authenticate: { basic: { username: process.env.USERNAME, password: process.env.PASSWORD } } });

// @ts-expect-error: true demands nothing
incomingSms({ authenticate: true });
// @ts-expect-error: a header without its value
incomingSms({ authenticate: { header: "X-Token" } });
// @ts-expect-error: a check that returns nothing
incomingSms({ authenticate: () => undefined });
// @ts-expect-error: two kinds in one demand
incomingSms({ authenticate: { header: "X-Token", value: "abc", query: "token" } });
// @ts-expect-error: allow takes an array, even for one address
incomingSms({ authenticate: { allow: "10.0.0.1" } });
// @ts-expect-error: decrypt must be synchronous
incomingSms({ decrypt: async (value) => Promise.resolve(value) });

// The Callback Profile: described by callbackProfile, declared as an option.
const profile = callbackProfile({ method: "POST", url: "https://example.com/sms", statics: { tenant: "acme" } });
expectTypeOf(profile).toEqualTypeOf<PostCallbackProfile>();
expectTypeOf(profile.body).toEqualTypeOf<string>();
expectTypeOf(profile.render({ id: "1" }, { escaping: "none" })).toExtend<RenderedCallback>();
expectTypeOf(profile.render({ id: "1" }).body).toEqualTypeOf<string>();
const getProfile = callbackProfile({ method: "GET", url: "https://example.com/sms" });
expectTypeOf(getProfile).toEqualTypeOf<CallbackProfile>();
expectTypeOf(getProfile.body).toEqualTypeOf<string | undefined>();
declare const maybeUrl: string | undefined;
const { url, headers, body } = profile.render({ id: "1" });
void fetch(url, { method: "POST", headers, body });
incomingSms({ profile, escaping: "none" });

expectTypeOf(callbackProfile.parse('{"id":"<id>"}', { url: maybeUrl })).toEqualTypeOf<CallbackProfile>();
// @ts-expect-error: a profile is made of a text
callbackProfile.parse({ id: "<id>" });
// @ts-expect-error: a misspelt option
callbackProfile.parse("{}", { uri: "https://example.com/sms" });

// @ts-expect-error: only callbackProfile creates a profile
incomingSms({ profile: { method: "POST", url: "https://example.com/sms" } });
// @ts-expect-error: an unknown escaping
incomingSms({ escaping: "html" });
// @ts-expect-error: the URL is missing
callbackProfile({ method: "POST" });
// @ts-expect-error: a profile is read-only
profile.endpoint = "";
// @ts-expect-error: a misspelt event
sms.on("mesage", () => undefined);
// @ts-expect-error: a misspelt event
sms.off("keywords", () => undefined);
// @ts-expect-error: the payload of another event
sms.on("invalid", (problem: SmsMessage) => problem.text);
// @ts-expect-error: no such property
sms.on("message", (message) => message.body);
// @ts-expect-error: a keyword cannot be a number
sms.keyword(5, () => undefined);
// @ts-expect-error: a handler is missing
sms.keyword("STOP");
// @ts-expect-error: off takes a pattern only for keywords
sms.off("message", "STOP", () => undefined);
// @ts-expect-error: a message is read-only
sms.on("message", (message) => (message.text = ""));
// @ts-expect-error: so are its parts
sms.on("message", (message) => message.parts.push(""));
// @ts-expect-error: so are its fields
sms.on("message", (message) => (message.fields.id = ""));
// @ts-expect-error: so is a match
sms.on("keyword", (match) => (match.keyword = ""));
// @ts-expect-error: the industry's words are read-only
OPT_OUT.words.push("FIN");
// @ts-expect-error: an unknown option
incomingSms({ handlerTimeout: 5 });
// @ts-expect-error: a number, in milliseconds
incomingSms({ handlerTimeoutMs: "5s" });
// @ts-expect-error: an unsupported method
incomingSms({ methods: ["PUT"] });
// @ts-expect-error: an unknown member of an option
incomingSms({ deduplicate: { ttl: 5 } });
// @ts-expect-error: deduplicate takes false or an object
incomingSms({ deduplicate: true });
// @ts-expect-error: a callback without its content
void sms.receive({ method: "POST" });
// @ts-expect-error: the values of a query are strings
void sms.receive({ method: "GET", query: { id: 1 } });
// @ts-expect-error: no such event
export type Misspelt = SmsEvents["mesage"];

// An inbox: one of the package, or your own.
declare const database: SqliteDatabase;
const inbox = sqliteInbox({ database, attempts: 3, backoffMs: undefined });
expectTypeOf(inbox).toEqualTypeOf<OperableInbox>();
expectTypeOf(inbox).toExtend<Inbox>();
expectTypeOf<keyof Inbox>().toEqualTypeOf<"store" | "start" | "close" | "stats" | "leaseMs" | "isLocal">();
incomingSms({
  inbox: { store: () => Promise.resolve("stored"), start: () => undefined, close: () => Promise.resolve() },
});
expectTypeOf(inbox.stats()).resolves.toEqualTypeOf<InboxStats>();
expectTypeOf(inbox.deadLetters({ limit: 10, after: undefined })).resolves.toEqualTypeOf<DeadLetter[]>();
expectTypeOf(inbox.replay("key")).resolves.toEqualTypeOf<number>();
expectTypeOf(inbox.replayAll()).resolves.toEqualTypeOf<number>();
expectTypeOf(inbox.discard("key")).resolves.toEqualTypeOf<number>();
expectTypeOf(inbox.get("key")).resolves.toEqualTypeOf<KeptMessage | undefined>();
incomingSms({
  inbox,
  concurrency: 0,
  storeTimeoutMs: 1_000,
  describeFailure: (cause) => String(cause),
  backlogMs: 5_000,
});
// @ts-expect-error: a path is not a database
sqliteInbox({ database: "inbox.db" });
// An option that may be undefined goes as if it were not given.
declare const maybe: { inbox: Inbox | undefined; profile: CallbackProfile | undefined };
incomingSms({ inbox: maybe.inbox, profile: maybe.profile });
const options: IncomingSmsOptions = { inbox, concurrency: 4 };
incomingSms({ ...options, logger: console });
// Options that exclude each other.
// @ts-expect-error: the profile has its method
incomingSms({ profile, methods: ["POST"] });
// @ts-expect-error: the inbox recognizes duplicates
incomingSms({ inbox, deduplicate: { max: 10 } });
// @ts-expect-error: with an inbox, a callback is answered before its handlers run
incomingSms({ inbox, acknowledgeFailures: true });
// @ts-expect-error: an inbox needs all methods
incomingSms({ inbox: { store: () => Promise.resolve("stored") } });
// @ts-expect-error: a misspelt option
sqliteInbox({ database, attempt: 3 });
bullmqInbox({ connection: { url: "rediss://redis.example", tls: { ca: "..." }, db: 2 } });
// @ts-expect-error: the URL has the host
bullmqInbox({ connection: { url: "redis://redis.example", host: "localhost" } });
expectTypeOf(postgresInbox({ pool: new Pool({ max: 4 }), schema: undefined })).toEqualTypeOf<OperableInbox>();
postgresInbox({ pool: new Pool(), schema: "sms", name: "orders", attempts: 3 });
// @ts-expect-error: a connection string is no pool
postgresInbox({ pool: "postgres://localhost/app" });
// @ts-expect-error: without a pool
postgresInbox({ name: "orders" });
sqliteInbox({ file: "inbox.db", driver: undefined, database: undefined });
sqliteInbox({ file: "inbox.db", driver: "better-sqlite3", name: "orders" });
// @ts-expect-error: a file or a handle
sqliteInbox({ file: "inbox.db", database });
// @ts-expect-error: a handle has its driver
sqliteInbox({ database, driver: "libsql" });
sqliteInbox({ file: "inbox.db", thread: false });
// @ts-expect-error: a handle is used in this process
sqliteInbox({ database, thread: false });
// @ts-expect-error: neither a file nor a handle
sqliteInbox({ attempts: 3 });

// Watching and ending a router.
expectTypeOf(sms.health()).toEqualTypeOf<Health>();
expectTypeOf(sms.health().ready).toEqualTypeOf<boolean>();
expectTypeOf(sms.close({ drainMs: 10_000 })).toEqualTypeOf<Promise<void>>();
void sms.close();
// @ts-expect-error: a misspelt option
void sms.close({ drain: 10_000 });
// @ts-expect-error: reasons are names, not sentences
if (sms.health().reasons.includes("the inbox is unreachable")) void sms.close();

// Tests of one's own handlers.
const inMemory = memoryInbox({ attempts: 3, backoffMs: undefined });
expectTypeOf(inMemory).toExtend<OperableInbox>();
expectTypeOf(inMemory.advance(1_000)).toEqualTypeOf<Promise<void>>();
incomingSms({ inbox: inMemory });
const asha = subscriber(sms, { source: "+919876500001", profile: maybe.profile });
expectTypeOf(asha.text("JOIN", { keyword: "JOIN", method: "GET", id: undefined })).toEqualTypeOf<Promise<Receipt>>();
expectTypeOf(settled(sms)).toEqualTypeOf<Promise<void>>();
void sms.receive(fixture("callback.json"));
// @ts-expect-error: a misspelt option
memoryInbox({ attempt: 3 });
// @ts-expect-error: a misspelt option
subscriber(sms, { sorce: "1" });
// @ts-expect-error: no such method
void asha.text("JOIN", { method: "PUT" });
// @ts-expect-error: not a router
void settled(express());
