// Input from a broken provider or a stranger: it is answered or disconnected, emits at most one event, and leaks
// nothing. The next callback is handled.

import { spawnSync } from "node:child_process";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import express from "express";
import fc from "fast-check";
import { callbackProfile, incomingSms } from "express-kaleyra-sms";

import { callback } from "../support/callbacks";
import { closeServers, listen, open, recorder, until, untilClosed, type Recorder } from "../support/recorder";

const CANARY = "c4n4ry";
const PROFILE = callbackProfile({ method: "POST", url: "https://example.com/sms" });
const BODY = Buffer.from(
  PROFILE.render({
    source: "919876543210",
    recipient: "+919812345678",
    id: "90e74b4c",
    message: `say "hi" ✓ ${CANARY}`,
    status: "SENT",
    timestamp: "2025-04-17 18:35:20",
  }).body,
);

let recorded: Recorder;
let port: number;
/** All answers and all output. */
let seen: string[];
const agent = new Agent({ keepAlive: true, maxSockets: 20 });

beforeAll(async () => {
  jest.spyOn(process, "emitWarning").mockImplementation((warning) => void seen.push(String(warning)));
  jest.spyOn(process.stderr, "write").mockImplementation((chunk) => seen.push(String(chunk)) > 0);
  recorded = recorder({ deduplicate: false, bodyTimeoutMs: 500 });
  port = await listen(express().use("/sms", recorded.sms));
});

beforeEach(() => {
  seen = [];
  recorded.messages.length = recorded.invalid.length = recorded.lines.length = 0;
});

afterAll(async () => {
  agent.destroy();
  await closeServers();
  jest.restoreAllMocks();
});

/** Sends a request over a kept-alive connection, records the answer's body in `seen`, and resolves with the status. */
function send(
  body: Buffer | string,
  { path = "/sms", method = "POST", type = "application/json" } = {},
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": type, "Content-Length": Buffer.byteLength(body) };
    const sent = request({ port, path, method, agent, headers }, (res) => {
      res.setEncoding("utf8").on("data", (chunk: string) => seen.push(chunk));
      res.on("end", () => resolve(res.statusCode));
    });
    sent.on("error", reject).end(body);
  });
}

/** Checks that the callback emitted one event, and that answers and log lines contain nothing of it. */
function expectOneEvent(status: number | undefined): void {
  const events = recorded.messages.length + recorded.invalid.length;
  expect([status, events]).toEqual([recorded.messages.length > 0 ? 200 : recorded.invalid[0]?.status, 1]);
  expect(seen.join() + recorded.lines.join()).not.toContain(CANARY);
  expect(recorded.errors).toEqual([]);
  recorded.messages.length = recorded.invalid.length = 0;
}

async function expectNextHandled(): Promise<void> {
  recorded.messages.length = 0;
  expect(await send(JSON.stringify(callback({ message: "the next" })))).toBe(200);
  expect(recorded.messages).toMatchObject([{ text: "the next" }]);
}

describe("a valid body", () => {
  it("is rejected if it is cut at any byte", async () => {
    for (let length = 0; length < BODY.length; length++) {
      const status = await send(BODY.subarray(0, length));
      expect(status).toBe(400);
      expectOneEvent(status);
    }
    await expectNextHandled();
  });

  it("is read or rejected if any one byte is missing", async () => {
    for (let at = 0; at < BODY.length; at++) {
      expectOneEvent(await send(Buffer.concat([BODY.subarray(0, at), BODY.subarray(at + 1)])));
    }
    await expectNextHandled();
  });

  it("is read or rejected if any bytes are changed, with any content type and charset", async () => {
    const types = [
      ...["application/json", "application/json; charset=utf-8", "text/plain; charset=utf-16le", "text/plain"],
      ...["application/json; charset=iso-8859-1", "application/json; charset=shift_jis", "text/html; charset=x"],
      ...[
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-16be",
        "multipart/form-data",
      ],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(BODY.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...types),
        async (changes, type) => {
          const body = Buffer.from(BODY);
          for (const [at, byte] of changes) body[at] = byte;
          expectOneEvent(await send(body, { type }));
        },
      ),
      { numRuns: 3_000 },
    );
    await expectNextHandled();
  }, 60_000);
});

describe("names of properties that every object inherits", () => {
  const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "prototype"];

  it.each<[how: string, deliver: () => Promise<number | undefined>]>([
    [
      "JSON",
      () =>
        send(`{"id":"1","source":"2","recipient":"3","message":"m",${NAMES.map((name) => `"${name}":"x"`).join()}}`),
    ],
    [
      "a form",
      () =>
        send(`id=1&source=2&recipient=3&message=m&${NAMES.map((name) => `${name}=x`).join("&")}`, {
          type: "application/x-www-form-urlencoded",
        }),
    ],
    [
      "a query",
      () =>
        send("", {
          method: "GET",
          path: `/sms?id=1&source=2&recipient=3&${NAMES.map((name) => `${name}=x`).join("&")}`,
        }),
    ],
  ])("are ordinary fields in %s", async (_, deliver) => {
    expect(await deliver()).toBe(200);
    const { fields = {} } = recorded.messages[0] ?? {};
    for (const name of NAMES) expect(Object.getOwnPropertyDescriptor(fields, name)?.value).toBe("x");
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    expect({}).not.toHaveProperty("x");
    await expectNextHandled();
  });

  it("pollute no prototype if their values are objects", async () => {
    const body = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"id":"1","source":"2"}';
    expect(await send(body)).toBe(400);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(recorded.invalid[0]?.issues.map(({ field }) => field).sort()).toEqual([
      "(other)",
      "(other)",
      "message",
      "recipient",
    ]);
    recorded.invalid.length = 0;
    await expectNextHandled();
  });
});

describe("an oversized part of a body", () => {
  const keys = Array.from({ length: 10_000 }, (_, n) => `k${n}`);
  const depth = 40_000;

  it.each<[title: string, body: string, type: string, status: number]>([
    [
      "10,000 keys",
      JSON.stringify({ ...callback(), ...Object.fromEntries(keys.map((k) => [k, "v"])) }),
      "application/json",
      200,
    ],
    ["10,000 wrong keys", JSON.stringify(Object.fromEntries(keys.map((k) => [k, {}]))), "application/json", 400],
    ["10,000 variables", keys.map((k) => `${k}=v`).join("&"), "application/x-www-form-urlencoded", 400],
    ["one variable 10,000 times", "id=1&".repeat(10_000), "application/x-www-form-urlencoded", 400],
    ["one key 10,000 times", `{${'"id":"1",'.repeat(10_000)}"id":"1"}`, "application/json", 400],
    ["unclosed nested arrays", "[".repeat(depth), "application/json", 400],
    ["nested arrays", `${"[".repeat(depth)}${"]".repeat(depth)}`, "application/json", 400],
    ["nested arrays in a field", `{"id":${"[".repeat(depth)}${"]".repeat(depth)}}`, "application/json", 400],
    ["unclosed nested objects", '{"id":'.repeat(20_000), "application/json", 400],
    ["quotes", '"'.repeat(160_000), "application/json", 400],
    ["backslashes", `{"id":"${"\\".repeat(160_000)}"}`, "application/json", 400],
    ["white space", " ".repeat(160_000), "application/json", 400],
    ["white space between tokens", `{"id"${" ".repeat(80_000)}:${"\n".repeat(80_000)}`, "application/json", 400],
    ["seams", `{"id":"${'","message":"'.repeat(12_000)}"}`, "application/json", 400],
  ])("is read or rejected: %s", async (_, body, type, status) => {
    expect(await send(body, { type })).toBe(status);
    expectOneEvent(status);
    await expectNextHandled();
  });

  it.each([
    ["12345678901234567890", "12345678901234567890"],
    ["-0", "-0"],
    ["1e400", "1e400"],
    ["0.10000000000000000000001", "0.10000000000000000000001"],
    ["9007199254740993", "9007199254740993"],
  ])("may be a long number, all digits of which are kept: %s", async (number, digits) => {
    const body = JSON.stringify(callback())
      .replace("{", `{"ref":${number},`)
      .replace(/"id":"[^"]*"/, `"id":${number}`);
    expect(await send(body)).toBe(200);
    expect(recorded.messages[0]).toMatchObject({ id: digits, fields: { ref: digits, id: digits } });
  });
});

describe("a body that does not match its headers", () => {
  const HEAD = "POST /sms HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

  it("is rejected if it is too short, whether the connection stays open or breaks", async () => {
    const waiting = await open(port);
    const answer = until(waiting, "body-incomplete");
    waiting.write(`${HEAD}Content-Length: ${BODY.length + 10}\r\n\r\n`);
    waiting.write(BODY);
    expect(await answer).toMatch(/^HTTP\/1.1 408/);
    waiting.destroy();
    expectOneEvent(408);

    const cut = await open(port);
    const emitted = new Promise((resolve) => recorded.sms.once("invalid", resolve));
    cut.write(`${HEAD}Content-Length: ${BODY.length + 10}\r\n\r\n`);
    cut.write(BODY.subarray(0, 50), () => cut.destroy());
    expect(await emitted).toMatchObject({ code: "body-incomplete", status: 400, raw: BODY.subarray(0, 50).toString() });
    expectOneEvent(400);
    await expectNextHandled();
  });

  it("is read up to its declared length, and the rest is not read as a callback", async () => {
    const socket = await open(port);
    const answer = until(socket, "Content-Length: 0");
    const closed = untilClosed(socket);
    socket.write(`${HEAD}Content-Length: ${BODY.length}\r\n\r\n`);
    socket.write(BODY);
    expect(await answer).toMatch(/^HTTP\/1.1 200/);
    socket.write(`{"id":"2"}\r\n\r\n`);
    expect(await closed).toMatch(/HTTP\/1.1 400 [^]*$/);
    expectOneEvent(200);
    await expectNextHandled();
  });

  it("is rejected if its declared length is invalid, contradictory, or combined with chunked encoding", async () => {
    for (const lie of [
      "Content-Length: -1\r\n",
      "Content-Length: 1e3\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    ]) {
      const socket = await open(port);
      const closed = untilClosed(socket);
      socket.write(`${HEAD}${lie}\r\n{"id"`);
      expect(await closed).toMatch(/^HTTP\/1.1 400/);
    }
    expect([...recorded.messages, ...recorded.invalid]).toEqual([]);
    await expectNextHandled();
  });

  it("is rejected if it is a compression bomb, or if its chunks never end", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, "x"));
    const socket = await open(port);
    const answer = until(socket, "body-too-large");
    socket.write(`${HEAD}Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
    socket.write(bomb.subarray(0, 10_000));
    expect(await answer).toMatch(/^HTTP\/1.1 413/);
    socket.destroy();
    expectOneEvent(413);

    const endless = await open(port);
    const timeout = until(endless, "body-incomplete");
    endless.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`);
    expect(await timeout).toMatch(/^HTTP\/1.1 408/);
    endless.destroy();
    expectOneEvent(408);
    await expectNextHandled();
  });
});

/** Returns the number that a script prints in a process of its own, so that only the router's memory is measured. */
function numberPrintedBy(script: string): number {
  const { stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", "--no-warnings", "-e", script], {
    cwd: join(__dirname, "..", ".."),
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(stdout).not.toBe("");
  return Number(stdout);
}

it("does not keep the bodies of handled callbacks in memory", () => {
  const script = `
    const { incomingSms } = require("express-kaleyra-sms");
    const logger = { warn() {}, error() {} };
    const options = {
      authenticate: false, logger, deduplicate: { max: 1000 }, timeZone: "Asia/Kolkata", escaping: "none",
    };
    const sms = incomingSms(options).on("message", () => undefined);
    const used = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
    (async () => {
      const { callbackProfile } = require("express-kaleyra-sms");
      const profile = callbackProfile({ method: "POST", url: "https://example.com/sms" });
      const before = used();
      for (let n = 0; n < 500; n++) {
        const message = "x".repeat(100_000) + n;
        const values = { id: "i" + n, source: "91987654" + (1000 + n), recipient: "5050", message };
        const timestamp = "2025-04-17 18:" + String(10 + Math.floor(n / 50)) + ":" + String(10 + (n % 50));
        const { body } = profile.render({ ...values, timestamp }, { escaping: "none" });
        const { outcome } = await sms.receive({ method: "POST", body });
        if (outcome !== "handled") throw new Error(outcome);
      }
      process.stdout.write(String(used() - before));
    })();`;
  // The bodies had 50 million characters.
  expect(numberPrintedBy(script)).toBeLessThan(5_000_000);
});

it("keeps no memory for 100,000 invalid callbacks", () => {
  const script = `
    const { incomingSms } = require("express-kaleyra-sms");
    const quiet = { warn: () => undefined, error: () => undefined };
    const sms = incomingSms({ authenticate: false, logger: quiet });
    sms.on("message", () => undefined).on("invalid", () => undefined);
    const invalid = (n) => [
      { method: "POST", body: '{"id":"' + n + '","source":"' },
      { method: "POST", body: JSON.stringify({ id: "i" + n, ["key" + n]: "x", source: n }) },
      { method: "POST", body: '{"id":"' + n + '","message":"' + '","message":"'.repeat(20) + '"}' },
      { method: "POST", body: Buffer.from([0x7b, n & 255, 0xff]) },
      { method: "POST", body: "x", contentType: "text/x" + n + "; charset=c" + n },
      { method: "POST", body: "<a/>", contentType: "application/xml" },
      { method: "GET", query: "id=" + n + "&id=other&k" + n + "=%zz" },
      { method: "GET", query: { source: "s" + n } },
    ];
    const used = () => { gc(); gc(); return process.memoryUsage().heapUsed + process.memoryUsage().external; };
    (async () => {
      let sent = 0;
      const until = async (count) => {
        while (sent < count) for (const callback of invalid(sent)) {
          const { outcome } = await sms.receive(callback);
          if (outcome !== "invalid") throw new Error(JSON.stringify(callback) + " was " + outcome);
          sent++;
        }
      };
      await until(10_000);
      const before = used();
      await until(110_000);
      process.stdout.write(String(used() - before));
    })();`;
  // The engine's cache of compiled code varies by as much. A leak of 10 bytes a callback would exceed the limit.
  expect(numberPrintedBy(script)).toBeLessThan(1_000_000);
}, 60_000);

it("reads fields with names of inherited properties, even if the app has frozen Object.prototype", () => {
  const script = `
    const { incomingSms } = require("express-kaleyra-sms");
    Object.freeze(Object.prototype);
    const sms = incomingSms({ authenticate: false, logger: { warn() {}, error() {} }, decrypt: (value) => value });
    const names = ["toString", "constructor", "hasOwnProperty", "__proto__", "valueOf"];
    sms.on("message", ({ fields }) => console.log(JSON.stringify(names.map((name) => fields[name]))));
    const query = "id=1&source=919876543210&recipient=5050&message=x&" + names.map((name) => name + "=1").join("&");
    const members = names.map((name) => JSON.stringify(name) + ":1").join();
    const json = '{"id":"2","source":"919876543210","recipient":"5050","message":"x",' + members + "}";
    (async () => {
      const contentType = "application/x-www-form-urlencoded";
      const form = { method: "POST", body: query.replace("id=1", "id=3"), contentType };
      const callbacks = [{ method: "GET", query }, form, { method: "POST", body: json }];
      for (const callback of callbacks) console.log((await sms.receive(callback)).status);
    })();`;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8", cwd: __dirname });
  expect(stderr.replace(/.*KALEYRA_SMS_PROFILE_DIFFERS.*|.*trace-warnings.*|\n/g, "")).toBe("");
  expect(stdout.trim().split("\n")).toEqual(Array(3).fill(['["1","1","1","1","1"]', "200"]).flat());
});

describe("escapes in a query", () => {
  /** A piece of a value, and its decoded text: the piece itself if it does not encode a character in UTF-8. */
  const piece = fc.oneof(
    fc.string({ unit: "grapheme" }).map((text) => [encodeURIComponent(text), text] as const),
    fc
      .constantFrom("%", "%4", "%zz", "%c0%af", "%e0%80%80", "%ed%a0%80", "%f4%90%80%80", "%ff", "%80", "%E2%82")
      .map((text) => [text, text] as const),
    fc.constant(["+", " "] as const),
  );

  it("are decoded if they are valid UTF-8, and stay unchanged if not", async () => {
    const sms = incomingSms({ authenticate: false, deduplicate: false }).on("message", () => undefined);
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 80 }), async (pieces) => {
        const [sent, text] = [0, 1].map((n) => pieces.map((one) => one[n]).join("|")) as [string, string];
        const query = `id=1&source=919876543210&recipient=5050&message=x${sent}|`;
        const { message } = await sms.receive({ method: "GET", query });
        expect(message?.text).toBe(`x${text}|`);
      }),
      { seed: 20_261_125, numRuns: 500 },
    );
  });
});
