// docs/troubleshooting.md: its commands run against small apps that have the fault, and print what the page quotes.

import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import express from "express";
import { incomingSms } from "express-kaleyra-sms";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { temporaryFolder } from "../inbox/temporary";
import { until } from "../inbox/waiting";
import { command, type Ran } from "../support/command";
import { freePort } from "../support/free-port";
import { CANARIES, providerApi, SID, type ProviderStandIn, type StoredProfile } from "../support/provider-api";
import { closeServers, listen, recorder } from "../support/recorder";
import { AppProcess } from "../watch/app-process";
import { readPage, ROOT } from "./page";

jest.setTimeout(60_000);
afterEach(closeServers);

const PAGE = readPage("docs/troubleshooting.md");
const NPX = "npx express-kaleyra-sms ";
const CALLBACK_TOKEN = "s3cret";
const SECRET = { authenticate: { header: "X-Callback-Token", value: CALLBACK_TOKEN } };

const logger = { warn: () => undefined, error: () => undefined };

const LINES = PAGE.blocks("sh").flatMap((block) => block.trim().split("\n"));

/** The only command line with some texts, and without those that begin with a `!`. */
function lineWith(...texts: string[]): string {
  const [line = "", ...more] = LINES.filter((one) =>
    texts.every((text) => (text.startsWith("!") ? !one.includes(text.slice(1)) : one.includes(text))),
  );
  expect([line === "", more]).toEqual([false, []]);
  return line;
}

interface Where {
  readonly port?: number | string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly more?: readonly string[];
}

/** Runs a command line of the page: what it calls is on this machine. The verbs of the profile do not call its URL. */
async function run(line: string, { port = "", cwd, env = {}, more = [] }: Where = {}): Promise<Ran> {
  const [before = "", after = ""] = line.split(NPX);
  const here = after.startsWith("profile ")
    ? after
    : after
        .replace(/ < .*/, "")
        .replaceAll(/https?:\/\/your\.domain\/|http:\/\/localhost:3000\//g, `http://localhost:${port}/`);
  const args = (here.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
  if (args[0] === "send" && !args.includes("--url")) args.push("--url", `http://localhost:${port}/sms`);
  const input = /^echo "(.*)" \| /.exec(before)?.[1] ?? "";
  return command([...args, ...more], { env: { CALLBACK_TOKEN, ...env }, ...(cwd === undefined ? {} : { cwd }), input });
}

/** A folder of an app: with its router in dist/sms.js, and its profile in dist/profile.js. */
function appFolder(): string {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, "dist"));
  symlinkSync(join(ROOT, "node_modules"), join(cwd, "node_modules"));
  writeFileSync(join(cwd, "package.json"), '{ "type": "module" }');
  writeFileSync(
    join(cwd, "dist/sms.js"),
    `import { incomingSms, OPT_OUT, POSSIBLE_OPT_OUT } from "express-kaleyra-sms";
     const authenticate = { header: "X-Callback-Token", value: process.env.CALLBACK_TOKEN };
     export const sms = incomingSms({ authenticate });
     sms.keyword([OPT_OUT, POSSIBLE_OPT_OUT, "JOIN"], () => undefined);`,
  );
  writeFileSync(
    join(cwd, "dist/profile.js"),
    `import { callbackProfile } from "express-kaleyra-sms";
     export const profile = callbackProfile({
       method: "POST",
       url: "https://your.domain/sms",
       headers: { "X-Callback-Token": process.env.CALLBACK_TOKEN },
     });`,
  );
  writeFileSync(
    join(cwd, "server.js"),
    `import express from "express";
     import { sms } from "./dist/sms.js";
     const server = express().use("/sms", sms).listen(0, () => {
       console.log("Listening at http://localhost:" + server.address().port + "/sms");
     });`,
  );
  return cwd;
}

/** What the page gives in place of a profile module, and for what. */
const MODULE_OR_URL = ((): [string, string] => {
  const [, url = "", module = ""] = /give `([^`]+)` in place of `([^`]+)`/.exec(PAGE.text) ?? [];
  expect([url, module]).not.toContain("");
  return [module, url];
})();

const SEND = lineWith('"TEST"', "https://your.domain");

it("has no command line that no spec here runs", () => {
  const known = ["DEBUG=", "send ", "profile print", "profile verify", "check ", "try ", "inbox stats"];
  expect(LINES.filter((line) => !known.some((text) => line.includes(text)))).toEqual([]);
});

it("has a line of DEBUG that says what became of a callback", async () => {
  const [debug = ""] = lineWith("DEBUG=").split(" ");
  const [name = "", value = ""] = debug.split("=");
  const app = await AppProcess.start(appFolder(), "server.js", { env: { [name]: value, CALLBACK_TOKEN } });
  const { port } = new URL(app.url);
  expect((await run(SEND, { port })).stdout).toMatch(/^200 in \d+ ms\n$/);
  await run(lineWith("send", '"TEST"', "!--url"), { port });
  const quoted = PAGE.block("", "POST handled").trim().split("\n");
  await until(() => quoted.every((text) => app.output.includes(text)));
});

describe("cause 1: the endpoint cannot be reached", () => {
  it("is shown by a port at which nothing listens", async () => {
    const port = await freePort();
    const { code, stderr } = await run(SEND, { port });
    expect(code).toBe(3);
    expect(PAGE.text).toContain(`\`${(stderr.split("\n")[0] ?? "").replace(String(port), "3000")}\``);
  });

  it.each([404, 502])("is shown by an answer %i", async (status) => {
    const port = await listen((_req, res) => void res.writeHead(status).end());
    const { code, stderr } = await run(SEND, { port });
    expect([code, stderr.split("\n")[0]]).toEqual([1, `The endpoint answered ${status}.`]);
    expect(PAGE.text).toContain(`\`The endpoint answered ${status}.\``);
  });
});

it("cause 2: what the console must have is printed last", async () => {
  const { code, stdout } = await run(lineWith("profile print"), { cwd: appFolder() });
  expect(code).toBe(0);
  expect(stdout.endsWith(`\n${PAGE.block("", "Then for each of your numbers")}`)).toBe(true);
});

it("cause 2: it needs no profile module", async () => {
  const line = lineWith("profile print").replace(...MODULE_OR_URL);
  const { code, stdout } = await run(line, { cwd: temporaryFolder() });
  expect(code).toBe(0);
  expect(stdout.endsWith(`\n${PAGE.block("", "Then for each of your numbers")}`)).toBe(true);
});

describe("cause 3: the secret", () => {
  async function rejected(line: string): Promise<Ran & { logged: string }> {
    const logged: string[] = [];
    const add = (text: string): unknown => logged.push(text);
    const sms = incomingSms({ ...SECRET, logger: { warn: add, error: add } });
    const ran = await run(line, { port: await listen(express().use("/sms", sms)) });
    return { ...ran, logged: `${logged.join("\n")}\n` };
  }

  it("is missing", async () => {
    const { code, stderr, logged } = await rejected(lineWith("send", '"TEST"', "!--url"));
    expect([code, stderr, logged]).toEqual([
      1,
      PAGE.block("", "The endpoint answered 403"),
      PAGE.block("", "Rejected a caller"),
    ]);
  });

  it("is another one", async () => {
    const { logged } = await rejected(SEND.replace("env:CALLBACK_TOKEN", "another"));
    expect(logged).toMatch(/The header "x-callback-token" does not match\./);
    expect(PAGE.text).toContain("`does not match`");
  });
});

describe("causes 4 and 5: the console's side", () => {
  const ACCOUNT: Readonly<Record<string, string>> = { KALEYRA_SID: SID, KALEYRA_API_KEY: CANARIES.key };
  const VERIFY = lineWith("profile verify");
  let api: ProviderStandIn;
  beforeAll(async () => {
    api = await providerApi();
  });
  afterAll(() => api.close());

  const verify = async (held: Partial<StoredProfile>, env = ACCOUNT, line = VERIFY): Promise<Ran> => {
    const { profile_id: id } = api.add(held);
    const there = line.replace("SG_1a2b", id).replace("--region in", `--api ${api.url}`);
    return run(there, { cwd: appFolder(), env });
  };

  it("is not asked without the account that the page names", async () => {
    expect((await verify({}, {})).stderr).toMatch(/^KALEYRA_SID is not set/);
    expect(Object.keys(ACCOUNT).filter((name) => !PAGE.text.includes(`\`${name}\``))).toEqual([]);
  });

  it("is compared with what the command line says, without a profile module", async () => {
    const line = VERIFY.replace(...MODULE_OR_URL);
    const { code, stdout } = await verify({ url: "http://your.domain/sms", headers: "{}" }, ACCOUNT, line);
    expect([code, stdout]).toEqual([1, PAGE.block("", "endpoint: ")]);
  });

  it("differs in its address and its headers", async () => {
    const { code, stdout } = await verify({ url: "http://your.domain/sms", headers: "{}" });
    expect([code, stdout]).toEqual([1, PAGE.block("", "endpoint: ")]);
  });

  it("is a profile that was switched off", async () => {
    const { code, stdout } = await verify({ status: 2 });
    expect([code, stdout]).toEqual([1, PAGE.block("", "status: ")]);
  });
});

it("cause 6: a redirect", async () => {
  const port = await listen((_req, res) => void res.writeHead(301, { Location: "https://your.domain/sms" }).end());
  const { code, stderr } = await run(lineWith("http://your.domain"), { port });
  expect([code, stderr]).toEqual([1, PAGE.block("", "answered 301")]);
});

describe("cause 7: something in front of the router", () => {
  it("is a body parser that rejects a text, without a code", async () => {
    const app = express().use(express.json()).use("/sms", recorder(SECRET).sms); // it answers by its own error handler
    const { code, stderr } = await run(lineWith("--escaping none"), { port: await listen(app) });
    expect([code, stderr.split("\n")[0]]).toEqual([1, "The endpoint answered 400."]);
    expect(PAGE.text).toContain("`The endpoint answered 400.` without a code");
    expect(
      (await run(lineWith("--escaping none"), { port: await listen(express().use("/sms", recorder(SECRET).sms)) }))
        .code,
    ).toBe(0);
  });

  it("is a guard that rejects every callback", async () => {
    const port = await listen((_req, res) => void res.writeHead(403).end("invalid csrf token"));
    const { code, stdout } = await run(lineWith("check "), { port });
    expect(code).toBe(1);
    expect(stdout).toContain("accepts a callback by POST (answered 403)");
  });
});

describe("cause 8: nothing handles it", () => {
  it("is a text without a keyword", async () => {
    const { code, stdout } = await run(lineWith("try "), { cwd: appFolder() });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^jion gold +unmatched$/m);
  });

  it("is a message that no process takes out", async () => {
    const cwd = appFolder();
    const sms = incomingSms({ inbox: sqliteInbox({ file: join(cwd, "inbox.db") }), authenticate: false, logger });
    const body = { id: "1", source: "919876500001", recipient: "5050", message: "STOP" };
    expect((await sms.receive({ method: "POST", body })).outcome).toBe("stored");
    await sms.close();
    const { code, stdout } = await run(lineWith("inbox stats"), { cwd });
    const time = /[\d.]+ s$/m;
    expect([code, stdout.replace(time, "")]).toEqual([0, PAGE.block("", "waiting: 1").replace(time, "")]);
  });
});

it("quotes what an app in production prints that has no secret", () => {
  const start = (authenticate: string): string => {
    const code = `require("express-kaleyra-sms").incomingSms({ ${authenticate} })`;
    const env = { ...process.env, NODE_ENV: "production" };
    try {
      return execFileSync(process.execPath, ["-e", code], { cwd: ROOT, env, encoding: "utf8", stdio: "pipe" });
    } catch (error) {
      return String((error as { stderr?: unknown }).stderr);
    }
  };
  expect(start("")).toContain(PAGE.block("", "needs options.authenticate").trim());
  const value = 'authenticate: { header: "X-Callback-Token", value: process.env.NOT_SET }';
  expect(start(value)).toContain(PAGE.block("", "a string that is not empty").trim());
});

it("has answers whose codes are explained", () => {
  const codes = PAGE.table("## What does this answer mean?").flatMap(([answer = ""]) =>
    Array.from(answer.matchAll(/`([^`]+)`/g), ([, code = ""]) => code),
  );
  expect(codes.length).toBeGreaterThan(6);
  const explained = readPage("docs/codes.md").text;
  expect(codes.filter((code) => !explained.includes(`### \`${code}\``))).toEqual([]);
});
