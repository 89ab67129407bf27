// Who may open the simulator, and under which paths it answers.

import { createServer, request } from "node:http";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";
import { simulator } from "express-kaleyra-sms/simulator";
import helmet from "helmet";

import { EXPRESS } from "../support/hosts";
import { closeServers, listen, recorder } from "../support/recorder";
import { app, appOf, DRAFT, get, post } from "./support";

afterEach(closeServers);

const CSP = "content-security-policy";

describe("a visitor", () => {
  it.each(["localhost", "LOCALHOST.", "sms.localhost", "127.0.0.1", "127.8.8.8", "[::1]"])(
    "may open the page as %s, with any port",
    async (host) => {
      const { port } = await app();
      for (const name of [host, `${host}:8080`])
        expect((await get(port, "/simulator/", { headers: { host: name } })).status).toBe(200);
    },
  );

  it.each(["evil.test", "localhost.evil.test", "evil.test:3000", "127.0.0.1.evil.test", "192.168.0.7", "0.0.0.0"])(
    "is refused under the host %j, and is told about hosts",
    async (host) => {
      const { port } = await app();
      for (const resource of ["", "page.js", "events"]) {
        const { status, body, headers } = await get(port, `/simulator/${resource}`, { headers: { host } });
        expect([status, headers["content-type"]]).toEqual([403, "text/plain; charset=utf-8"]);
        expect(body).toContain("hosts: [");
      }
    },
  );

  it("may use the names in hosts, with or without a port", async () => {
    const { port } = await app({}, { hosts: ["dev.example.test", "other.test:8080"] });
    const statusOf = async (host: string): Promise<number> =>
      (await get(port, "/simulator/", { headers: { host } })).status;
    expect(await statusOf("dev.example.test")).toBe(200);
    expect(await statusOf("Dev.Example.test:3000")).toBe(200);
    expect(await statusOf("other.test:8080")).toBe(200);
    expect(await statusOf("other.test:8081")).toBe(403);
  });

  it.each(["http://evil.test", "null", "http://localhost:1", "https://localhost", "file://"])(
    "is refused from a page of %s",
    async (origin) => {
      const { port, messages } = await app();
      for (const resource of ["send", "preview"]) {
        const { status, body } = await get(port, `/simulator/${resource}`, {
          method: "POST",
          headers: { origin, "content-type": "application/json" },
          body: JSON.stringify(DRAFT),
        });
        expect(status).toBe(403);
        expect(body).toContain("hosts: [");
      }
      expect(messages).toEqual([]);
    },
  );

  it("is refused a form, which another site may send without asking", async () => {
    const { port, messages } = await app();
    const sent = { method: "POST", headers: { "content-type": "text/plain" }, body: JSON.stringify(DRAFT) };
    expect((await get(port, "/simulator/send", sent)).status).toBe(415);
    expect(messages).toEqual([]);
  });

  it.each(["x-forwarded-for", "X-Forwarded-Proto", "forwarded", "via", "x-real-ip"])(
    "is refused behind a proxy that sends %s, also with allowRemote",
    async (name) => {
      const { port } = await app({}, { allowRemote: true });
      const { status, body } = await get(port, "/simulator/", { headers: { [name]: "for=127.0.0.1" } });
      expect(status).toBe(403);
      expect(body).toContain("proxy");
    },
  );

  const address = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.internal === false && one.family === "IPv4")?.address;
  const itWithNetwork = address === undefined ? it.skip : it;

  itWithNetwork("is refused from another address, unless allowRemote is true", async () => {
    const statuses = [];
    for (const allowRemote of [false, true]) {
      const { sms } = recorder();
      const server = createServer(simulator(sms, { target: "/sms", allowRemote }));
      // To this machine's own address on the network, the peer's address is that one, too.
      await new Promise<void>((resolve) => server.listen(0, address, resolve));
      const { port } = server.address() as { port: number };
      statuses.push(
        await new Promise((resolve, reject) => {
          const sending = request({ host: address, port, agent: false, headers: { host: "localhost" } });
          sending
            .once("response", (response) => resolve(response.resume().statusCode))
            .once("error", reject)
            .end();
        }),
      );
      await new Promise((resolve) => server.close(resolve));
    }
    expect(statuses).toEqual([403, 200]);
  });
});

describe("the page", () => {
  it.each(EXPRESS)("is found at three depths of %s, with relative URLs only", async (_, express) => {
    const { sms } = recorder();
    const page = simulator(sms, { target: "/sms" });
    const inner = express.Router().use("/simulator", page);
    const made = express().use("/simulator", page).use("/dev", inner).use("/a/b/c/d", inner);
    const port = await listen(made);
    for (const path of ["/simulator", "/dev/simulator", "/a/b/c/d/simulator"]) {
      const { status, headers } = await get(port, path);
      expect(status).toBe(302);
      const redirected = new URL(headers.location ?? "", `http://localhost:${port}${path}`);
      expect(redirected.pathname).toBe(`${path}/`);
      const { body } = await get(port, `${path}/?from=elsewhere`);
      const urls = Array.from(body.matchAll(/(?:src|href)="([^"]+)"/g), ([, url = ""]) => url);
      expect(urls.length).toBeGreaterThan(2);
      for (const url of urls) {
        expect(url).toMatch(/^[\w.]+$/);
        expect((await get(port, `${path}/${url}`)).status).toBe(200);
      }
      expect((await get(port, `${path}/other`)).status).toBe(404);
    }
  });

  it("is found on bare node:http at the root, and below a path that the server has chosen", async () => {
    const { sms } = recorder();
    const page = simulator(sms, { target: "/sms" });
    const port = await listen(createServer(page));
    for (const path of ["/", "/dev/simulator/"]) {
      expect((await get(port, path)).headers["content-type"]).toBe("text/html; charset=utf-8");
      expect((await get(port, `${path}page.js`)).headers["content-type"]).toBe("text/javascript; charset=utf-8");
    }
    expect((await get(port, "/dev/simulator")).headers.location).toBe("./simulator/");
    expect((await get(port, "/favicon.ico")).status).toBe(404);
  });

  it("is found behind a proxy that strips a prefix and adds nothing", async () => {
    const { port, messages } = await app();
    const proxy = await listen(
      createServer((req, res) => {
        const { method, headers } = req;
        const path = req.url?.replace("/tools/", "/");
        const passing = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
          res.writeHead(response.statusCode ?? 500, response.headers);
          response.pipe(res);
        });
        req.pipe(passing);
      }),
    );
    const { headers } = await get(proxy, "/tools/simulator");
    expect(new URL(headers.location ?? "", "http://localhost/tools/simulator").pathname).toBe("/tools/simulator/");
    expect((await get(proxy, "/tools/simulator/page.css")).status).toBe(200);
    expect((await post(proxy, "/tools/simulator/send")).body.answers).toMatchObject([{ status: 200 }]);
    expect(messages).toMatchObject([{ text: "Hello" }]);
  });

  it("has a strict policy of its own, whatever helmet has set", async () => {
    const { port } = await app({}, {}, [helmet()]);
    for (const resource of ["", "page.js", "page.css", "icon.svg"]) {
      const { headers } = await get(port, `/simulator/${resource}`);
      expect(headers[CSP]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      expect(headers[CSP]).toContain("frame-ancestors 'none'");
      expect(headers[CSP]).not.toMatch(/unsafe|upgrade-insecure|https?:/);
      expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store, no-transform" });
    }
  });

  it("asks nothing of anywhere else, and is small", async () => {
    const { port } = await app();
    let size = 0;
    for (const resource of ["", "page.js", "page.css", "icon.svg"]) {
      const { body } = await get(port, `/simulator/${resource}`);
      size += Buffer.byteLength(body);
      expect(body.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\//);
    }
    expect(size).toBeLessThan(102_400);
  });

  it("takes no other method", async () => {
    const { port } = await app();
    const { status, headers } = await get(port, "/simulator/", { method: "DELETE" });
    expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
    const wrong = await get(port, "/simulator/send");
    expect([wrong.status, wrong.headers.allow]).toEqual([405, "POST"]);
    for (const resource of ["", "events"])
      expect(await get(port, `/simulator/${resource}`, { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });
});

describe("simulator", () => {
  const { sms } = recorder();

  it.each<[string, unknown, string]>([
    ["a target that is no path", { target: "sms" }, "target of simulator takes"],
    ["no target", {}, "target of simulator takes"],
    ["a target of another host by //", { target: "//evil.test/sms" }, "target of simulator takes"],
    ["a target with credentials", { target: "http://a:b@localhost/sms" }, "target of simulator takes"],
    ["an unknown option", { target: "/sms", allowRemotes: true }, "allowRemotes is not an option of simulator"],
    ["a host with a path", { target: "/sms", hosts: ["a/b"] }, "hosts of simulator takes"],
    ["a header that the request itself has", { target: "/sms", headers: { Host: "a" } }, "headers of simulator takes"],
    ["a header with a line break", { target: "/sms", headers: { A: "b\r\nc: d" } }, "headers of simulator takes"],
    ["a string for true", { target: "/sms", allowRemote: "yes" }, "allowRemote of simulator takes true or false"],
    ["options that are none", "/sms", "simulator takes a router and options"],
  ])("throws a TypeError for %s", (_, options, says) => {
    const make = (): unknown => simulator(sms, options as { target: string });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(
      expect.objectContaining({ code: "KALEYRA_SMS_INVALID_OPTION", message: expect.stringContaining(says) }),
    );
  });

  it("throws a TypeError for what is no router, and for a path without one", () => {
    expect(() => simulator((() => undefined) as never, { target: "/sms" })).toThrow("takes a router");
    expect(() => simulator(undefined, { target: "/sms" })).toThrow("target of simulator takes an absolute URL");
  });

  it("throws a TypeError under NODE_ENV=production, unless allowInProduction is true", () => {
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = "production";
    try {
      const router = incomingSms({ authenticate: false });
      const make = (allowInProduction?: boolean) => (): unknown =>
        simulator(router, { target: "/sms", allowInProduction });
      expect(make()).toThrow(expect.objectContaining({ code: "KALEYRA_SMS_SIMULATOR_IN_PRODUCTION" }));
      expect(make(false)).toThrow(TypeError);
      expect(make(true)).not.toThrow();
    } finally {
      process.env.NODE_ENV = before;
    }
  });

  it("does not compile with an option that is not there", () => {
    // @ts-expect-error: misspelt
    expect(() => appOf(sms, { host: ["a"] })).toThrow("host is not an option of simulator");
  });
});
