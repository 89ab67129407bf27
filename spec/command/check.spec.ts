// `check`: what the answers of an endpoint show, of this package's router and of others.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import express from "express";
import { callbackProfile, type CallbackProfileOptions } from "express-kaleyra-sms";

import { command, commandJson, startCommand } from "../support/command";
import { closeServers, deferred, listen, recorder, type Recorder, type SomeOptions } from "../support/recorder";
import { temporaryFolder } from "../inbox/temporary";
import { naiveApp } from "./naive-handler";

// What a router warns of meanwhile, it warns of what was sent by `check`.
beforeEach(() => void jest.spyOn(process, "emitWarning").mockImplementation(() => undefined));

afterEach(async () => {
  jest.restoreAllMocks();
  await closeServers();
});

// Each starts a process that sends some seventy requests.
jest.setTimeout(30_000);

const TOKEN = "Canary-of-the-Token";

interface Checked {
  readonly code: number | null;
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly next: string };
  readonly holds: number;
  readonly notProven: number;
  readonly lines: ReadonlyArray<
    Readonly<Record<"group" | "name" | "result", string>> & { seen?: string; next?: string }
  >;
  /** The names of the lines that fail. */
  readonly failing: readonly string[];
  readonly stdout: string;
}

async function check(url: string, ...args: string[]): Promise<Checked> {
  const { code, stdout, json } = await commandJson(["check", url, ...args], { env: { CALLBACK_TOKEN: TOKEN } });
  const { ok, error, data } = json as Pick<Checked, "ok" | "error"> & {
    data: Pick<Checked, "holds" | "notProven" | "lines"> & { fails: number };
  };
  const { lines } = data;
  const count = (result: string): number => lines.filter((line) => line.result === result).length;
  expect([data.holds, data.fails, data.notProven]).toEqual(["holds", "fails", "not proven"].map(count));
  const failing = lines.filter(({ result }) => result === "fails").map(({ name }) => name);
  expect(code).toBe(failing.length > 0 ? 1 : 0);
  return { code, ok, ...(error && { error }), ...data, failing, stdout };
}

/** What an answer cannot show. */
const NOT_SHOWN = [
  "reads a text exactly as it was typed",
  "handles a repeated callback once",
  "loses nothing that it accepted when its process ends",
];

const ANYONE = "refuses a caller that shows no secret";

/** An app with the router in it, as that of the quickstart. */
async function appWith(options: SomeOptions): Promise<Recorder & { url: string }> {
  const recorded = recorder({ bodyTimeoutMs: 300, ...options });
  const app = express().use("/sms", recorded.sms).use(express.json());
  return { ...recorded, url: `http://127.0.0.1:${await listen(app)}/sms` };
}

async function served(listener: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(listener)}/sms`;
}

function expectAllHold({ lines, ok, code }: Checked): void {
  expect(lines.filter(({ result }) => result === "fails")).toEqual([]);
  expect(lines.filter(({ result }) => result === "not proven").map(({ name }) => name)).toEqual(NOT_SHOWN);
  expect([ok, code]).toEqual([true, 0]);
}

describe("check of an app with the router", () => {
  it("holds in every line, and leaves callbacks that the app can recognize", async () => {
    const { url, messages, duplicates, errors } = await appWith({
      authenticate: { header: "X-Callback-Token", value: TOKEN },
    });
    const checked = await check(url, "--header", "X-Callback-Token=env:CALLBACK_TOKEN");
    expectAllHold(checked);
    expect(checked.lines.length).toBeGreaterThan(60);
    expect(checked.stdout).not.toContain(TOKEN);
    expect(new Set(messages.map(({ source }) => source))).toEqual(new Set(["+910000000000"]));
    expect(messages.every(({ id }) => id.startsWith("express-kaleyra-sms-check-"))).toBe(true);
    expect(
      messages.filter(({ text = "" }) => text.endsWith('say "hi",\nC:\\new {"x": 1} \u{1f64f} \u20ac')),
    ).toHaveLength(2);
    // Once more, and twice at once, by each method.
    expect([duplicates.length, errors]).toEqual([4, []]);
  });

  it("fails in one line if anyone may call, and says what to do", async () => {
    const { url } = await appWith({ authenticate: false });
    const { failing, lines, error } = await check(url);
    expect(failing).toEqual([ANYONE]);
    expect(lines.find(({ name }) => name === ANYONE)?.next).toMatch(/demand it/);
    expect(error).toMatchObject({ code: "check-failed" });
  });

  it.each<[kind: string, options: SomeOptions["authenticate"], args: string[]]>([
    ["a variable", { query: "token", value: TOKEN }, ["--query", "token=env:CALLBACK_TOKEN"]],
    ["a password", { basic: { username: "kaleyra", password: TOKEN } }, ["--basic", "kaleyra:env:CALLBACK_TOKEN"]],
    [
      "a token and a header",
      [{ bearer: TOKEN }, { header: "X-Other", value: "1" }],
      ["--bearer", "env:CALLBACK_TOKEN", "--header", "X-Other=1"],
    ],
  ])("holds in every line if it demands %s", async (_kind, authenticate, args) => {
    const { url } = await appWith({ authenticate });
    expectAllHold(await check(url, ...args));
  });

  it.each<[name: string, options: CallbackProfileOptions]>([
    [
      "POST",
      {
        method: "POST",
        url: "https://your.domain/sms",
        statics: { tenant: "acme" },
        fields: ["id", "source", "recipient", "message"],
      },
    ],
    ["GET", { method: "GET", url: "https://your.domain/sms", parts: 2, statics: { tenant: "acme" } }],
  ])("renders by a declared profile of %s, and shows what is in its headers", async (_method, options) => {
    const headers = { "X-Callback-Token": TOKEN };
    const { url, messages } = await appWith({
      authenticate: { header: "X-Callback-Token", value: TOKEN },
      profile: callbackProfile(options),
      escaping: "json",
    });
    const file = join(temporaryFolder(), "profile.mjs");
    const build = join(__dirname, "..", "..", "dist", "index.js");
    writeFileSync(
      file,
      `import { callbackProfile } from ${JSON.stringify(build)};
       export const profile = callbackProfile(${JSON.stringify({ ...options, headers })});`,
    );
    const checked = await check(url, "--profile", file, "--escaping", "json");
    expect(checked.failing).toEqual([]);
    expect(checked.stdout).not.toContain(TOKEN);
    expect(messages[0]).toMatchObject({ method: options.method, fields: { tenant: "acme" } });
  });
});

describe("check of other implementations", () => {
  it("finds what a naive handler lacks, and says what to do about each fault", async () => {
    const { app, handled } = naiveApp();
    const { failing, lines } = await check(await served(app));
    expect(failing).toEqual([
      "accepts the same text if the provider does not escape it",
      "accepts null in place of a text",
      "accepts JSON without a content type",
      "accepts JSON as application/octet-stream",
      "accepts JSON under the content type of a form",
      "accepts a form",
      "accepts a callback by GET",
      ANYONE,
      "refuses an empty body",
      "refuses {}",
      "refuses a template whose variables were not replaced",
      "refuses a callback without id",
      "refuses a callback without source",
      "refuses a callback without recipient",
      "refuses a callback without message",
      "refuses a delivery report",
      "refuses an object or a list in place of a text",
      "refuses JSON that has a field twice, with two values",
      "refuses a form that has a field twice, with two values",
      "refuses XML",
      "answers HEAD with 200",
      "answers PUT with 405, and says which methods it takes",
      "survives the names that every object inherits",
      "survives 10,000 fields",
      "survives JSON that is no object",
      "refuses a body of 10 MB before it is there",
      "answers an accepted callback without a body, or with a short one",
      "repeats nothing that was sent",
      "reveals nothing of what runs inside",
    ]);
    expect(lines.filter(({ result, next }) => result === "fails" && next === undefined)).toEqual([]);
    expect(lines).toContainEqual(
      expect.objectContaining({ name: "answers a body that never comes to its end", result: "not proven" }),
    );
    // It handled a repeated callback each time: no answer shows that, and the line says where to look.
    expect(new Set(handled).size).toBeLessThan(handled.length);
    expect(lines).toContainEqual(
      expect.objectContaining({
        name: NOT_SHOWN[1],
        result: "not proven",
        next: expect.stringContaining("no id is there twice"),
      }),
    );
  }, 60_000);

  it("finds that an endpoint accepts everything, and answers with a page", async () => {
    const url = await served((_req, res) => {
      res.setHeader("Content-Type", "text/html").end("<html><body>Welcome</body></html>");
    });
    const { failing } = await check(url, "--header", "X-Callback-Token=env:CALLBACK_TOKEN");
    expect(failing).toEqual(
      expect.arrayContaining([
        ANYONE,
        "refuses a wrong secret",
        "refuses a secret that comes twice",
        "refuses {}",
        "refuses a callback without id",
        "refuses a delivery report",
        "answers PUT with 405, and says which methods it takes",
        "answers an accepted callback without a body, or with a short one",
        "lets no cache keep its answers",
      ]),
    );
  });

  it("compares the whole secret, counts it if it comes twice, and sees a hint of what is wrong", async () => {
    const url = await served(({ headers }, res) => {
      const shown = String(headers["x-callback-token"] ?? "").toLowerCase();
      res.statusCode = shown === "" ? 401 : shown.startsWith(TOKEN.slice(0, 5).toLowerCase()) ? 200 : 403;
      res.end();
    });
    const { failing } = await check(url, "--header", "X-Callback-Token=env:CALLBACK_TOKEN");
    expect(failing.filter((name) => name.includes("secret"))).toEqual([
      "refuses a secret without its last character",
      "refuses a secret with one more character",
      "refuses a secret in the other case",
      "refuses a secret that comes twice",
      "gives no hint of what is wrong with a secret",
    ]);
  });

  it("finds a secret in an answer, and prints it nowhere", async () => {
    const url = await served(({ headers }, res) => {
      const [, pair = ""] = String(headers.authorization).split(" ");
      res.statusCode = 200;
      res.end(Buffer.from(pair, "base64").toString());
    });
    const { failing, stdout } = await check(url, "--basic", "kaleyra:env:CALLBACK_TOKEN");
    expect(failing).toContain("repeats nothing that was sent");
    expect(stdout).not.toContain(TOKEN);
  });

  it("finds a method whose route demands no secret", async () => {
    const { sms } = recorder({ bodyTimeoutMs: 300 });
    const guarded: RequestListener = (req, res) => {
      if (req.method === "GET" || req.headers["x-callback-token"] === TOKEN) sms(req, res);
      else res.writeHead(403).end();
    };
    const { failing, lines } = await check(
      (await served(guarded)).replace("/sms", "/"),
      "--header",
      "X-Callback-Token=env:CALLBACK_TOKEN",
    );
    expect(failing).toContain(ANYONE);
    expect(lines.find(({ name }) => name === ANYONE)?.seen).toBe("answered 200 to GET");
  });

  it("says that nothing is proven if the endpoint limits how often it is called", async () => {
    let calls = 0;
    const url = await served((_req, res) => {
      res.statusCode = ++calls > 1 ? 429 : 200;
      res.end();
    });
    const { lines } = await check(url);
    expect(lines[0]?.result).toBe("holds");
    expect(lines.find(({ name }) => name === "accepts an empty text")).toMatchObject({
      result: "not proven",
      seen: "answered 429",
    });
  });

  it("names the line that stopped the server, and asks nothing more", async () => {
    const server = spawn(process.execPath, [join(__dirname, "crashing-server.cjs")], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [port] = (await once(server.stdout.setEncoding("utf8"), "data")) as [string];
    const { failing, lines } = await check(`http://127.0.0.1:${port.trim()}/sms`);
    expect(failing).toEqual(["accepts the same text if the provider does not escape it"]);
    const at = lines.findIndex(({ result }) => result === "fails");
    expect(lines[at]).toMatchObject({
      seen: "the server stopped",
      next: expect.stringMatching(/by the template.*Look at the log/),
    });
    expect(lines.slice(at + 1).every(({ result }) => result === "not proven")).toBe(true);
  });
});

describe("check of an endpoint that accepts no callback", () => {
  it.each<[what: string, status: number, seen: string, next: RegExp]>([
    ["demands a secret", 403, "answered 403", /--header/],
    ["redirects", 301, "answered 301", /turns a POST into a GET/],
    ["is not there", 404, "answered 404", /path/],
    ["takes another method only", 405, "answered 405", /methods/],
    ["cannot read it", 400, "answered 400", /--profile/],
    ["says what is wrong", 422, "answered 422, schema", /--profile/],
    ["is broken", 500, "answered 500", /log/],
  ])("sends nothing more if it %s", async (_what, status, seen, next) => {
    let calls = 0;
    const url = await served((_req, res) => {
      calls += 1;
      res.statusCode = status;
      res.end(JSON.stringify({ code: "schema" }).slice(0, status === 422 ? undefined : 0));
    });
    const { lines, error } = await check(url);
    expect(lines.at(-1)).toMatchObject({ result: "fails", seen, next: expect.stringMatching(next) });
    expect(lines.length).toBe(calls);
    expect(calls).toBeLessThan(3);
    expect(error?.next).toMatch(/nothing more was sent/);
  });

  it("waits five seconds for an answer, and not for ever", async () => {
    const { lines } = await check(await served(() => undefined));
    expect(lines).toMatchObject([{ result: "fails", seen: "no answer within 5 seconds" }]);
  }, 20_000);

  it("ends with 130 if it is interrupted while it waits, and says how to find what it sent", async () => {
    const asked = deferred();
    const { child, ended } = startCommand(["check", await served(() => asked.resolve())]);
    await asked.promise;
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 130, stdout: expect.stringMatching(/Ids begin with [\w-]+,/) });
  });

  it("exits with 3 if nothing listens, and with 2 for a URL that it does not take", async () => {
    const url = await served(() => undefined);
    await closeServers();
    const gone = await commandJson(["check", url]);
    expect([gone.code, gone.json]).toMatchObject([3, { error: { code: "unreachable" } }]);
    const elsewhere = await commandJson(["check", "https://example.com/sms"]);
    expect([elsewhere.code, elsewhere.json]).toMatchObject([2, { error: { code: "not-loopback" } }]);
    const withQuery = await commandJson(["check", `${url}?token=${TOKEN}`]);
    expect([withQuery.code, withQuery.json]).toMatchObject([2, { error: { code: "wrong-use" } }]);
    expect(withQuery.stdout + withQuery.stderr).not.toContain(TOKEN);
  });
});

describe("the table of check", () => {
  it("has the lines in groups, and what to do beneath those that fail", async () => {
    const { url } = await appWith({ authenticate: false });
    const { code, stdout, stderr } = await command(["check", url]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Callbacks by POST\n {2}holds {7}accepts a callback by POST\n/);
    expect(stdout).toMatch(
      /\n\nWho may call\n {2}fails {7}refuses a caller that shows no secret \(answered 200 to POST\)\n {14}Anyone who knows/,
    );
    expect(stdout).toMatch(
      /\n\n\d+ hold, 1 fails, 3 are not proven\.\nIds begin with express-kaleyra-sms-check-\w+-, the source is 910000000000\.\n$/,
    );
    expect(stderr).toMatch(/^1 of \d+ lines fails\.\n/);
  });
});
