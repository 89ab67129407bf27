// docs/who-may-call.md: its options let in and keep out whom the page says.

import { runInNewContext } from "node:vm";
import { afterEach, expect, it } from "@jest/globals";
import { incomingSms, type IncomingSms } from "express-kaleyra-sms";
import express from "express";

import { closeServers, listen } from "../support/recorder";
import { names, readPage } from "./page";
import { routerOf } from "./router-of";

const PAGE = readPage("docs/who-may-call.md");
const quiet = { warn: () => undefined, error: () => undefined };
const URL = "http://localhost/?id=1&source=919876500001&recipient=5050&keyword=STOP";

afterEach(closeServers);

const call = async (sms: IncomingSms, headers: Record<string, string>, ip?: string): Promise<number> =>
  (await sms.fetch(new Request(URL, { headers }), ip === undefined ? {} : { ip })).status;

it("demands a secret, and does not start without it", async () => {
  const [code = ""] = PAGE.blocks("js");
  const sms = routerOf(code, { process: { env: { CALLBACK_TOKEN: "s3cret" } } });
  expect(await call(sms, { "X-Callback-Token": "s3cret" })).toBe(200);
  expect(await call(sms, { "X-Callback-Token": "another" })).toBe(403);
  expect(() => routerOf(code, { process: { env: {} } })).toThrow(/options\.authenticate\.value.*set it there/);
});

it("accepts either secret, from the addresses only", async () => {
  const env = { CALLBACK_TOKEN_OLD: "old", CALLBACK_TOKEN: "new" };
  const code = PAGE.block("js", "CALLBACK_TOKEN_OLD");
  const sms = routerOf(code, { process: { env } });
  for (const [token, ip, status] of [
    ["old", "203.0.113.7", 200],
    ["new", "203.0.113.7", 200],
    ["another", "203.0.113.7", 403],
    ["new", "198.51.100.7", 403],
  ] as const)
    expect([token, ip, await call(sms, { "X-Callback-Token": token }, ip)]).toEqual([token, ip, status]);
  for (const name of Object.keys(env))
    expect(() => routerOf(code, { process: { env: { ...env, [name]: undefined } } })).toThrow(/options\.authenticate/);
});

it("takes each kind in the table", () => {
  const kinds = names(PAGE.table("## What else can I demand?"));
  const given = { value: "v", username: "u", password: "p", token: "t" };
  expect(kinds).toHaveLength(8);
  for (const kind of kinds) {
    const code = kind
      .replace("{ header,", '{ header: "X-A",')
      .replace("{ query,", '{ query: "a",')
      .replace("…", "true");
    const authenticate: unknown = runInNewContext(`(${code})`, { ...given });
    expect(() => incomingSms({ logger: quiet, authenticate } as never)).not.toThrow();
  }
});

it("answers 401 if basic or bearer failed, and shows the reason to the app only", async () => {
  const lines: unknown[] = [];
  for (const [authenticate, status] of [
    [{ basic: { username: "u", password: "p" } }, 401],
    [{ bearer: "t" }, 401],
    [{ query: "token", value: "v" }, 403],
  ] as const) {
    const sms = incomingSms({ authenticate });
    runInNewContext(PAGE.block("js", "unauthorized"), {
      sms,
      console: { warn: (...line: unknown[]) => lines.push(line) },
    });
    const answer = await sms.fetch(new Request(URL));
    expect([answer.status, answer.headers.has("WWW-Authenticate")]).toEqual([status, status === 401]);
    expect(await answer.text()).not.toContain("missing");
  }
  expect(lines).toEqual(Array(3).fill(["missing", expect.any(String), undefined]));
});

it("asks a function of Express's request", async () => {
  const authenticate = (req: express.Request): boolean => req.get("X-Signature") === "right";
  const app = express().use("/sms", incomingSms({ authenticate, logger: quiet }));
  const url = `http://127.0.0.1:${await listen(app)}/sms${new globalThis.URL(URL).search}`;
  expect((await fetch(url, { headers: { "X-Signature": "right" } })).status).toBe(200);
  expect((await fetch(url)).status).toBe(403);
});
