// The requests that the router answers, for every way to mount it.

import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import express, { type RequestHandler } from "express";
import request from "supertest";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { closeServers, listen, open, recorder, untilClosed } from "../support/recorder";

afterEach(closeServers);

describe.each(EXPRESS)("in %s", (name, express) => {
  it("answers its mount path, with and without a trailing slash, and leaves paths below it to the app", async () => {
    const { sms, messages } = recorder();
    const app = express()
      .use("/sms", sms)
      .post("/sms/other", (_req, res) => void res.status(201).end());
    await request(app).post("/sms").send(callback()).expect(200);
    await request(app).post("/sms/").send(callback()).expect(200);
    await request(app).post("/sms?a=b").send(callback()).expect(200);
    await request(app).post("/sms/other").send(callback()).expect(201);
    await request(app).post("/sms/none").send(callback()).expect(404);
    await request(app).post("/smsx").send(callback()).expect(404);
    expect(messages).toHaveLength(3);
  });

  it("answers its mount path under strict routing, too", async () => {
    const { sms, messages } = recorder();
    const app = express().set("strict routing", true).use("/sms", sms);
    await request(app).post("/sms").send(callback()).expect(200);
    await request(app).post("/sms/").send(callback()).expect(200);
    expect(messages).toHaveLength(2);
  });

  it("answers every request that its route matches", async () => {
    const { sms, messages } = recorder();
    const first = (_req: unknown, _res: unknown, next: () => void): void => next();
    const app = express()
      .post("/plain", sms)
      .all("/tenants/:tenant/sms", first, sms)
      .all(/^\/any/, [first, sms]);
    app.route("/routed").post(sms);
    for (const path of ["/plain", "/plain/", "/tenants/acme/sms", "/anything", "/any/deep/path", "/routed"]) {
      await request(app).post(path).send(callback()).expect(200);
    }
    expect(messages).toHaveLength(6);
  });

  it("answers in a route if a handler calls it without next", async () => {
    const { sms } = recorder();
    const app = express().post("/sms", (req, res) => sms(req, res));
    await request(app).post("/sms").send(callback()).expect(200);
  });

  it("answers in a route if a handler wraps it", async () => {
    const { sms, messages } = recorder();
    const wrapped: RequestHandler = (req, res, next) => sms(req, res, next);
    const router = express.Router().post("/in", wrapped);
    const app = express().post("/sms", wrapped).all("/tenants/:tenant/sms", wrapped).use("/nested", router);
    for (const path of ["/sms", "/SMS/", "/tenants/acme/sms", "/nested/in"]) {
      await request(app).post(path).send(callback()).expect(200);
    }
    expect(messages).toHaveLength(4);
  });

  it("answers so with several paths and optional parameters", async () => {
    const { sms, messages } = recorder();
    const wrapped: RequestHandler = (req, res, next) => sms(req, res, next);
    const optional = name === "Express 5" ? "/of{/:tenant}" : "/of/:tenant?";
    const app = express()
      .post(["/a", "/b.c/:tenant", /^\/never/], wrapped)
      .use("/nested", express.Router().post(optional, wrapped));
    for (const path of ["/a", "/a/", "/b.c/acme", "/nested/of", "/nested/of/acme"]) {
      await request(app).post(path).send(callback()).expect(200);
    }
    expect(messages).toHaveLength(5);
    for (const path of ["/b.c", "/b-c/acme", "/nested/of/acme/more"]) {
      await request(app).post(path).send(callback()).expect(404);
    }
  });

  it("leaves to the app what a route with parameters has matched before it", async () => {
    const { sms } = recorder();
    const app = express()
      .all("/:any", (_req, _res, next) => next())
      .use(sms)
      .post("/other", (_req, res) => void res.status(201).end());
    await request(app).post("/").send(callback()).expect(200);
    await request(app).post("/other").send(callback()).expect(201);
  });

  it("ignores options.path, and names no path that was sent, where no next is given", async () => {
    const { sms } = recorder({ path: "/hooks/sms" });
    const app = express().use("/t/:tenant", (req, res) => sms(req, res));
    await request(app).post("/t/acme").send(callback()).expect(200);
    const response = await request(app).post("/t/acme/x").send(callback()).expect(404);
    expect(response.text).toContain("the path at which the router is mounted");
    expect(response.text).not.toContain("acme");
  });

  it("has the name incomingSms, which traces show", () => {
    expect(recorder().sms.name).toBe("incomingSms");
    expect(recorder().sms).toHaveLength(3);
  });

  it("answers only its mount path if a route matched earlier", async () => {
    const { sms } = recorder();
    const app = express()
      .all(/.*/, (_req, _res, next) => next())
      .use("/sms", sms)
      .post("/sms/other", (_req, res) => void res.status(201).end());
    await request(app).post("/sms").send(callback()).expect(200);
    await request(app).post("/sms/other").send(callback()).expect(201);
  });

  it("does not affect express.json() that is mounted after it", async () => {
    const { sms } = recorder();
    const app = express()
      .use("/sms", sms)
      .use(express.json())
      .post("/own", (req, res) => void res.json(req.body));
    await request(app).post("/own").send({ a: 1 }).expect(200, { a: 1 });
  });
});

describe("without Express", () => {
  it("answers / by default, and 404 elsewhere", async () => {
    const { sms, messages } = recorder();
    const server = createServer(sms);
    await request(server).post("/").send(callback()).expect(200);
    await request(server).post("/?a=b").send(callback()).expect(200);
    await request(server).post("/sms").send(callback()).expect(404);
    expect(messages).toHaveLength(2);
  });

  it("answers options.path, with and without a trailing slash", async () => {
    const { sms } = recorder({ path: "/hooks/sms/" });
    const server = createServer(sms);
    await request(server).post("/hooks/sms").send(callback()).expect(200);
    await request(server).post("/hooks/sms/").send(callback()).expect(200);
    await request(server).post("/hooks/sms/x").send(callback()).expect(404);
    await request(server).post("/").send(callback()).expect(404);
  });

  it("names its path to a request for another, and warns once", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const server = createServer(recorder({ path: "/hooks/sms" }).sms);
    for (let n = 0; n < 2; n++) {
      const response = await request(server).post("/secret-c4n4ry").send(callback()).expect(404);
      expect(response.body).toMatchObject({ code: "not-found", detail: expect.stringContaining("/hooks/sms") });
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.stringMatching(/answers \/hooks\/sms.*options\.path/),
      expect.objectContaining({ code: "KALEYRA_SMS_OTHER_PATH" }),
    );
    expect(JSON.stringify(warn.mock.calls)).not.toContain("c4n4ry");
    warn.mockRestore();
  });

  it("stands in front of an app, and leaves it every other path untouched", async () => {
    const { sms, messages } = recorder({ path: "/sms" });
    const app = express()
      .post("/sms", (_req, res) => void res.status(500).end())
      .use(express.json())
      .post("/", (req, res) => void res.status(201).json(req.body));
    const server = createServer((req, res) => sms(req, res, () => void app(req, res)));
    await request(server).post("/sms").send(callback()).expect(200);
    await request(server).post("/sms/?a=b").send(callback()).expect(200);
    await request(server).post("/").send({ a: 1 }).expect(201, { a: 1 });
    await request(server).post("/sms/x").send({}).expect(404);
    await request(server).put("/sms").expect(405);
    expect(messages).toHaveLength(2);
  });

  it.each([
    ["the whole URL, as koa-connect, restana and Nitro pass it", "/hooks/sms", (url: string) => url],
    ["the rest of it, as connect and h3's use pass it", "/", (url: string) => url.replace("/hooks/sms", "") || "/"],
  ])("takes %s, with next", async (_how, path, rest) => {
    const { sms, messages } = recorder({ path });
    const server = createServer((req, res) => {
      req.url = rest(req.url ?? "/");
      sms(req, res, () => res.writeHead(418).end());
    });
    await request(server).post("/hooks/sms").send(callback()).expect(200);
    await request(server).post("/hooks/sms/x").send(callback()).expect(418);
    expect(messages).toHaveLength(1);
  });

  it("answers over HTTP/2, also what has no body, without an error of the stream", async () => {
    const server = createHttp2Server(recorder().sms).listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const errors: unknown[] = [];
    server.on("stream", (stream) => stream.on("error", (error) => errors.push(error)));
    try {
      for (const [method, path, status] of [
        ["HEAD", "/", 200],
        ["OPTIONS", "/", 204],
        ["HEAD", "/x", 404],
        ["PUT", "/", 405],
        ["GET", "/?id=1&source=1&recipient=2&keyword=A", 200],
      ] as const) {
        const stream = session.request({ ":method": method, ":path": path });
        const closed = new Promise((resolve) => stream.on("close", resolve));
        stream.on("error", (error) => errors.push(error)).resume();
        const [head] = (await once(stream, "response")) as [Record<string, unknown>];
        expect([method, head[":status"]]).toEqual([method, status]);
        stream.end();
        await closed;
      }
      await new Promise(setImmediate);
      expect(errors).toEqual([]);
    } finally {
      session.destroy();
      server.close();
    }
  });

  it("finds its path in a request line with an absolute URL", async () => {
    const { sms, messages } = recorder({ path: "/sms" });
    const socket = await open(await listen(sms));
    const received = untilClosed(socket);
    socket.write(
      "GET http://localhost/sms?id=1&source=1&recipient=2&keyword=A HTTP/1.1\r\n" +
        "Host: localhost\r\nConnection: close\r\n\r\n",
    );
    expect(await received).toMatch(/^HTTP\/1.1 200/);
    expect(messages[0]?.keyword).toBe("A");
  });
});

describe("the router", () => {
  it("answers 405 with the allowed methods to others, and answers HEAD and OPTIONS itself", async () => {
    const { sms, messages, invalid } = recorder();
    const server = createServer(sms);
    const put = await request(server).put("/").send(callback()).expect(405);
    expect(put.headers).toMatchObject({ allow: "GET, HEAD, POST, OPTIONS", "cache-control": "no-store" });
    expect(put.body).toMatchObject({ status: 405, code: "method-not-allowed" });
    await request(server).head("/").expect(200);
    await request(server).options("/").expect(204).expect("Allow", "GET, HEAD, POST, OPTIONS");
    expect([...messages, ...invalid]).toEqual([]);
  });

  it.each([
    [["POST"], "HEAD, POST, OPTIONS", "get"],
    [["GET"], "GET, HEAD, OPTIONS", "post"],
  ] as const)("with methods %j allows %s", async (methods, allow, rejected) => {
    const server = createServer(recorder({ methods }).sms);
    await request(server)[rejected]("/").expect(405).expect("Allow", allow);
    await request(server).options("/").expect(204).expect("Allow", allow);
    await request(server).head("/").expect(200);
  });
});

describe("several routers in one process", () => {
  it("share nothing", async () => {
    const one = recorder();
    const two = recorder();
    one.sms.keyword("STOP", () => undefined);
    const body = callback({ message: "hello" });
    await one.sms.receive({ method: "POST", body });
    expect(await two.sms.receive({ method: "POST", body })).toMatchObject({ outcome: "handled" });
    expect(one.unmatched).toHaveLength(1);
    expect(two.unmatched).toHaveLength(0);
    await one.sms.close();
    expect(await two.sms.receive({ method: "POST", body: callback() })).toMatchObject({ outcome: "handled" });
  });
});
