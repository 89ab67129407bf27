// Every answer, through the HTTP stack. Neither answers nor log lines contain received data.

import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import createDebug from "debug";
import express from "express";
import request from "supertest";
import { incomingSms, type IncomingSmsOptions } from "express-kaleyra-sms";

import { callback } from "../support/callbacks";
import { closeServers, deferred, listen, open, recorder, untilClosed } from "../support/recorder";

const CANARY = "c4n4ry";
/** All output: log lines, process warnings and debug lines. */
let written: string[];

beforeEach(() => {
  written = [];
  createDebug.enable("express-kaleyra-sms*");
  jest.spyOn(process.stderr, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
  jest.spyOn(process, "emitWarning").mockImplementation((warning) => void written.push(String(warning)));
});

afterEach(async () => {
  createDebug.disable();
  jest.restoreAllMocks();
  await closeServers();
});

function serverWith(
  options: IncomingSmsOptions = {},
): ReturnType<typeof recorder> & { server: ReturnType<typeof createServer> } {
  const recorded = recorder(options);
  return { ...recorded, server: createServer(recorded.sms) };
}

describe("a handled callback", () => {
  it("is answered 200 with an empty body", async () => {
    const { server } = serverWith();
    const response = await request(server).post("/").send(callback()).expect(200, "");
    expect(response.headers).toMatchObject({ "cache-control": "no-store", "content-length": "0" });
    expect(response.headers).not.toHaveProperty("content-type");
  });

  it("is answered with options.ack, and so is a duplicate", async () => {
    const { server, messages, duplicates } = serverWith({
      ack: { status: 202, body: "Thank you ✓", headers: { "X-Ack": "yes" } },
    });
    const body = callback();
    for (const outcome of ["handled", "duplicate"]) {
      const response = await request(server).post("/").send(body).expect(202, "Thank you ✓");
      expect(response.headers).toMatchObject({
        "x-ack": "yes",
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
      });
      expect(outcome === "handled" ? messages : duplicates).toHaveLength(1);
    }
  });

  it("may be answered 204, or with a custom content type", async () => {
    await request(serverWith({ ack: { status: 204 } }).server)
      .post("/")
      .send(callback())
      .expect(204);
    const json = serverWith({ ack: { body: "{}", headers: { "content-type": "application/json" } } });
    await request(json.server).post("/").send(callback()).expect(200, {}).expect("Content-Type", "application/json");
  });
});

describe("a failure", () => {
  it("is answered with a problem (RFC 9457) that has a code, and no received data", async () => {
    const { server, invalid } = serverWith();
    const response = await request(server)
      .post("/")
      .send({ [`key-${CANARY}`]: { a: CANARY }, source: [CANARY], status: CANARY, message: CANARY })
      .expect(400)
      .expect("Content-Type", "application/problem+json")
      .expect("Cache-Control", "no-store");
    expect(response.body).toMatchObject({ type: "about:blank", title: "Bad Request", status: 400, code: "schema" });
    expect(response.body).toEqual({ ...response.body, detail: invalid[0]?.detail, issues: invalid[0]?.issues });
    expect(JSON.stringify(response.body)).not.toContain(CANARY);
    expect(invalid[0]?.raw).toContain(CANARY);
  });

  it("is answered without a body with problems: false", async () => {
    const { server } = serverWith({ problems: false });
    await request(server).post("/").send({}).expect(400, "").expect("Content-Length", "0");
    await request(server).put("/").expect(405, "");
  });

  it.each([
    ["malformed-body", 400, "application/json", `{"id": ${CANARY}`],
    ["malformed-body", 400, "application/json", `["${CANARY}"]`],
    ["malformed-body", 400, "application/json", `"${CANARY}"`],
    ["malformed-body", 400, "application/json", `{"message":"${CANARY}","message":"${CANARY}"}`],
    ["malformed-body", 400, "application/json", ""],
    ["malformed-body", 400, "application/json; charset=utf-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["malformed-body", 400, "application/json; charset=shift_jis", Buffer.from([0x7b, 0x81, 0x7d])],
    ["unsupported-media-type", 415, "application/xml", `<a>${CANARY}</a>`],
    ["unsupported-media-type", 415, "text/xml", `<a>${CANARY}</a>`],
    ["unsupported-media-type", 415, "multipart/form-data; boundary=x", CANARY],
    ["schema", 400, "application/octet-stream", CANARY],
    ["unsupported-media-type", 415, `application/json; charset=${CANARY}`, "{}"],
    ["schema", 400, "application/json", `{"id":"${CANARY}"}`],
    ["duplicate-field", 400, "application/x-www-form-urlencoded", `id=${CANARY}&id=other`],
    ["body-too-large", 413, "application/json", CANARY.repeat(40_000)],
  ])("has the code %s and the status %i for %s: %.30s", async (code, status, type, body) => {
    const { server, invalid, messages, lines } = serverWith();
    const response = await request(server)
      .post("/")
      .set("Content-Type", type)
      .serialize((sent: unknown) => sent as string)
      .send(body)
      .expect(status);
    expect(response.body).toMatchObject({ code, status });
    expect(invalid).toMatchObject([{ code, status, method: "POST" }]);
    expect(messages).toEqual([]);
    expect(JSON.stringify([response.body, response.headers, lines, written])).not.toContain(CANARY);
  });

  it("passes everything that was read to the handler of invalid", async () => {
    const { server, invalid } = serverWith();
    const post = (body: string | Buffer) =>
      request(server).post("/").set("Content-Type", "text/plain").send(body).expect(400);
    await post("{ not JSON \u2713 }");
    await post(Buffer.from([0x7b, 0xff]));
    await request(server).get("/?id=%41&message=x%20y").expect(400);
    expect(invalid.map(({ raw, method }) => [method, raw])).toEqual([
      ["POST", "{ not JSON \u2713 }"],
      ["POST", Buffer.from([0x7b, 0xff])],
      ["GET", "id=%41&message=x%20y"],
    ]);
  });

  it("has an issue that recognizes a delivery report", async () => {
    const { server, invalid } = serverWith();
    const response = await request(server)
      .post("/")
      .send(callback({ status: "DELIVERED" }))
      .expect(400);
    expect(invalid[0]?.issues).toEqual([
      { field: "status", message: expect.stringContaining("delivery report"), rule: "const" },
    ]);
    expect(response.body).toMatchObject({ issues: invalid[0]?.issues });
  });

  it("has at most 20 issues", async () => {
    const { server, invalid } = serverWith();
    const fields = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`parts[${index + 1}]`, []]));
    await request(server).post("/").send(fields).expect(400);
    expect(invalid[0]?.issues).toHaveLength(20);
  });
});

describe("a handler that fails", () => {
  it("causes a 500 without the error's text, and the callback is handled again when it is sent again", async () => {
    const { server, sms, errors, messages } = serverWith();
    let broken = true;
    sms.on("message", () => {
      if (broken) throw new Error(`secret ${CANARY}`);
    });
    const body = callback();
    const response = await request(server).post("/").send(body).expect(500).expect("Cache-Control", "no-store");
    expect(response.body).toMatchObject({ status: 500, code: "handler-failed", title: "Internal Server Error" });
    expect(JSON.stringify([response.body, written])).not.toContain(CANARY);
    expect(errors).toMatchObject([{ event: "message", attempt: 1, final: true, smsMessage: { id: body.id } }]);
    expect(errors[0]?.cause).toEqual(new Error(`secret ${CANARY}`));
    broken = false;
    await request(server).post("/").send(body).expect(200);
    await request(server).post("/").send(body).expect(200);
    expect(messages).toHaveLength(2);
  });

  it("causes an acknowledgement with acknowledgeFailures", async () => {
    const { server, sms, errors } = serverWith({ acknowledgeFailures: true });
    sms.on("message", () => Promise.reject(new Error("no")));
    await request(server).post("/").send(callback()).expect(200, "");
    expect(errors).toHaveLength(1);
  });

  it("causes a 500 after handlerTimeoutMs", async () => {
    const { server, sms, errors } = serverWith({ handlerTimeoutMs: 30 });
    sms.on("message", () => new Promise(() => undefined));
    const response = await request(server).post("/").send(callback()).expect(500);
    expect(response.body).toMatchObject({ code: "handler-timeout" });
    expect(errors).toMatchObject([{ event: "message", cause: { code: "KALEYRA_SMS_HANDLER_TIMEOUT" } }]);
  });
});

describe("a busy router", () => {
  it("answers 503 with Retry-After beyond maxInFlight, and accepts callbacks again afterwards", async () => {
    const { server, sms } = serverWith({ maxInFlight: 1 });
    const { promise, resolve } = deferred();
    const started = deferred();
    sms.once("message", () => {
      started.resolve();
      return promise;
    });
    const first = request(server)
      .post("/")
      .send(callback())
      .then((response) => response);
    await started.promise;
    const response = await request(server).post("/").send(callback()).expect(503);
    expect(response.headers).toMatchObject({ "retry-after": "1", "cache-control": "no-store" });
    expect(response.body).toMatchObject({ code: "busy" });
    resolve();
    expect((await first).status).toBe(200);
    await request(server).post("/").send(callback()).expect(200);
  });
});

describe("a router without handlers of invalid and error", () => {
  it("logs one line a minute for each code, without texts, numbers or the error's message", async () => {
    const lines: string[] = [];
    const bare = incomingSms({
      authenticate: false,
      logger: { warn: (line) => lines.push(line), error: (line) => lines.push(line) },
    });
    bare.on("message", ({ source }) => {
      throw new RangeError(`no account for ${source}\n    at ${CANARY}`);
    });
    for (let n = 0; n < 3; n++) {
      await bare.receive({ method: "POST", body: callback({ message: CANARY }) });
      await bare.receive({ method: "POST", body: `{"${CANARY}"` });
      await bare.receive({ method: "POST", body: callback({ status: CANARY }) });
    }
    expect(lines).toEqual([
      expect.stringMatching(
        /^express-kaleyra-sms: A handler of "message" failed: RangeError at .*answers\.spec\.ts.*sms\.on\("error"/,
      ),
      expect.stringContaining("(malformed-body)"),
      expect.stringContaining("(schema)"),
    ]);
    expect(lines.join()).not.toMatch(/c4n4ry|9876543210/);
  });

  it("logs again after a minute", async () => {
    const lines: string[] = [];
    const bare = incomingSms({
      authenticate: false,
      logger: { warn: (line) => lines.push(line), error: () => undefined },
    });
    const now = jest.spyOn(performance, "now");
    const wall = jest.spyOn(Date, "now");
    const YEAR_MS = 31_536_000_000;
    for (const [n, at] of [0, 59_999, 60_000].entries()) {
      now.mockReturnValue(at);
      // The system time is set back meanwhile.
      wall.mockReturnValue(1e12 - n * YEAR_MS);
      await bare.receive({ method: "POST", body: "" });
    }
    expect(lines).toHaveLength(2);
  });
});

describe("an answer that cannot be sent", () => {
  it("closes the connection and is logged, and the next callback is handled", async () => {
    const { sms, lines } = recorder();
    const app = express()
      .use("/broken", (_req, res, next) => {
        res.writeHead = () => {
          throw new Error("secret");
        };
        next();
      })
      .use(["/broken", "/"], sms);
    await expect(request(app).post("/broken").send(callback())).rejects.toThrow("socket hang up");
    await request(app).post("/").send(callback()).expect(200);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("(answer-failed)");
    expect(lines[0]).not.toContain("secret");
  });

  it("is not one without a body to a client that is still sending", async () => {
    const { sms } = recorder();
    const server = createServer({ rejectNonStandardBodyWrites: true }, sms);
    const port = await listen(server);
    for (const [method, status] of [
      ["OPTIONS", "204"],
      ["HEAD", "200"],
    ] as const) {
      const socket = await open(port);
      socket.write(`${method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\nabc`);
      expect(await untilClosed(socket)).toMatch(`HTTP/1.1 ${status} `);
    }
  });
});

it("freezes the headers of a receipt", async () => {
  const { sms } = recorder();
  const { headers } = await sms.receive({ method: "POST", body: callback() });
  expect(Object.isFrozen(headers)).toBe(true);
});

describe("DEBUG=express-kaleyra-sms", () => {
  it("prints the outcome of each callback, with numbers and texts masked", () => {
    const script = `
      const { incomingSms } = require("express-kaleyra-sms");
      const sms = incomingSms();
      const message = "a secret text of 28 letters.";
      const fields = { id: "secret-1", source: "919876543210", recipient: "5050", message };
      (async () => {
        await sms.receive({ method: "POST", body: fields });
        await sms.receive({ method: "POST", body: fields });
        await sms.receive({ method: "GET", query: "source=secret-3" });
        await sms.receive({ method: "POST", body: Buffer.from([0x7b, 0xff]) });
        const long = ["9".repeat(1000), "🙏".repeat(30)];
        for (const source of ["9876543210", "+4915112345678", "VM-SECRET", "50", "12\\x1b[2J", ...long])
          await sms.receive({ method: "GET", query: { id: "1", source, recipient: "+919812345678", keyword: "" } });
      })();`;
    const { stderr } = spawnSync(process.execPath, ["-e", script], {
      cwd: join(__dirname, "..", ".."),
      env: { ...process.env, DEBUG: "*" },
      encoding: "utf8",
    });
    const printed = Array.from(stderr.matchAll(/(?:POST|GET) .*, answered .*?(?= \+\d+ms|$)/gm), ([line]) => line);
    expect(printed).toEqual([
      "POST handled, answered 200: +91******3210 to **50, <28 characters>",
      "POST duplicate, answered 200: +91******3210 to **50, <28 characters>",
      "GET schema, answered 400: <15 characters>",
      "POST malformed-body, answered 400: <2 bytes>",
      "GET handled, answered 200: ********10 to +91******5678",
      "GET handled, answered 200: +49*******5678 to +91******5678",
      "GET handled, answered 200: <9 characters> to +91******5678",
      "GET handled, answered 200: ** to +91******5678",
      "GET handled, answered 200: <6 characters> to +91******5678",
      "GET handled, answered 200: <1000 characters> to +91******5678",
      "GET handled, answered 200: <30 characters> to +91******5678",
    ]);
    expect(stderr).not.toMatch(/secret|9876543210|9812345678/);
  });
});
