// docs/mounting.md: each of its ways to mount the router answers a callback.

import { createServer, type Server } from "node:http";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it } from "@jest/globals";
import express from "express";
import { Hono } from "hono";

import { callback } from "../support/callbacks";
import { closeServers, listen, recorder } from "../support/recorder";
import { readPage } from "./page";

const PAGE = readPage("docs/mounting.md");
const lines = (code: string): string[] => code.trim().split("\n");
const UNESCAPED = JSON.stringify(callback()).replace(/"message":"[^"]*"/, '"message":"say "hi""');

afterEach(closeServers);

/** Posts a callback, with a text that is not escaped. */
async function post(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: UNESCAPED,
  });
  return answer.status;
}

describe("in Express", () => {
  const ways = lines(PAGE.block("ts", "or as a route"));

  it.each(ways)("answers if it is mounted so: %s", async (way) => {
    const { sms, messages } = recorder();
    const app = express();
    runInNewContext(way, { app, sms });
    const path = way.includes(":tenant") ? "/tenants/acme/sms" : "/sms";
    expect(await post(await listen(app), path)).toBe(200);
    expect(messages).toMatchObject([{ text: 'say "hi"' }]);
  });

  it("gets what parsers behind express.raw would reject", async () => {
    const code = PAGE.block("ts", "express.raw");
    for (const [each, status] of [
      [code, 200],
      [code.replace(/^.*express\.raw.*\n/, ""), 400],
    ] as const) {
      const { sms } = recorder();
      const app = express();
      runInNewContext(each, { app, sms, express });
      expect(await post(await listen(app), "/sms")).toBe(status);
    }
  });

  it("gets the bytes if a parser skips its path, which reads all others", async () => {
    const { sms, messages } = recorder();
    const app = express();
    runInNewContext(PAGE.block("ts", "req.path"), { app, sms, express });
    app.post("/other", (req, res) => void res.json(req.body));
    const port = await listen(app);
    expect(await post(port, "/sms")).toBe(200);
    expect(messages).toMatchObject([{ text: 'say "hi"', repaired: true }]);
    expect(await post(port, "/other")).toBe(400);
  });

  it("sees the caller's address behind as many proxies as are trusted", async () => {
    const { sms } = recorder({ authenticate: { allow: ["203.0.113.7"] } });
    const app = express();
    runInNewContext(PAGE.block("ts", "trust proxy"), { app, sms });
    const port = await listen(app);
    expect(await post(port, "/sms", { "X-Forwarded-For": "203.0.113.7" })).toBe(200);
    expect(await post(port, "/sms", { "X-Forwarded-For": "203.0.113.7, 198.51.100.7" })).toBe(403);
  });
});

describe("without Express", () => {
  const ways = lines(PAGE.block("ts", "createServer(sms)"));

  it.each(ways)("answers if it is used so: %s", async (way) => {
    const { sms } = recorder({ path: "/sms" });
    const app = express().get("/other", (_req, res) => void res.send("the app"));
    const server = runInNewContext(way, { createServer, sms, app }) as Server;
    const port = await listen(server);
    expect(await post(port, "/sms")).toBe(200);
    const { status } = await fetch(`http://127.0.0.1:${port}/other`);
    expect(status).toBe(way.includes("app(") ? 200 : 404);
  });

  it("answers in Hono", async () => {
    const { sms } = recorder();
    const code = PAGE.block("ts", "Hono").replace("const api = ", "");
    const api = runInNewContext(code, { Hono, sms }) as Hono;
    const headers = { "Content-Type": "application/json" };
    expect((await api.request("/sms", { method: "POST", headers, body: UNESCAPED })).status).toBe(200);
  });
});

it("prints what sms.receive returns", async () => {
  const { sms } = recorder();
  const printed: unknown[] = [];
  const code = PAGE.block("ts", "sms.receive");
  await (runInNewContext(`(async () => {${code}})()`, {
    sms,
    console: { log: (...values: unknown[]) => printed.push(values.join(" ")) },
  }) as Promise<void>);
  const [, shown] = /console\.log\(.*\); \/\/ (.*)/.exec(code) ?? [];
  expect(printed).toEqual([shown?.replace("undefined", "")]);
});
