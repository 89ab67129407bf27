// What the simulator sends, how it shows it, and what it makes of the answer.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";
import { simulator } from "express-kaleyra-sms/simulator";
import express from "express";

import { freePort } from "../support/free-port";
import { recorder, closeServers, listen } from "../support/recorder";
import { recordWarnings } from "../support/warnings";
import { app, get, post, DRAFT } from "./support";

const run = promisify(execFile);

recordWarnings();
afterEach(closeServers);

/** Texts that a shell, a template, a terminal or a query could stumble over. */
const AWKWARD = [
  `it's "quoted" \\ \`id\` $(id) $HOME !! %s %% & | ; > <`,
  "two\nlines\tand\ra return",
  "\u202edesrever\u202c \u200fشكرا\u200e",
  "bell \u0007, escape \u001b[31m, null \0, delete \u007f",
  "🙏🏽👨‍👩‍👧 é é",
  `x","keyword":"ADMIN`,
  "@/etc/passwd",
  "'",
  "",
];

describe("send", () => {
  it("calls the router over HTTP, through the app, and gives its answer", async () => {
    const { port, messages } = await app({ ack: { body: "Thanks" } });
    const { status, body } = await post(port, "/simulator/send", { text: "STOP it", keyword: "ACME" });
    expect(status).toBe(200);
    expect(body.answers).toMatchObject([{ status: 200, reason: "OK", body: "Thanks" }]);
    expect(messages).toMatchObject([
      {
        text: "STOP it",
        keyword: "ACME",
        id: DRAFT.id,
        source: "+919876543210",
        recipient: "+919812345678",
        method: "POST",
      },
    ]);
    expect(messages[0]?.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  it.each(AWKWARD)("brings %j to the router as typed, escaped or not, and so does the curl command", async (text) => {
    const { port, messages } = await app({ deduplicate: false });
    for (const escaped of [true, false]) {
      const { body } = await post(port, "/simulator/send", { text, escaped });
      expect(body.answers).toMatchObject([{ status: 200 }]);
      const [shown] = body.requests;
      await run("sh", ["-c", (shown?.curl ?? "").replaceAll("localhost", "127.0.0.1")]);
    }
    expect(messages.map((message) => message.text)).toEqual([text, text, text, text]);
  });

  it("shows a terminal no control character, and no mark that changes the order of a line", async () => {
    const { port } = await app();
    for (const text of AWKWARD) {
      const { body } = await post(port, "/simulator/preview", { text, escaped: false });
      expect(body.requests[0]?.curl).not.toMatch(/[^\P{Cc}\n\t]|[\u200e\u200f\u202a-\u202e]/u);
    }
  });

  it("sends exactly the bytes that it shows", async () => {
    const received: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on("data", (chunk) => {
        received.push(chunk);
        if (Buffer.concat(received).includes("}")) socket.end("HTTP/1.1 204 No Content\r\n\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port: target } = server.address() as AddressInfo;
    const port = await listen(express().use(simulator(undefined, { target: `http://127.0.0.1:${target}/sms?a=b` })));
    const { body } = await post(port, "/send", { text: 'say "hi" 🙏', escaped: false });
    const [shown] = body.requests;
    const sent = Buffer.concat(received).toString("utf8");
    expect(shown?.raw).toBe(sent.replace("a=b", "a=••••••"));
    expect(sent).toMatch(/^POST \/sms\?a=b HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
    expect(body.answers).toMatchObject([{ status: 204, reason: "No Content" }]);
    server.close();
  });

  it("previews the same request without sending it", async () => {
    const { port, messages } = await app();
    const { body: preview } = await post(port, "/simulator/preview");
    expect(messages).toEqual([]);
    expect(preview.requests).toHaveLength(1);
    expect(preview.requests[0]?.raw).toContain('"message": "Hello"');
    expect(preview.requests[0]?.curl).toContain(`curl -g -i 'http://localhost:${port}/sms'`);
  });

  it("sends words and no text by GET without a profile, and says so", async () => {
    const { port, messages } = await app();
    const { body } = await post(port, "/simulator/send", { method: "GET", text: "JOIN GOLD & more", keyword: "JOIN" });
    expect(messages).toMatchObject([{ method: "GET", keyword: "JOIN", parts: ["JOIN", "GOLD", "&", "more"] }]);
    expect(body.notes).toEqual([expect.stringContaining("not the text")]);
    await run("sh", ["-c", (body.requests[0]?.curl ?? "").replaceAll("localhost", "127.0.0.1")]);
  });

  it("sends by the router's profile: its method, its fields, its statics and headers", async () => {
    const profile = callbackProfile({
      method: "GET",
      url: "https://your.domain/sms?token=s3cret",
      fields: ["id", "source", "recipient", "message"],
      statics: { tenant: "acme" },
      headers: { "X-Callback-Token": "canary" },
    });
    const authenticate = [
      { header: "X-Callback-Token", value: "canary" },
      { query: "token", value: "s3cret" },
    ];
    const { port, messages } = await app({ profile, authenticate });
    const { body } = await post(port, "/simulator/send", { text: 'say "hi"' });
    expect(body.answers).toMatchObject([{ status: 200 }]);
    expect(messages).toMatchObject([{ text: 'say "hi"', method: "GET", fields: { tenant: "acme" } }]);
  });
});

describe("a secret", () => {
  it("is sent, and shown nowhere", async () => {
    const authenticate = [
      { header: "X-Callback-Token", value: "canary-1" },
      { header: "X-Second", value: "canary-2" },
      { query: "token", value: "canary-3" },
    ];
    const { port, messages } = await app(
      { authenticate },
      { target: "/sms?token=canary-3", headers: { "X-Callback-Token": "canary-1" } },
    );
    const header = { name: "X-Second", value: "canary-2" };
    const { body } = await post(port, "/simulator/send", { header });
    expect(messages).toHaveLength(1);
    expect(JSON.stringify(body)).not.toContain("canary");
    expect(body.requests[0]?.raw).toContain("X-Callback-Token: ••••••\r\nX-Second: ••••••");
    expect(body.requests[0]?.curl).toContain(`-H 'X-Callback-Token: '"$X_CALLBACK_TOKEN" -H 'X-Second: '"$X_SECOND"`);
    const curl = (body.requests[0]?.curl ?? "").replaceAll("localhost", "127.0.0.1");
    const env = { ...process.env, X_CALLBACK_TOKEN: "canary-1", X_SECOND: "canary-2", TOKEN: "canary-3" };
    const { stdout } = await run("sh", ["-c", curl], { env });
    expect(stdout).toContain("200 OK");
  });

  it.each(["Host", "Content-Length", "a b", "x\r\ny"])("of the user's own cannot be sent as %j", async (name) => {
    const { port } = await app();
    const { status, body } = await post(port, "/simulator/send", { header: { name, value: "v" } });
    expect(status).toBe(400);
    expect(body.detail).toContain("cannot be sent as a header");
  });
});

describe("a misbehaviour", () => {
  it("sends a callback twice at once: the second is a duplicate", async () => {
    const { port, messages, duplicates } = await app();
    const { body } = await post(port, "/simulator/send", { misbehaviour: "twice" });
    expect(body.answers).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect([messages.length, duplicates.length]).toEqual([1, 1]);
  });

  it("delivers START before STOP, which was typed earlier", async () => {
    const { port, messages } = await app();
    const { body } = await post(port, "/simulator/send", { misbehaviour: "overtaking" });
    expect(body.requests).toHaveLength(2);
    expect(messages.map(({ text }) => text)).toEqual(["START", "STOP"]);
    const [start = "", stop = ""] = messages.map(({ timestamp }) => timestamp);
    expect(stop < start).toBe(true);
  });

  it("sends a wrong secret in each place where there is one", async () => {
    const authenticate = [
      { header: "X-Callback-Token", value: "right" },
      { query: "token", value: "right" },
    ];
    const own = { target: "/sms?token=right", headers: { "X-Callback-Token": "right" } };
    const { port, unauthorized } = await app({ authenticate }, own);
    const { body } = await post(port, "/simulator/send", { misbehaviour: "wrong-secret" });
    expect(body.answers).toMatchObject([{ status: 403 }]);
    expect(unauthorized).toMatchObject([{ code: "wrong" }]);
    const { body: without } = await post((await app()).port, "/simulator/preview", { misbehaviour: "wrong-secret" });
    expect(without.ineffective).toContain("No secret is set");
  });

  it("cuts a body: the router reports it as incomplete", async () => {
    const { port, invalid } = await app();
    const { body } = await post(port, "/simulator/send", { misbehaviour: "cut-body" });
    const [answer] = body.answers;
    expect(answer?.status === 400 || answer?.failed !== undefined).toBe(true);
    expect(invalid).toMatchObject([{ code: "body-incomplete" }]);
    expect(body.requests[0]?.raw).not.toContain('"timestamp"');
    const { body: byGet } = await post(port, "/simulator/send", { misbehaviour: "cut-body", method: "GET" });
    expect(byGet.ineffective).toContain("no body");
  });

  it("sends a delivery report: the router takes it for no SMS", async () => {
    const { port, invalid } = await app();
    await post(port, "/simulator/send", { misbehaviour: "delivery-report" });
    expect(invalid).toMatchObject([{ code: "schema", issues: [{ field: "status" }] }]);
  });

  it("that the profile has no variable for is refused with the reason", async () => {
    const profile = callbackProfile({
      method: "POST",
      url: "https://a.test/",
      fields: ["id", "source", "recipient", "message"],
    });
    const { port } = await app({ profile });
    const { status, body } = await post(port, "/simulator/send", { misbehaviour: "delivery-report" });
    expect(status).toBe(400);
    expect(body.detail).toContain('no variable "status"');
  });
});

describe("an answer", () => {
  it("is given also if nobody answers", async () => {
    const { sms } = recorder();
    const made = express().use("/simulator", simulator(sms, { target: "/sms" }));
    made.use("/sms", (req) => req.socket.destroy());
    const { body } = await post(await listen(made), "/simulator/send");
    expect(body.answers).toEqual([
      {
        failed: expect.stringMatching(/^localhost:\d+ ended the connection without an answer\.$/),
        durationMs: expect.any(Number),
      },
    ]);
  });

  it("of a server that is away is a sentence, for a name with several addresses, too", async () => {
    const closed = await freePort();
    for (const host of ["127.0.0.1", "localhost"]) {
      const port = await listen(express().use(simulator(undefined, { target: `http://${host}:${closed}/sms` })));
      const { body } = await post(port, "/send");
      expect(body.answers).toMatchObject([{ failed: `Nothing listens at ${host}:${closed}. Start your app.` }]);
    }
  });

  it("of what is no draft says to reload the page", async () => {
    const { port } = await app();
    for (const draft of [
      { text: 1 },
      { method: "PUT" },
      { misbehaviour: "toString" },
      { header: null },
      { escaped: "yes" },
    ])
      expect(await post(port, "/simulator/send", draft)).toMatchObject({ status: 400 });
    const headers = { "content-type": "application/json" };
    for (const body of ["{", "[]", "null"])
      expect(await get(port, "/simulator/preview", { method: "POST", headers, body })).toMatchObject({ status: 400 });
  });

  it("comes also where express.json() has read what the page sent", async () => {
    const { port, messages } = await app({}, {}, [express.Router().use("/simulator", express.json())]);
    expect((await post(port, "/simulator/send")).body.answers).toMatchObject([{ status: 200 }]);
    expect(messages).toHaveLength(1);
  });
});
