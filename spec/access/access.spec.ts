// The option authenticate: every kind of demand, alone and combined, through the HTTP stack.

import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import createDebug from "debug";
import type { Request } from "express";
import fc from "fast-check";
import request from "supertest";
import { callbackProfile, incomingSms, type Authentication, type IncomingSmsOptions } from "express-kaleyra-sms";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { closeServers, deferred, listen, open, recorder, until, untilClosed, type Recorder } from "../support/recorder";

afterEach(async () => {
  jest.restoreAllMocks();
  await closeServers();
});

const SECRET = "s3cret-of-the-header";
const HEADER = { header: "X-Callback-Token", value: SECRET };
const basicOf = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;

function guarded(
  authenticate: Authentication | readonly Authentication[],
  options: IncomingSmsOptions = {},
): Recorder & { server: ReturnType<typeof createServer> } {
  const recorded = recorder({ ...options, authenticate });
  return { ...recorded, server: createServer(recorded.sms) };
}

/** Sends a valid callback, and returns its status. The headers are pairs, so a header can be sent twice. */
async function statusOf(
  server: ReturnType<typeof createServer>,
  headers: ReadonlyArray<readonly [name: string, value: string]>,
  target = "/",
): Promise<number> {
  const address = server.address() as AddressInfo | null;
  const socket = await open(address?.port ?? (await listen(server)));
  const body = JSON.stringify(callback());
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const answer = until(socket, "\r\n\r\n");
  socket.write(
    `POST ${target} HTTP/1.1\r\nHost: localhost\r\n${lines}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    "latin1",
  );
  const status = Number((await answer).split(" ")[1]);
  socket.destroy();
  return status;
}

describe("a secret in a header", () => {
  it("authorizes a caller that sends it, and rejects all others with the same answer", async () => {
    const { server, messages, unauthorized, invalid } = guarded(HEADER);
    await request(server).post("/").set("x-callback-token", SECRET).send(callback()).expect(200);
    const wrong = [
      undefined,
      "x",
      SECRET.slice(0, -1),
      `${SECRET}x`,
      SECRET.toUpperCase(),
      SECRET.slice(1),
      "x".repeat(8_000),
      "0",
      "undefined",
    ];
    const answers = [];
    for (const value of wrong) {
      const test = request(server).post("/");
      if (value !== undefined) test.set("x-callback-token", value);
      const response = await test.send(callback());
      const sent = response.headers as Record<string, string>;
      answers.push({ status: response.status, text: response.text, names: Object.keys(sent) });
    }
    expect(answers[0]).toMatchObject({ status: 403, text: expect.stringContaining('"code":"unauthorized"') });
    expect(answers[0]?.names).not.toContain("www-authenticate");
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(messages).toHaveLength(1);
    expect(invalid).toEqual([]);
    expect(unauthorized).toHaveLength(wrong.length);
    expect(unauthorized[0]).toEqual({
      code: "missing",
      reason: 'The header "x-callback-token" is missing.',
      method: "POST",
      ip: expect.stringMatching(/127\.0\.0\.1$/),
      receivedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(Object.isFrozen(unauthorized[0])).toBe(true);
    expect(JSON.stringify([unauthorized, answers])).not.toContain(SECRET.slice(1));
  });

  it("is rejected if it is sent twice, even if both are right", async () => {
    const { server, unauthorized } = guarded(HEADER);
    const right = ["X-Callback-Token", SECRET] as const;
    expect(await statusOf(server, [right])).toBe(200);
    expect(await statusOf(server, [right, right])).toBe(403);
    expect(await statusOf(server, [right, ["x-callback-token", "wrong"]])).toBe(403);
    expect(unauthorized[0]?.reason).toBe('The header "x-callback-token" was sent more than once.');
  });

  it("counts once if another header has the header's name as its value", async () => {
    const { server } = guarded(HEADER);
    expect(
      await statusOf(server, [
        ["X-Callback-Token", SECRET],
        ["X-Note", "x-callback-token"],
      ]),
    ).toBe(200);
  });

  it("may be any of several secrets of one name, and is demanded for every name", async () => {
    const { server } = guarded([
      { header: "X-One", value: "old" },
      { header: "x-one", value: "new" },
      { header: "X-Two", value: "two" },
    ]);
    expect(
      await statusOf(server, [
        ["X-One", "old"],
        ["X-Two", "two"],
      ]),
    ).toBe(200);
    expect(
      await statusOf(server, [
        ["X-One", "new"],
        ["X-Two", "two"],
      ]),
    ).toBe(200);
    expect(
      await statusOf(server, [
        ["X-One", "two"],
        ["X-Two", "two"],
      ]),
    ).toBe(403);
    expect(await statusOf(server, [["X-One", "new"]])).toBe(403);
    expect(await statusOf(server, [["X-Two", "two"]])).toBe(403);
  });

  it("is compared with each of several secrets, as digests of one length, whichever matches", async () => {
    const compare = jest.spyOn(crypto, "timingSafeEqual");
    const { server } = guarded(["one", "a longer one", "3"].map((value) => ({ header: "X-One", value })));
    for (const sent of ["one", "a longer one", "3", "", "x", "on", "one more", "x".repeat(5_000)]) {
      compare.mockClear();
      await statusOf(server, [["X-One", sent]]);
      const lengths = compare.mock.calls.map(([expected, given]) => [expected.byteLength, given.byteLength]);
      expect(lengths).toEqual([
        [43, 43],
        [43, 43],
        [43, 43],
      ]);
    }
  });

  it("is rejected for any other text (property)", async () => {
    const sms = guarded(HEADER);
    const port = await listen(sms.server);
    const printable = fc.stringMatching(/^[!-~]{1,60}$/);
    const near = fc
      .tuple(fc.nat(SECRET.length - 1), fc.stringMatching(/^[!-~]{0,2}$/))
      .map(([at, put]) => SECRET.slice(0, at) + put + SECRET.slice(at + 1));
    await fc.assert(
      fc.asyncProperty(fc.oneof(printable, near), async (sent) => {
        fc.pre(sent !== SECRET && sent !== "");
        const { status } = await fetch(`http://127.0.0.1:${port}/`, {
          method: "POST",
          headers: { "X-Callback-Token": sent },
          body: JSON.stringify(callback()),
        });
        expect(status).toBe(403);
      }),
      { numRuns: 200 },
    );
    expect(sms.messages).toEqual([]);
  }, 30_000);
});

describe("a secret in the query", () => {
  const TOKEN = { query: "token", value: "s3cret+of/the=query" };

  it("may be pasted into the endpoint unescaped or escaped, with or without quotes", async () => {
    const { server, messages } = guarded(TOKEN);
    const fields = "id=1&source=919876543210&recipient=5050";
    for (const token of [
      "s3cret+of/the=query",
      "s3cret%2Bof%2Fthe%3Dquery",
      '"s3cret%2Bof/the=query"',
      "%22s3cret%2Bof/the=query%22",
    ]) {
      await request(server).get(`/?${fields}&token=${token}`).expect(200);
      await request(server).get(`/?t%6Fken=${token}&${fields}`).expect(200);
      await request(server).post(`/?token=${token}`).send(callback()).expect(200);
    }
    expect(messages).not.toEqual([]);
  });

  it("is rejected if it is missing, wrong, or sent twice", async () => {
    const { server, unauthorized } = guarded({ query: "token", value: "right" });
    for (const query of ["", "?token", "?token=", "?token=wrong", "?Token=right", "?token=right&token=right"]) {
      await request(server).post(`/${query}`).send(callback()).expect(403);
    }
    expect(unauthorized.map(({ reason }) => reason.replace('The query\'s variable "token" ', ""))).toEqual([
      "is missing.",
      "does not match.",
      "does not match.",
      "does not match.",
      "is missing.",
      "was sent more than once.",
    ]);
  });

  it("appears in no message, answer, log line or warning", async () => {
    const written: string[] = [];
    createDebug.enable("express-kaleyra-sms*,body-parser*");
    jest.spyOn(process, "emitWarning").mockImplementation((warning) => void written.push(String(warning)));
    jest.spyOn(process.stderr, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
    const recorded = guarded({ query: "token", value: "c4n4ry" });
    const { server, messages, invalid } = recorded;
    recorded.sms.keyword("STOP", () => {
      throw new Error("fails");
    });
    const answers = [
      await request(server).get("/?id=1&source=919876543210&recipient=5050&token=c4n4ry&x=y").expect(200),
      await request(server).get("/?token=c4n4ry&id=1&source=919876543210&recipient=5050&token2=x").expect(200),
      await request(server).get("/?id=2&source=919876543210&recipient=5050&keyword=STOP&%74oken=c4n4ry").expect(500),
      await request(server).get("/?id=2&&token=%634n4ry&a=%zz").expect(400),
      await request(server).get("/?token=c4n4ry&?id=3").expect(400),
      await request(server).post("/?token=c4n4ry").send({}).expect(400),
      await request(server).post("/?token=wr0ng").send({}).expect(403),
    ];
    expect(messages[0]?.fields).toEqual({ id: "1", source: "919876543210", recipient: "5050", x: "y" });
    expect(invalid.map(({ raw }) => raw)).toEqual(["id=2&&a=%zz", "?id=3", "{}"]);
    createDebug.disable();
    expect(written.join("")).toContain("POST unauthorized (The query's variable");
    const seen = answers.map(({ headers, text }) => [headers, text] as unknown);
    const emitted = { ...recorded, sms: undefined, server: undefined };
    expect(JSON.stringify([seen, emitted, written])).not.toMatch(/c4n4ry|%634n4ry|wr0ng/);
  });

  it("is removed from callbacks of sms.receive, too", async () => {
    const { sms, messages } = guarded({ query: "token", value: "c4n4ry" });
    const fields = { id: "1", source: "919876543210", recipient: "5050", token: "c4n4ry" };
    await sms.receive({ method: "GET", query: fields });
    await sms.receive({ method: "GET", query: `?token=c4n4ry&id=2&source=919876543210&recipient=5050` });
    expect(messages.map(({ fields: { token } }) => token)).toEqual([undefined, undefined]);
  });

  it("may be a static field of a GET profile", async () => {
    const profile = callbackProfile({ method: "GET", url: "http://localhost/", statics: { token: "abc" } });
    const { server, messages } = guarded({ query: "token", value: "abc" }, { profile });
    const { url } = profile.render({ id: "1", source: "919876543210", recipient: "5050", keyword: "STOP" });
    await request(server).get(url.slice("http://localhost".length)).expect(200);
    expect(messages[0]?.fields).not.toHaveProperty("token");
  });
});

describe("basic authentication", () => {
  const BASIC = { basic: { username: "kaleyra", password: "p:äss wörd" } };

  it("compares username and password in UTF-8, and accepts the scheme in any case", async () => {
    const { server } = guarded(BASIC);
    const right = basicOf("kaleyra:p:äss wörd");
    expect(await statusOf(server, [["Authorization", right]])).toBe(200);
    expect(await statusOf(server, [["authorization", right.replace("Basic ", "bASIC   ")]])).toBe(200);
  });

  it("is answered with 401, a challenge, and the same body, whatever is wrong", async () => {
    const { server, unauthorized } = guarded(BASIC);
    const wrong = [
      "",
      "Basic",
      "Basic ",
      "Basic !!!",
      basicOf("kaleyra:"),
      basicOf("kaleyra:p:äss wör"),
      basicOf("Kaleyra:p:äss wörd"),
      basicOf(":p:äss wörd"),
      "Bearer kaleyra:p:äss".replace(/[^ -~]/g, "?"),
      basicOf("kaleyra:p:äss wörd").replace("Basic ", "Basic"),
    ];
    const answers = [];
    for (const value of wrong) {
      const { status, headers, text } = await request(server).post("/").set("Authorization", value).send(callback());
      answers.push([status, headers["www-authenticate"], text]);
    }
    expect(answers[0]).toEqual([
      401,
      'Basic realm="callbacks", charset="UTF-8"',
      expect.stringContaining('"code":"unauthorized"'),
    ]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(unauthorized).toHaveLength(wrong.length);
  });

  it("rejects a second Authorization header, which Node discards", async () => {
    const { server, unauthorized } = guarded(BASIC);
    const right = ["Authorization", basicOf("kaleyra:p:äss wörd")] as const;
    expect(await statusOf(server, [right, ["Authorization", "Bearer x"]])).toBe(401);
    expect(await statusOf(server, [["Authorization", "Bearer x"], right])).toBe(401);
    expect(await statusOf(server, [right, right])).toBe(401);
    expect(unauthorized.map(({ reason }) => reason)).toEqual(
      Array(3).fill("The Basic authorization was sent more than once."),
    );
  });

  it("accepts any of several credentials", async () => {
    const { server } = guarded([BASIC, { basic: { username: "new", password: "new" } }]);
    expect(await statusOf(server, [["Authorization", basicOf("new:new")]])).toBe(200);
    expect(await statusOf(server, [["Authorization", basicOf("kaleyra:new")]])).toBe(401);
  });
});

describe("a bearer token", () => {
  it("may be any of several tokens, or one that a function accepts", async () => {
    const asked: string[] = [];
    const verify = async (token: string): Promise<boolean> => {
      asked.push(token);
      return Promise.resolve(token === "three");
    };
    const { server } = guarded([{ bearer: "one" }, { bearer: "two" }, { bearer: verify }]);
    for (const token of ["one", "two", "three"]) {
      expect(await statusOf(server, [["Authorization", `Bearer ${token}`]])).toBe(200);
    }
    expect(await statusOf(server, [["Authorization", "bearer three"]])).toBe(200);
    expect(await statusOf(server, [["Authorization", "Bearer four"]])).toBe(401);
    expect(await statusOf(server, [["Authorization", "Basic three"]])).toBe(401);
    expect(await statusOf(server, [])).toBe(401);
    expect(asked).toEqual(["three", "three", "four"]);
  });

  it("is demanded with 401 if it is missing, and the function that checks tokens is not called", async () => {
    const verify = jest.fn(() => true);
    const { server, messages, unauthorized } = guarded({ bearer: verify });
    const response = await request(server).post("/").send(callback()).expect(401);
    expect(response.headers["www-authenticate"]).toBe('Bearer realm="callbacks"');
    expect(await statusOf(server, [["Authorization", "Basic dTpw"]])).toBe(401);
    expect(verify).not.toHaveBeenCalled();
    expect(messages).toEqual([]);
    expect(unauthorized.map(({ reason }) => reason)).toEqual(Array(2).fill("The Bearer authorization is missing."));
    expect(await statusOf(server, [["Authorization", "Bearer one"]])).toBe(200);
    expect(verify.mock.calls).toEqual([["one"]]);
  });

  it("is answered with 401, a challenge, and the same body, whatever is wrong", async () => {
    const { server, messages } = guarded({ bearer: "Bearer1" });
    const answers = [];
    for (const value of ["", "Bearer", "Bearer ", "Bearer1", "Bearer Bearer", "Bearer Bearer1s", "Basic Bearer1"]) {
      const { status, headers, text } = await request(server).post("/").set("Authorization", value).send(callback());
      answers.push([status, headers["www-authenticate"], text]);
    }
    expect(answers[0]).toEqual([401, 'Bearer realm="callbacks"', expect.stringContaining('"code":"unauthorized"')]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    await request(server).post("/").set("Authorization", "Bearer Bearer1").send(callback()).expect(200);
    expect(messages).toHaveLength(1);
  });
});

describe("the address of a caller", () => {
  const from = async (allow: readonly string[], forwarded: string): Promise<number> => {
    const { sms } = recorder({ authenticate: { allow } });
    const [, express] = EXPRESS[0] ?? [];
    if (express === undefined) throw new Error("unreachable: EXPRESS is not empty");
    const app = express().set("trust proxy", 1).use("/", sms);
    const { status } = await request(app).post("/").set("X-Forwarded-For", forwarded).send(callback());
    return status;
  };

  it.each([
    ["10.0.0.0/8", "10.255.255.255", 200],
    ["10.0.0.0/8", "11.0.0.0", 403],
    ["10.1.2.3/8", "10.9.9.9", 200],
    ["192.0.2.7", "192.0.2.7", 200],
    ["192.0.2.7", "192.0.2.8", 403],
    ["192.0.2.0/25", "192.0.2.127", 200],
    ["192.0.2.0/25", "192.0.2.128", 403],
    ["0.0.0.0/0", "203.0.113.9", 200],
    ["10.0.0.0/8", "::ffff:10.1.2.3", 200],
    ["10.0.0.0/8", "::ffff:a01:203", 200],
    ["10.0.0.0/8", "::ffff:11.1.2.3", 403],
    ["::ffff:10.0.0.0/104", "10.1.2.3", 200],
    ["2001:db8::/32", "2001:db8:ffff::1", 200],
    ["2001:db8::/32", "2001:db9::1", 403],
    ["2001:db8::/33", "2001:DB8:7fff::1", 200],
    ["2001:db8::/33", "2001:db8:8000::1", 403],
    ["2001:db8::1", "2001:0db8:0:0:0:0:0:1", 200],
    ["::1/128", "::1", 200],
    ["::/0", "8.8.8.8", 403],
    ["::/8", "::ffff:8.8.8.8", 403],
    ["::/0", "2001:db8::1", 200],
    ["fe80::/10", "fe80::1%eth0", 200],
    ["10.0.0.0/8", "10.0.0.1.2", 403],
    ["10.0.0.0/8", "unknown", 403],
    ["10.0.0.0/8", "", 403],
  ])("is compared with the allowed range %s: %s is answered %i", async (range, address, status) => {
    expect(await from([range], address)).toBe(status);
    expect(await from(["198.51.100.1", range], address)).toBe(status);
  });

  it("is the proxy's without Express, and one process warning says so beside an X-Forwarded-For", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { server } = guarded({ allow: ["203.0.113.5"] });
    await request(server).post("/").send(callback()).expect(403);
    expect(warn).not.toHaveBeenCalled();
    for (let n = 0; n < 2; n++) {
      await request(server).post("/").set("X-Forwarded-For", "203.0.113.5").send(callback()).expect(403);
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("address of the proxy"),
      expect.objectContaining({ code: "KALEYRA_SMS_PROXY_ADDRESS" }),
    );
  });

  it.each(["203.0.113.5:4711", "[2001:db8::1]:4711", "[2001:db8::1]"])(
    "may have a port behind it, as some proxies write it: %s",
    async (address) => {
      const { sms } = recorder({ authenticate: { allow: ["203.0.113.5", "2001:db8::/32"] } });
      const server = createServer((req, res) => sms(Object.assign(req, { ip: address }), res));
      await request(server).post("/").send(callback()).expect(200);
    },
  );

  it("is that of the connection if there is no Express, whatever the headers contain", async () => {
    const own = guarded({ allow: ["127.0.0.1", "::1"] });
    await request(own.server).post("/").send(callback()).expect(200);
    const other = guarded({ allow: ["203.0.113.0/24"] });
    await request(other.server).post("/").set("X-Forwarded-For", "203.0.113.1").send(callback()).expect(403);
    expect(other.unauthorized).toMatchObject([{ reason: "The caller's address is not allowed." }]);
  });

  describe.each(EXPRESS)("in %s", (_, express) => {
    it("is that of the connection, or the one that a trusted proxy reports", async () => {
      const { sms, unauthorized } = recorder({ authenticate: { allow: ["203.0.113.0/24"] } });
      const plain = express().use("/sms", sms);
      await request(plain).post("/sms").set("X-Forwarded-For", "203.0.113.1").send(callback()).expect(403);
      const trusting = express().set("trust proxy", 1).use("/sms", sms);
      await request(trusting).post("/sms").set("X-Forwarded-For", "203.0.113.1").send(callback()).expect(200);
      await request(trusting)
        .post("/sms")
        .set("X-Forwarded-For", "203.0.113.1, 192.0.2.1")
        .send(callback())
        .expect(403);
      expect(unauthorized.map(({ ip }) => ip)).toEqual([expect.stringMatching(/127\.0\.0\.1$/), "192.0.2.1"]);
    });

    it.each([
      ["203.0.113.7:61598", 200],
      ["203.0.114.7:61598", 403],
      ["[2001:db8::7]:443", 200],
      ["[2001:db9::7]:443", 403],
      ["[2001:db8::7]", 200],
      ["[::ffff:203.0.113.7]:443", 200],
      ["[fe80::7%eth0]:443", 200],
      ["198.51.100.1, 203.0.113.7:61598", 200],
      ["203.0.113.7:61598, 198.51.100.1:61598", 403],
      ["203.0.113.7:65536", 403],
      ["203.0.113.7:", 403],
      ["203.0.113.7:1:1", 403],
      ["[203.0.113.7]:443", 403],
      ["[2001:db8::7]443", 403],
    ])("may have a port behind it, as some proxies write it: %s is answered %i", async (address, status) => {
      const { sms } = recorder({ authenticate: { allow: ["203.0.113.0/24", "2001:db8::/32", "fe80::/10"] } });
      const app = express().set("trust proxy", 1).use("/sms", sms);
      await request(app).post("/sms").set("X-Forwarded-For", address).send(callback()).expect(status);
    });

    it("causes one process warning if every proxy is trusted", async () => {
      const emitWarning = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
      const { sms } = recorder({ authenticate: { allow: ["203.0.113.0/24"] } });
      const app = express().set("trust proxy", true).use("/sms", sms);
      for (let n = 0; n < 3; n++) {
        await request(app).post("/sms").set("X-Forwarded-For", "203.0.113.1").send(callback()).expect(200);
      }
      expect(codesOf(emitWarning)).toEqual(["KALEYRA_SMS_TRUST_PROXY"]);
    });
  });
});

describe("a function that checks callers", () => {
  it("gets the request, and authorizes the caller only if it returns true", async () => {
    const answers: unknown[] = [true, Promise.resolve(true), false, Promise.resolve(false), undefined, 1, "true", {}];
    let given: unknown;
    let seen: IncomingMessage | undefined;
    const { server, unauthorized } = guarded((req) => {
      seen = req;
      return given as boolean;
    });
    const statuses = [];
    for (given of answers) statuses.push(await statusOf(server, [["X-Mine", "mine"]]));
    expect(statuses).toEqual([200, 200, 403, 403, 403, 403, 403, 403]);
    expect(seen?.headers).toMatchObject({ "x-mine": "mine" });
    expect(unauthorized[0]?.reason).toBe("The function of options.authenticate did not return true.");
  });

  it("rejects the caller if it throws or rejects, and the reason does not contain the error's text", async () => {
    let check: () => boolean | Promise<boolean> = () => true;
    const { server, unauthorized } = guarded(() => check());
    const failures: Array<() => Promise<boolean>> = [
      () => {
        throw new RangeError("c4n4ry");
      },
      () => Promise.reject(new Error("c4n4ry")),
      () => Promise.reject("c4n4ry"),
    ];
    for (check of failures) await request(server).post("/").send(callback()).expect(403);
    expect(unauthorized[0]?.reason).toMatch(/^The function of options\.authenticate failed: RangeError/);
    expect(JSON.stringify(unauthorized)).not.toContain("c4n4ry");
  });

  it("rejects the caller after handlerTimeoutMs if it never settles", async () => {
    const { server, unauthorized } = guarded(() => new Promise<boolean>(() => undefined), { handlerTimeoutMs: 20 });
    await request(server).post("/").send(callback()).expect(403);
    expect(unauthorized[0]?.reason).toContain("did not answer within handlerTimeoutMs");
  });

  it("is awaited when the router closes", async () => {
    const asked = deferred();
    const answer = deferred<boolean>();
    const { server, sms, messages } = guarded(() => {
      asked.resolve();
      return answer.promise;
    });
    const status = statusOf(server, []);
    await asked.promise;
    const closed = sms.close();
    answer.resolve(true);
    await closed;
    expect(messages).toHaveLength(1);
    expect(await status).toBe(200);
  });

  it("must return true even if another function does", async () => {
    const answers = [true, true];
    const { server, unauthorized } = guarded([() => answers[0] === true, () => answers[1] === true]);
    const statuses = [];
    for (const [first, second] of [
      [true, true],
      [false, true],
      [true, false],
    ] as const) {
      answers.splice(0, 2, first, second);
      statuses.push(await statusOf(server, []));
    }
    expect(statuses).toEqual([200, 403, 403]);
    expect(unauthorized).toHaveLength(2);
  });

  it("is not called if another demand is not met", async () => {
    const check = jest.fn(() => true);
    const { server } = guarded([check, HEADER]);
    await request(server).post("/").send(callback()).expect(403);
    expect(check).not.toHaveBeenCalled();
    await request(server).post("/").set(HEADER.header, HEADER.value).send(callback()).expect(200);
    expect(check).toHaveBeenCalledTimes(1);
  });

  it.each(EXPRESS)("may declare its parameter as the request of %s", async (_, express) => {
    const { sms } = recorder({ authenticate: (req: Request) => req.get("x-mine") === "mine" });
    const app = express().use("/sms", sms);
    await request(app).post("/sms").set("X-Mine", "mine").send(callback()).expect(200);
    await request(app).post("/sms").send(callback()).expect(403);
  });

  it("leaves no request without an answer if it is slow and reading the body then throws", async () => {
    const { sms, lines } = recorder({ authenticate: () => Promise.resolve(true), maxInFlight: 1 });
    const server = createServer((req, res) => {
      const { on } = req;
      const onButData = (event: string, listener: () => void): unknown => {
        if (event === "data") throw new Error("c4n4ry");
        return on.call(req, event, listener);
      };
      Object.assign(req, { on: onButData });
      sms(req, res);
    });
    expect(await statusOf(server, [])).toBe(500);
    expect(await statusOf(server, [])).toBe(500);
    expect(lines).toEqual([expect.stringContaining("(internal-error)")]);
    expect(lines[0]).not.toContain("c4n4ry");
  });
});

describe("several demands", () => {
  it("must all be met, and the answer is 401 if basic or bearer is not", async () => {
    const { server, unauthorized } = guarded([
      HEADER,
      { query: "token", value: "abc" },
      { basic: { username: "u", password: "p" } },
      { allow: ["127.0.0.0/8", "::1"] },
      () => true,
    ]);
    const header = ["X-Callback-Token", SECRET] as const;
    const basic = ["Authorization", basicOf("u:p")] as const;
    expect(await statusOf(server, [header, basic], "/?token=abc")).toBe(200);
    expect(await statusOf(server, [basic], "/?token=abc")).toBe(403);
    expect(await statusOf(server, [header, basic], "/")).toBe(403);
    expect(await statusOf(server, [header], "/?token=abc")).toBe(401);
    expect(await statusOf(server, [], "/")).toBe(401);
    expect(unauthorized.at(-1)?.reason).toBe(
      'The header "x-callback-token" is missing. The query\'s variable "token" is missing. ' +
        "The Basic authorization is missing.",
    );
  });
});

describe("an unauthorized caller", () => {
  it.each([
    ["of a known length", "Content-Length: 100000000\r\n\r\n{"],
    ["in chunks", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"],
  ])("is rejected before its body is read, and disconnected while it still sends one %s", async (_how, sent) => {
    const { server, unauthorized, invalid } = guarded(HEADER);
    const socket = await open(await listen(server));
    const answer = untilClosed(socket);
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\n${sent}`);
    expect(await answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(unauthorized).toHaveLength(1);
    expect(invalid).toEqual([]);
  });

  it("costs no memory, however much it sends", async () => {
    const script = `
      const { incomingSms } = require("express-kaleyra-sms");
      const quiet = { warn: () => undefined, error: () => undefined };
      const sms = incomingSms({ authenticate: { bearer: "right" }, logger: quiet });
      const used = () => {
        gc();
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        return heapUsed + arrayBuffers;
      };
      const before = used();
      const server = require("node:http").createServer(sms);
      server.listen(0, "127.0.0.1", () => console.log(server.address().port + ";"));
      process.stdin.once("data", () => { console.log(used() - before + ";"); process.exit(); });`;
    const child = spawn(process.execPath, ["--expose-gc", "-e", script], { cwd: join(__dirname, "..", "..") });
    const port = Number.parseInt(await until(child.stdout, ";"));
    const part = Buffer.alloc(1_000_000, "x");
    // All at once, so that the memory kept for each connection adds up.
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = await open(port);
        const answer = until(socket, "\r\n\r\n");
        socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
        const written = new Promise((resolve) => socket.once("close", resolve).write(part, resolve));
        expect(await answer).toMatch(/^HTTP\/1.1 401 /);
        await written;
        return socket;
      }),
    );
    const kept = until(child.stdout, ";");
    child.stdin.write("now");
    // 100,000,000 bytes were sent.
    expect(Number.parseInt(await kept)).toBeLessThan(50_000_000);
    for (const socket of sockets) socket.destroy();
  });

  it("is recognized even if the request is not a stream, as on some platforms", async () => {
    const { sms, unauthorized, messages } = recorder({ authenticate: [HEADER, { query: "token", value: "abc" }] });
    const status = (headers: Record<string, string>, url: string): Promise<number> =>
      new Promise((resolve) => {
        const res = { headersSent: false, writeHead: (given: number) => resolve(given), end: () => undefined };
        sms({ method: "POST", url, headers, body: callback(), complete: true } as never, res as never);
      });
    expect(await status({ "x-callback-token": SECRET }, "/?token=abc")).toBe(200);
    expect(await status({}, "/")).toBe(403);
    expect(unauthorized).toMatchObject([{ ip: undefined }]);
    expect(messages).toHaveLength(1);
  });

  it.each(EXPRESS)("is rejected if the app's own trust proxy function throws, in %s", async (_, express) => {
    const { sms, unauthorized } = recorder({ authenticate: { allow: ["127.0.0.1"] } });
    const app = express().set("trust proxy", () => {
      throw new Error("c4n4ry");
    });
    app.use("/sms", sms);
    await request(app).post("/sms").set("X-Forwarded-For", "127.0.0.1").send(callback()).expect(403);
    expect(unauthorized).toMatchObject([{ reason: "The caller's address is not an IP address." }]);
  });

  it.each(["HEAD", "OPTIONS", "PUT"])("may send %s, which carries no callback", async (method) => {
    const { server, unauthorized } = guarded(HEADER);
    const port = await listen(server);
    const { status } = await fetch(`http://127.0.0.1:${port}/`, { method });
    expect(status).toBe({ HEAD: 200, OPTIONS: 204, PUT: 405 }[method]);
    expect(unauthorized).toEqual([]);
  });

  it("is logged once a minute if unauthorized has no handler, without its address", async () => {
    const lines: string[] = [];
    const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
    const sms = incomingSms({ authenticate: HEADER, logger });
    for (let n = 0; n < 3; n++) await request(createServer(sms)).post("/").send(callback()).expect(403);
    expect(lines).toEqual([
      'express-kaleyra-sms: Rejected a caller: The header "x-callback-token" is missing. ' +
        'Register sms.on("unauthorized", ...) to handle each one. (unauthorized)',
    ]);
  });

  it("gets the same answer if a handler of unauthorized fails", async () => {
    const { sms, server, lines } = guarded(HEADER);
    sms.on("unauthorized", () => {
      throw new Error("c4n4ry");
    });
    await request(server).post("/").send(callback()).expect(403);
    expect(lines).toEqual([expect.stringContaining("(handler-of-unauthorized-failed)")]);
  });

  it("gets an answer without a body with problems: false", async () => {
    const { server } = guarded({ bearer: "x" }, { problems: false });
    await request(server)
      .post("/")
      .send(callback())
      .expect(401, "")
      .expect("WWW-Authenticate", /^Bearer /);
  });

  it("does not block later callers, in any order", async () => {
    const { server, messages } = guarded(HEADER, { maxInFlight: 1 });
    const port = await listen(server);
    const statuses = [];
    for (const token of ["no", SECRET, "no", "", SECRET]) {
      const { status } = await fetch(`http://127.0.0.1:${port}/`, {
        method: "POST",
        headers: { "X-Callback-Token": token },
        body: JSON.stringify(callback()),
      });
      statuses.push(status);
    }
    expect(statuses).toEqual([403, 200, 403, 403, 200]);
    expect(messages).toHaveLength(2);
  });
});

describe("options.authenticate", () => {
  const make = (authenticate: unknown) => () => incomingSms({ authenticate } as IncomingSmsOptions);

  it.each<[place: string, value: unknown, text: string]>([
    ["", [], "is empty"],
    ["", true, "takes one of { header, value }"],
    ["", "secret", "takes one of { header, value }"],
    ["", null, "takes one of { header, value }"],
    ["", {}, "takes one of { header, value }"],
    ["[1]", [HEADER, null], "takes one of"],
    ["[0]", [[HEADER]], "takes one of"],
    ["[0].value", [{ header: "a" }], "If it comes from the environment"],
    ["", { header: "a", value: "b", query: "c" }, "takes one of"],
    ["", { header: "a", value: "b", extra: 1 }, "takes one of"],
    [".header", { header: "a b", value: "x" }, "the name of an HTTP header"],
    [".header", { header: "", value: "x" }, "the name of an HTTP header"],
    [".header", { header: 1, value: "x" }, "the name of an HTTP header"],
    ["", { basic: { username: "u", password: "p" }, bearer: "x" }, "takes one of"],
    [".value", { header: "a", value: undefined }, "If it comes from the environment"],
    [".value", { header: "a", value: "" }, "If it comes from the environment"],
    [".value", { query: "a", value: undefined }, "If it comes from the environment"],
    [".bearer", { bearer: undefined }, "If it comes from the environment"],
    [".basic.password", { basic: { username: "u", password: undefined } }, "If it comes from the environment"],
    [".value", { header: "a", value: " x" }, "printable ASCII"],
    [".value", { header: "a", value: "é" }, "printable ASCII"],
    ["[0].value", [{ query: "a", value: "" }], "not empty"],
    [".value", { query: "a", value: "\ud800" }, "a string"],
    [".query", { query: "", value: "x" }, "not empty"],
    [".query", { query: "source", value: "x" }, "the name of a field"],
    [".query", { query: "parts[1]", value: "x" }, "the name of a field"],
    [".query", { query: "to", value: "x" }, "the name of a field"],
    [".basic", { basic: "u:p" }, "{ username, password }"],
    [".basic", { basic: { username: "u" } }, "{ username, password }"],
    [".basic.username", { basic: { username: "u:", password: "p" } }, 'without ":"'],
    [".basic.password", { basic: { username: "u", password: "" } }, "not empty"],
    [".bearer", { bearer: "a b" }, "a token"],
    [".allow", { allow: "10.0.0.0/8" }, "an array"],
    [".allow", { allow: [] }, "at least one"],
    [".allow[1]", { allow: ["10.0.0.1", "10.0.0.0/33"] }, "CIDR range"],
    [".allow[0]", { allow: ["2001:db8::/129"] }, "CIDR range"],
    [".allow[0]", { allow: ["10.0.0/8"] }, "CIDR range"],
    [".allow[0]", { allow: ["10.0.0.0/8/8"] }, "CIDR range"],
    [".allow[0]", { allow: ["10.0.0.0/"] }, "CIDR range"],
    [".allow[0]", { allow: ["10.0.0.0/ 8"] }, "CIDR range"],
    [".allow[0]", { allow: ["localhost"] }, "CIDR range"],
    [".allow[0]", { allow: ["fe80::1%eth0"] }, "CIDR range"],
    [".allow[0]", { allow: [10] }, "CIDR range"],
    ["", [{ basic: { username: "u", password: "p" } }, { bearer: "t" }], "Both use the Authorization header"],
    ["", [{ basic: { username: "u", password: "p" } }, { bearer: () => true }], "Both use the Authorization header"],
  ])("throws a TypeError that names the wrong property: %s %j", (place, value, text) => {
    expect(make(value)).toThrow(TypeError);
    expect(make(value)).toThrow(`options.authenticate${place} `);
    expect(make(value)).toThrow(text);
  });

  it("never has its secrets in an error", () => {
    for (const wrong of [{ header: "a", value: "c4n4ry\n" }, { bearer: "c4n4ry x" }, { allow: ["c4n4ry"] }, "c4n4ry"]) {
      expect(make(wrong)).toThrow(TypeError);
      expect(make(wrong)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("c4n4ry") }));
    }
  });

  it("is read once, when the router is made", async () => {
    const authenticate = [{ header: "X-One", value: "one" }];
    const { server } = guarded(authenticate);
    authenticate[0] = { header: "X-One", value: "two" };
    expect(await statusOf(server, [["X-One", "one"]])).toBe(200);
    expect(await statusOf(server, [["X-One", "two"]])).toBe(403);
  });
});

describe("without options.authenticate", () => {
  let environment: string | undefined;
  beforeEach(() => void (environment = process.env.NODE_ENV));
  afterEach(() => void (process.env.NODE_ENV = environment));

  it("emits one process warning in development", () => {
    const emitWarning = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    process.env.NODE_ENV = "development";
    incomingSms();
    expect(codesOf(emitWarning)).toEqual(["KALEYRA_SMS_NO_AUTHENTICATION"]);
    emitWarning.mockClear();
    incomingSms({ authenticate: false });
    incomingSms({ authenticate: HEADER });
    expect(emitWarning).not.toHaveBeenCalled();
  });

  it("throws in production, with an error that names the reason and the remedy", () => {
    process.env.NODE_ENV = "production";
    expect(() => incomingSms()).toThrow(TypeError);
    expect(() => incomingSms({ authenticate: undefined })).toThrow(
      expect.objectContaining({
        code: "KALEYRA_SMS_NO_AUTHENTICATION",
        message:
          "incomingSms needs options.authenticate under NODE_ENV=production: " +
          "anyone who knows the URL could opt your customers in and out. " +
          "Add a secret to the Callback Profile as a custom HTTP header, and set " +
          'authenticate: { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN }. ' +
          "If something in front of the app checks callers, set authenticate: false. " +
          "See node_modules/express-kaleyra-sms/docs/codes.md#kaleyra_sms_no_authentication",
      }),
    );
    expect(() => incomingSms({ authenticate: false })).not.toThrow();
    expect(() => incomingSms({ authenticate: HEADER })).not.toThrow();
  });

  it("ends a process in production with that error", () => {
    const { stderr, status } = spawnSync(process.execPath, ["-e", 'require("express-kaleyra-sms").incomingSms()'], {
      cwd: join(__dirname, "..", ".."),
      env: { ...process.env, NODE_ENV: "production" },
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toContain("KALEYRA_SMS_NO_AUTHENTICATION");
  });
});

function codesOf({ mock: { calls } }: { mock: { calls: readonly unknown[][] } }): unknown[] {
  return calls.map(([, options]) => (options as { code?: unknown }).code);
}

it("answers a caller that is still being checked when the router closes", async () => {
  let allow = (): void => undefined;
  const { sms, messages } = recorder({ authenticate: () => new Promise((resolve) => (allow = () => resolve(true))) });
  const port = await listen(sms);
  const send = () => fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify(callback()) });
  const response = send();
  const before = allow;
  while (allow === before) await new Promise(setImmediate);
  const closing = sms.close();
  expect((await send()).status).toBe(503);
  allow();
  expect((await response).status).toBe(200);
  await closing;
  expect(messages).toHaveLength(1);
});
