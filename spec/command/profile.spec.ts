// `profile print`, `profile push` and `profile verify`, against a stand-in of the provider's API.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { callbackProfile } from "express-kaleyra-sms";
import type { Response } from "express";
import { temporaryFolder } from "../inbox/temporary";
import { command, startCommand, type Ran } from "../support/command";
import {
  CANARIES,
  PAGE_BODY,
  providerApi,
  SID,
  type ProviderStandIn,
  type StoredProfile,
} from "../support/provider-api";

const BUILD = join(__dirname, "..", "..", "dist", "index.js");
const ENV = { KALEYRA_SID: SID, KALEYRA_API_KEY: CANARIES.key, CALLBACK_TOKEN: CANARIES.header };
const URL = "https://your.domain/sms";
/** The code's side: what the stand-in's profiles hold when they are added. */
const CODE = ["--url", URL, "--header", "X-Callback-Token=env:CALLBACK_TOKEN"];

let api: ProviderStandIn;
beforeAll(async () => {
  api = await providerApi();
});
beforeEach(() => {
  api.profiles.length = 0;
  api.requests.length = 0;
  api.instead = undefined;
});
afterAll(() => api.close());

/** Runs a verb of `profile`, and looks for secrets in all that it leaves behind. */
async function profile(args: readonly string[], env: Readonly<Record<string, string>> = ENV): Promise<Ran> {
  const cwd = temporaryFolder();
  const ran = await command(["profile", ...args], { env, cwd });
  const left = readdirSync(cwd).map((name) => readFileSync(join(cwd, name), "utf8"));
  for (const canary of Object.values(CANARIES))
    expect([ran.stdout, ran.stderr, ...left].join("\n")).not.toContain(canary);
  expect(left).toEqual([]);
  return ran;
}

const at = (): string[] => ["--api", api.url];
const verify = (held: StoredProfile, ...args: string[]): Promise<Ran> =>
  profile(["verify", "--id", held.profile_id, ...at(), ...(args.length > 0 ? args : CODE)]);
const push = (held: StoredProfile, ...args: string[]): Promise<Ran> =>
  profile(["push", "--id", held.profile_id, ...at(), ...args]);
const changes = (): unknown[] =>
  api.requests.filter(({ line }) => !line.startsWith("GET ")).map(({ line, content }) => [line.split(" ")[0], content]);
const bodyWith = (change: (members: Record<string, string>) => void): string => {
  const members = JSON.parse(PAGE_BODY) as Record<string, string>;
  change(members);
  return JSON.stringify(members);
};

describe("profile verify", () => {
  it("exits with 0 if the console holds what the code declares, in whatever order and white space", async () => {
    const { code, stdout, stderr } = await verify(api.add());
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("The console holds what the code declares, and the profile is active.\n");
    const turned = Object.fromEntries(Object.entries(JSON.parse(PAGE_BODY) as Record<string, string>).reverse());
    const held = api.add({ body: ` ${JSON.stringify(turned, undefined, "\t")}\n`, url: "https://YOUR.domain:443/sms" });
    expect((await verify(held)).code).toBe(0);
    expect(changes()).toEqual([]);
  });

  it.each<[what: string, held: Partial<StoredProfile>, line: string]>([
    ["the method", { http_method: "PUT" }, "method: The code has POST, the console PUT."],
    [
      "the endpoint",
      { url: "http://your.domain/sms" },
      `endpoint: The code has ${URL}, the console http://your.domain/sms.`,
    ],
    [
      "an endpoint with secrets",
      { url: `https://u:${CANARIES.password}@your.domain/sms?token=${CANARIES.query}` },
      `endpoint: The code has ${URL}, the console https://…@your.domain/sms?token=….`,
    ],
    ["an endpoint that is no URL", { url: "your.domain" }, `the console what is not a URL.`],
    ["an endpoint with white space", { url: `${URL} ` }, "endpoint: The code has"],
    [
      "a missing member",
      { body: bodyWith((all) => delete all.keyword) },
      'template: "keyword" is missing in the console.',
    ],
    [
      "a foreign member",
      { body: bodyWith((all) => (all.tenant = CANARIES.static)) },
      'template: "tenant" is in the console, and not in the code.',
    ],
    [
      "a fixed value for a field",
      { body: bodyWith((all) => (all.kid = CANARIES.static)) },
      'template: "kid" is a field with a fixed value: write "kid": "<kid>".',
    ],
    [
      "a variable under another name",
      { body: bodyWith((all) => (all.from = "<source>")) },
      'template: "from" is in the console, and not in the code; it has <source>, which is read under its own name only',
    ],
    [
      "a template that cannot be read",
      { body: `{"id":"<id>","x":{"y":"${CANARIES.static}"}}` },
      'template: The console\'s request body cannot be read. Line 1 of the request body: "x" is an object or a list',
    ],
    ["a template that is missing", { body: null }, "template: The console has no request body."],
    [
      "a template of GET",
      { body: `${URL}?id=<id>` },
      "template: The console's request body cannot be read. It is a URL.",
    ],
    ["a missing header", { headers: "{}" }, "headers: X-Callback-Token is missing in the console."],
    ["no headers", { headers: null }, "headers: X-Callback-Token is missing in the console."],
    [
      "a foreign header",
      { headers: JSON.stringify({ "x-callback-token": "", "X-Other": CANARIES.otherHeader }) },
      "headers: X-Other is in the console, and not in the code: declare it (--header), or remove it there.",
    ],
    [
      "a content type that the router does not read",
      { headers: JSON.stringify({ "X-Callback-Token": "", "content-type": "text/xml" }) },
      "headers: content-type is in the console",
    ],
    ["headers that cannot be read", { headers: CANARIES.header }, "headers: The console's headers cannot be read."],
    [
      "encryption",
      { enc: { algo: "AES-128-CFB", key: CANARIES.encKey, IV: CANARIES.encIv } },
      "encryption: The console encrypts values: give the router options.decrypt",
    ],
  ])("exits with 1 and names what differs, without any secret: %s", async (_what, held, line) => {
    const { code, stdout, stderr } = await verify(api.add(held));
    expect(code).toBe(1);
    expect(stdout).toContain(line);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain("The console differs from the code in one point.");
    expect(stderr).toContain("profile push");
  });

  it("does not mind the content type of a header that only the console has, or the line of parts", async () => {
    const headers = JSON.stringify({ "x-callback-token": CANARIES.otherHeader, "Content-Type": "application/json" });
    expect((await verify(api.add({ headers, body: bodyWith((all) => delete all["parts[n]"]) }))).code).toBe(0);
  });

  it.each([
    [2, "auto-disabled", "The provider switched the profile off by itself (auto-disabled)", "Callback Reports"],
    [3, "disabled", "The profile is disabled", "Enable it in the console"],
    [9, "unknown", "a status that is not documented", "look at the profile in the console"],
  ])(
    "exits with 1 if the profile is switched off, and says what to do: status %d",
    async (status, name, what, todo) => {
      const { code, stdout } = await profile([
        "verify",
        "--id",
        api.add({ status }).profile_id,
        ...at(),
        ...CODE,
        "--json",
      ]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        ok: false,
        error: { code: "profile-off", message: expect.stringContaining(`(${name})`) },
        data: { status: name, differences: [{ part: "status", text: expect.stringContaining(what) }] },
      });
      expect(stdout).toContain(todo);
    },
  );

  it("compares encryption with what --encrypted says", async () => {
    const enc = { algo: "AES-256-GCM", key: CANARIES.encKey, IV: CANARIES.encIv };
    for (const on of [enc, JSON.stringify(enc)])
      expect((await verify(api.add({ enc: on }), ...CODE, "--encrypted")).code).toBe(0);
    for (const off of [{ algo: "", key: "", IV: "" }, "{}", ""])
      expect((await verify(api.add({ enc: off }), ...CODE)).code).toBe(0);
    const { code, stdout } = await verify(api.add(), ...CODE, "--encrypted");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^encryption: The console does not encrypt values/)]);
  });

  it("compares the endpoint of GET variable by variable", async () => {
    const code = [
      "--url",
      `${URL}?token=${CANARIES.query}`,
      "--method",
      "get",
      "--parts",
      "1",
      "--static",
      "tenant=acme",
    ];
    const { endpoint } = callbackProfile({
      method: "GET",
      url: `${URL}?tenant=acme&token=${CANARIES.query}`,
      parts: 1,
    });
    const held = api.add({ http_method: "GET", headers: null, body: null, url: endpoint });
    expect((await verify(held, ...code)).code).toBe(0);
    held.url = endpoint
      .replace("tenant=acme", "tenant=other")
      .replace("&parts[1]=<parts[1]>", "")
      .replace("/sms", "/s");
    const { code: exit, stdout } = await verify(held, ...code);
    expect([exit, stdout.trimEnd().split("\n").sort()]).toEqual([
      1,
      [
        `endpoint: The code has ${URL}, the console https://your.domain/s.`,
        'template: "parts[1]" is missing in the console.',
        'template: "tenant" has a fixed value in the code, and another one in the console.',
      ],
    ]);
    held.url = URL;
    expect((await verify(held, ...code)).stdout).toContain("template: The console's endpoint cannot be read.");
  });

  it("takes the code's side from a module, with a header of its own and one more; the line of parts is free", async () => {
    const file = join(temporaryFolder(), "profile.mjs");
    writeFileSync(
      file,
      `import { callbackProfile } from ${JSON.stringify(BUILD)};
       export const profile = callbackProfile({ method: "POST", url: "${URL}", fields: ["id", "source", "message", "parts[n]"],
         statics: { tenant: "${CANARIES.static}" }, headers: { "X-Own": "${CANARIES.otherHeader}" } });`,
    );
    const body = `{"tenant":"${CANARIES.static}","id":"<id>","source":"<source>","message":"<message>"}`;
    const held = api.add({ body, headers: JSON.stringify({ "X-Own": "1", "X-Callback-Token": "2" }) });
    const code = ["--profile", file, "--header", "X-Callback-Token=env:CALLBACK_TOKEN"];
    expect((await verify(held, ...code)).code).toBe(0);
    held.body = body.replace(CANARIES.static, "other");
    const { stdout } = await verify(held, ...code);
    expect(stdout).toBe('template: "tenant" has a fixed value in the code, and another one in the console.\n');
  });

  it("finds a profile by its exact title, on whatever page of the list", async () => {
    for (let n = 0; n < 40; n++) api.add({ title: `sms callback ${n}` });
    const held = api.add({ title: "sms callback" });
    api.add({ title: "my sms callback", http_method: "GET" });
    const byTitle = (title: string): Promise<Ran> => profile(["verify", "--title", title, ...at(), ...CODE, "--json"]);
    const { code, stdout } = await byTitle("sms callback");
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true, data: { id: held.profile_id, differences: [] } }]);
    expect(api.requests.filter(({ line }) => line.includes("offset="))).toHaveLength(6);
    const none = await byTitle("sms call");
    expect([none.code, JSON.parse(none.stdout)]).toMatchObject([1, { error: { code: "no-such-profile" } }]);
    const twin = api.add({ title: "sms callback" });
    const several = await byTitle("sms callback");
    expect([several.code, JSON.parse(several.stdout)]).toMatchObject([1, { error: { code: "several-profiles" } }]);
    expect(several.stdout).toContain(`${held.profile_id}, ${twin.profile_id}`);
  });
});

describe("profile push", () => {
  it("changes a profile that is there; verify then finds each change that somebody makes in the console", async () => {
    const held = api.add({ url: "https://old.domain/sms", body: bodyWith((all) => delete all.keyword), title: "sms" });
    const { code, stdout, stderr } = await push(held, ...CODE, "--yes");
    expect([code, stdout]).toEqual([0, "Changed: url, body. The console holds what the code declares.\n"]);
    expect(stderr).toContain('template: "keyword" is missing in the console.');
    const { body } = callbackProfile({ method: "POST", url: URL });
    expect(changes()).toEqual([["PATCH", { url: URL, body }]]);
    expect(held).toMatchObject({ url: URL, body, title: "sms", headers: expect.stringContaining(CANARIES.header) });
    expect((await verify(held)).code).toBe(0);
    held.body = body.replace('"kid": "<kid>",\n', "");
    const after = await verify(held);
    expect([after.code, after.stdout]).toEqual([1, 'template: "kid" is missing in the console.\n']);
  });

  it("shows the difference without --yes, changes nothing, and exits with 1", async () => {
    const held = api.add({ http_method: "GET", headers: "{}" });
    const { code, stdout, stderr } = await push(held, ...CODE);
    expect(code).toBe(1);
    expect(stdout).toContain("method: The code has POST, the console GET.\n");
    expect(stdout).toContain("headers: X-Callback-Token is missing in the console.\n");
    expect(stderr).toContain("It would change: http_method, headers.\nAdd --yes");
    expect(changes()).toEqual([]);
  });

  it("needs no --yes if there is nothing to change", async () => {
    const { code, stdout } = await push(api.add(), ...CODE);
    expect([code, stdout]).toEqual([0, "There was nothing to change. The console holds what the code declares.\n"]);
    expect(changes()).toEqual([]);
  });

  it("changes the value of a header without showing it, and keeps the console's other headers", async () => {
    const headers = { "x-callback-token": "old", "X-Other": CANARIES.otherHeader };
    const held = api.add({ headers: JSON.stringify(headers) });
    const shown = await push(held, ...CODE);
    expect(shown.stdout).toContain("headers: X-Callback-Token has another value in the console.\n");
    const { code, stdout } = await push(held, ...CODE, "--yes");
    expect(JSON.parse(held.headers ?? "")).toEqual({
      "X-Callback-Token": CANARIES.header,
      "X-Other": CANARIES.otherHeader,
    });
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^Changed: headers\.\nheaders: X-Other is in the console/),
    ]);
    const declared = [...CODE, "--header", "X-Other=env:OTHER"];
    const env = { ...ENV, OTHER: CANARIES.otherHeader };
    expect((await profile(["push", "--id", held.profile_id, ...at(), ...declared], env)).code).toBe(0);
  });

  it("leaves headers alone that it cannot read", async () => {
    const held = api.add({ headers: `not JSON: ${CANARIES.header}`, url: "https://old.domain/sms" });
    expect((await push(held, ...CODE, "--yes")).stdout).toMatch(/^Changed: url\.\nheaders: .* cannot be read\.\n$/);
    expect(changes()).toEqual([["PATCH", { url: URL }]]);
  });

  it("turns a profile of POST into one of GET", async () => {
    const held = api.add();
    const code = ["--url", URL, "--method", "GET", "--header", "X-Callback-Token=env:CALLBACK_TOKEN"];
    expect((await push(held, ...code, "--yes")).code).toBe(0);
    const { endpoint } = callbackProfile({ method: "GET", url: URL });
    expect(changes()).toEqual([["PATCH", { http_method: "GET", url: endpoint }]]);
  });

  it("cannot switch a profile on or its encryption off, and exits with 1 while they differ", async () => {
    const enc = { algo: "AES-128-CFB", key: CANARIES.encKey, IV: CANARIES.encIv };
    const held = api.add({ status: 2, enc, url: "https://old.domain/sms" });
    const { code, stdout, stderr } = await push(held, ...CODE, "--yes");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Changed: url\.\nencryption: .*\nstatus: The provider switched the profile off/);
    expect(stderr).toContain("The console still differs from the code in 2 points.");
    expect(held.enc).toEqual(enc);
  });

  it("says so if the console does not keep a change", async () => {
    const held = api.add({ url: "https://old.domain/sms" });
    api.instead = (request, response) => {
      if (request.method === "PATCH") response.json({ code: "RBC024", data: {}, status: 200 });
      else response.json({ code: "RBC024", data: held, status: 200 });
    };
    const { code, stdout } = await push(held, ...CODE, "--yes");
    expect([code, stdout]).toEqual([1, expect.stringContaining(`the console https://old.domain/sms.`)]);
  });

  it("creates nothing", async () => {
    for (const which of [
      ["--id", "SG_none"],
      ["--title", "no such title"],
    ]) {
      const { code, stderr } = await profile(["push", ...which, ...at(), ...CODE, "--yes"]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/404|No Callback Profile has this title/)]);
    }
    expect(changes()).toEqual([]);
  });

  it("exits with 1 if the API does not accept the change", async () => {
    const held = api.add({ url: "https://old.domain/sms" });
    api.instead = (request, response) => {
      if (request.method === "GET") response.json({ code: "RBC024", data: held, status: 200 });
      else response.status(400).json({ code: "RBC104", message: CANARIES.header, data: {}, status: 400 });
    };
    const { code, stderr } = await push(held, ...CODE, "--yes");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/answered 400, RBC104\.\n/)]);
  });
});

describe("an API that does not answer as it should", () => {
  const problem = (response: Response, status: number, code: string): void =>
    void response.status(status).json({ code, message: CANARIES.header, data: {}, error: {}, status });
  const html = `<html>${CANARIES.header}</html>`;

  it.each<[what: string, instead: ProviderStandIn["instead"], exit: number, code: string, todo: string]>([
    ["401", (_, response) => problem(response, 401, "E401"), 2, "not-authorized", "KALEYRA_API_KEY"],
    ["403", (_, response) => problem(response, 403, "E403"), 2, "not-authorized", "KALEYRA_SID"],
    ["401 under 200", (_, response) => void response.json({ status: 401, data: {} }), 2, "not-authorized", "--region"],
    ["404", (_, response) => problem(response, 404, "RBC302"), 1, "no-such-profile", "--id"],
    ["422", (_, response) => problem(response, 422, "RBC104"), 1, "not-accepted", "documentation"],
    ["429", (_, response) => problem(response, 429, "E429"), 3, "unreachable", "try again later"],
    ["500", (_, response) => problem(response, 500, "E500"), 3, "unreachable", "try again later"],
    ["503 of a proxy", (_, response) => void response.status(503).send(html), 3, "unreachable", "try again later"],
    ["HTML", (_, response) => void response.send(html), 3, "not-the-api", "--api"],
    ["HTML, 404", (_, response) => void response.status(404).send(html), 3, "not-the-api", "--region"],
    ["no profile", (_, response) => void response.json({ status: 200, data: {} }), 3, "not-the-api", "--api"],
    ["a list", (_, response) => void response.json([html]), 3, "not-the-api", "--api"],
    [
      "half an answer",
      (request, response) => void response.write("{", () => request.destroy()),
      3,
      "unreachable",
      "--api",
    ],
    ["a closed connection", (request) => void request.destroy(), 3, "unreachable", "network"],
    ["a redirect", (_, response) => response.redirect(302, `/${CANARIES.query}`), 3, "unreachable", "--api"],
    ["silence", () => undefined, 3, "unreachable", "--timeout-ms"],
  ])("is named, with what to do: %s", async (_what, instead, exit, code, todo) => {
    const held = api.add();
    api.instead = instead;
    const timeout = ["--timeout-ms", code === "unreachable" && todo === "--timeout-ms" ? "200" : "20000"];
    const ran = await verify(held, ...CODE, ...timeout, "--json");
    expect([ran.code, ran.stderr]).toEqual([exit, ""]);
    expect(JSON.parse(ran.stdout)).toEqual({
      ok: false,
      error: { code, message: expect.any(String), next: expect.stringContaining(todo) },
    });
    expect(api.requests).toHaveLength(1);
  });

  it("is named if nothing listens there", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { code, stderr } = await profile(["verify", "--id", "SG_1", "--api", `http://127.0.0.1:${port}`, ...CODE]);
    expect([code, stderr]).toEqual([3, expect.stringContaining(`127.0.0.1:${port} cannot be reached (ECONNREFUSED).`)]);
  });

  it("ends with 130 when it is interrupted while it waits", async () => {
    const asked = new Promise<void>((resolve) => (api.instead = () => resolve()));
    const { child, ended } = startCommand(["profile", "verify", "--id", "SG_1", ...at(), ...CODE, "--json"], {
      env: ENV,
    });
    await asked;
    child.kill("SIGINT");
    expect(await ended).toEqual({ code: 130, stdout: "", stderr: "" });
  });
});

describe("profile verify and push", () => {
  const ID = ["--id", "SG_1", "--region", "in"];
  it.each<[args: readonly string[], env: Readonly<Record<string, string>>, says: string]>([
    [[...ID, ...CODE], { ...ENV, KALEYRA_API_KEY: "" }, "KALEYRA_API_KEY is not set"],
    [[...ID, ...CODE], { ...ENV, KALEYRA_SID: "" }, "KALEYRA_SID is not set"],
    [[...ID, ...CODE], { ...ENV, KALEYRA_API_KEY: `${CANARIES.key}\n` }, "KALEYRA_API_KEY has a character"],
    [[...ID, "--header", "A=b"], ENV, "either --profile or --url"],
    [[...ID, "--url", URL, "--profile", "p.mjs"], ENV, "either --profile or --url"],
    [[...ID, "--profile", "no-such.mjs"], ENV, "no file"],
    [[...ID, "--profile", BUILD, "--method", "GET"], ENV, "--method goes with --url"],
    [[...ID, "--profile", BUILD, "--static", "a=b"], ENV, "--static goes with --url"],
    [[...ID, "--profile", BUILD], ENV, "exports no callbackProfile()"],
    [[...ID, "--url", "/sms"], ENV, "url of callbackProfile takes"],
    [[...ID, "--url", URL, "--method", "PUT"], ENV, "--method takes GET or POST"],
    [[...ID, "--url", URL, "--parts", "many"], ENV, "--parts takes a whole number"],
    [[...ID, "--url", URL, "--static", "id=1"], ENV, "statics of callbackProfile takes"],
    [[...ID, ...CODE, "--title", "sms"], ENV, "either --id or --title"],
    [["--region", "in", ...CODE], ENV, "either --id or --title"],
    [["--id", "SG_1", ...CODE], ENV, "either --region or --api"],
    [["--id", "SG_1", "--region", "us", ...CODE], ENV, "--region takes in, sg, eu, na"],
    [["--id", "SG_1", "--api", "http://api.in.kaleyra.io", ...CODE], ENV, "--api takes an https URL"],
    [["--id", "SG_1", "--api", `https://u:${CANARIES.password}@a.io`, ...CODE], ENV, "--api takes an absolute URL"],
    [[...ID, ...CODE, "--timeout-ms", "0"], ENV, "--timeout-ms takes"],
  ])("exit with 2 if they are used wrongly, before anything is sent: %j", async (args, env, says) => {
    const { code, stdout, stderr } = await profile(["verify", ...args], env);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringContaining(says)]);
  });
});

describe("profile print", () => {
  it("prints each field of the console to be pasted, and where the values of headers come from", async () => {
    const { code, stdout } = await profile(["print", ...CODE, "--parts", "1", "--static", "tenant=acme"]);
    expect(code).toBe(0);
    const [, endpoint = ""] = /^Enter Endpoint:\n(.*)$/m.exec(stdout) ?? [];
    const [, body = ""] = /^Request Body.*:\n(\{[^}]*\})$/m.exec(stdout) ?? [];
    expect(callbackProfile.parse(body, { url: endpoint })).toEqual(
      callbackProfile({ method: "POST", url: URL, parts: 1, statics: { tenant: "acme" } }),
    );
    expect(stdout).toContain("HTTP method: POST\n");
    expect(stdout).toContain("X-Callback-Token: (the value of CALLBACK_TOKEN)\n");
    const order = ["Title:", "HTTP method:", "Enter Endpoint:", "Custom HTTP headers:", "Request Body", "Trigger URL"];
    const places = order.map((field) => stdout.indexOf(field));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it("prints the endpoint of GET, and no body", async () => {
    const { stdout } = await profile(["print", "--url", URL, "--method", "GET", "--json"]);
    const { endpoint } = callbackProfile({ method: "GET", url: URL });
    expect(JSON.parse(stdout)).toEqual({ ok: true, data: { method: "GET", endpoint, headers: [] } });
    const { stdout: text } = await profile(["print", "--url", URL, "--method", "GET"]);
    expect(text).toContain(`Enter Endpoint:\n${endpoint}\n`);
    expect(text).not.toContain("Request Body");
    expect(text).toContain("(none is declared: without a secret");
  });
});
