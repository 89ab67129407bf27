// The app around the router: sessions, the parser behind the mount, and the error handler.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";

import { callbackProfile, incomingSms } from "express-kaleyra-sms";
import { memoryInbox, settled } from "express-kaleyra-sms/testing";

import { createApp } from "./app.js";

const messages = [];
const inbox = memoryInbox();
const sms = incomingSms({ inbox, authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
sms.on("message", (message) => messages.push(message));

const app = createApp({ sms, inbox, log: { error: () => undefined } });
const server = app.listen(0, "127.0.0.1");
let url;

before(async () => {
  if (!server.listening) await once(server, "listening");
  url = `http://127.0.0.1:${server.address().port}`;
});
after(async () => {
  await sms.close();
  server.close();
});

const postJson = (path, body, headers = {}) =>
  fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });

test("a callback starts no session, and its text arrives as it was typed, also if nobody escaped it", async () => {
  const profile = callbackProfile({ method: "POST", url: "https://your.domain/sms" });
  const values = { id: "1", source: "919876543210", recipient: "5050", message: 'say "hi"', status: "SENT" };
  const { body } = profile.render(values, { escaping: "none" });
  const response = await postJson("/sms", body);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("set-cookie"), null);
  await settled(sms);
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['say "hi"'],
  );
});

test("the basket is kept in a session", async () => {
  const first = await postJson("/basket", '{"item":"tea"}');
  const cookie = first.headers.get("set-cookie").split(";")[0];
  const second = await postJson("/basket", '{"item":"cups"}', { cookie });
  assert.deepEqual(await second.json(), ["tea", "cups"]);
  const stranger = await fetch(`${url}/basket`);
  assert.deepEqual(await stranger.json(), []);
  assert.equal(stranger.headers.get("set-cookie"), null);
});

test("the error handler answers without details", async () => {
  const response = await postJson("/basket", "{not json");
  assert.equal(response.status, 400);
  assert.deepEqual(await response.json(), { error: "This request cannot be read." });
});

test("/health says whether callbacks should come here, also if the inbox does not answer", async (t) => {
  const response = await fetch(`${url}/health`);
  assert.equal(response.status, 200);
  const { ready, inbox: counts } = await response.json();
  assert.deepEqual([ready, counts.dead], [true, 0]);
  t.mock.method(inbox, "stats", () => Promise.reject(new Error("The file is gone.")));
  assert.equal((await (await fetch(`${url}/health`)).json()).inbox, undefined);
});

test("pages have helmet's headers", async () => {
  assert.ok((await fetch(`${url}/basket`)).headers.has("content-security-policy"));
});
