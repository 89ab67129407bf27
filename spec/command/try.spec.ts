// `try`: which keywords of the user's own module texts would match, without a handler that runs.

import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, jest } from "@jest/globals";
import { incomingSms } from "express-kaleyra-sms";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { command, commandJson, MAIN, startCommand, type Ran } from "../support/command";
import { ended, temporary, temporaryFolder } from "../inbox/temporary";

/** Each spec runs several processes. */
jest.setTimeout(60_000);

const DIST = join(__dirname, "..", "..", "dist");
const IMPORTS = `
  import { writeFileSync } from "node:fs";
  import { createServer } from "node:http";
  import { incomingSms, callbackProfile, OPT_OUT, POSSIBLE_OPT_OUT } from ${JSON.stringify(join(DIST, "index.js"))};
  import { sqliteInbox } from ${JSON.stringify(join(DIST, "inbox", "sqlite", "index.js"))};
  const authenticate = false;
  const handler = () => writeFileSync("handled", "");
`;
/** A router whose handlers leave a file behind. */
const ROUTER = `
  export const sms = incomingSms({ authenticate })
    .keyword(OPT_OUT, handler)
    .keyword("TOPUP", handler)
    .keyword("JOIN GOLD", handler)
    .keyword(/\\b\\d{4}\\b/, handler)
    .on("message", handler)
    .on("unmatched", handler);
  sms.recipient("+919812345600").keyword("VOTE", handler);
`;

interface Module {
  readonly path: string;
  /** Where it runs: a handler that runs leaves a file there. */
  readonly cwd: string;
}

function moduleOf(source: string, name = "sms.mjs"): Module {
  const cwd = temporaryFolder();
  const path = join(cwd, name);
  writeFileSync(path, source);
  return { path, cwd };
}

const ROUTER_MODULE = (): Module => moduleOf(IMPORTS + ROUTER);

async function tryTexts({ path, cwd }: Module, input: string, ...options: string[]): Promise<Ran> {
  const ran = await command(["try", path, ...options], { cwd, input });
  expect(existsSync(join(cwd, "handled"))).toBe(false);
  return ran;
}

/** The objects on stdout: one for each text, and the totals. */
async function tried(module: Module, input: string, ...options: string[]): Promise<unknown[]> {
  const { stdout, stderr, code } = await tryTexts(module, input, "--json", ...options);
  expect([code, stderr.includes("failed")]).toEqual([0, false]);
  const lines = stdout.trimEnd().split("\n");
  return lines.map((line) => (JSON.parse(line) as { readonly data: unknown }).data);
}

describe("try", () => {
  it("says what each line would match, as a handler would get it, and counts", async () => {
    const input = '\ufeffStop, please!\r\ntopup 50\n\nyour code 4711\nplease don\'t stop texting\nVOTE 3\nsay "hi"\\';
    const [stop, topUp, code, possible, vote, hi, totals] = await tried(ROUTER_MODULE(), input);
    expect(stop).toEqual({
      line: 1,
      text: "Stop, please!",
      matches: [{ pattern: "STOP", keyword: "STOP", by: "text", rest: "please!", captures: [] }],
      unmatched: false,
      optOut: true,
    });
    expect(topUp).toMatchObject({ line: 2, matches: [{ keyword: "TOPUP", by: "text", rest: "50" }], optOut: false });
    expect(code).toMatchObject({ line: 4, matches: [{ pattern: "/\\b\\d{4}\\b/", keyword: "4711", by: "text" }] });
    expect(possible).toMatchObject({ matches: [], unmatched: true, optOut: false, possibleOptOut: "STOP" });
    expect(vote).toMatchObject({ matches: [], unmatched: true });
    expect(hi).toMatchObject({ line: 7, text: 'say "hi"\\', unmatched: true });
    expect(totals).toEqual({
      totals: {
        texts: 6,
        optOuts: 1,
        possibleOptOuts: 1,
        unmatched: 3,
        invalid: 0,
        keywords: { STOP: 1, TOPUP: 1, "/\\b\\d{4}\\b/": 1 },
      },
      possibleOptOuts: [{ line: 5, text: "please don't stop texting", possibleOptOut: "STOP" }],
    });
  });

  it("tries the keyword of the console, and the keywords of a business number", async () => {
    const [vote, gold] = await tried(
      ROUTER_MODULE(),
      "vote 3\nacme join gold now 4711\n",
      "--keyword",
      "ACME",
      "--recipient",
      "919812345600",
    );
    expect(vote).toMatchObject({ matches: [{ keyword: "VOTE", by: "text" }] });
    expect(gold).toMatchObject({
      matches: [
        { keyword: "JOIN GOLD", by: "rest", rest: "now 4711" },
        { keyword: "4711", by: "text" },
      ],
    });
    expect((await tryTexts(ROUTER_MODULE(), "")).stderr).toContain("+919812345600");
  });

  it("prints a line a text for people, the totals, and the possible opt-outs", async () => {
    const { stdout } = await tryTexts(ROUTER_MODULE(), "topup 50\nplease don't stop texting\n\u001b[31mred\n");
    expect(stdout).toMatch(/^topup 50 +TOPUP by text, rest "50"\n/);
    expect(stdout).toMatch(
      /\nplease don't stop texting +unmatched; perhaps an opt-out: STOP\n\\u001b\[31mred +unmatched\n/,
    );
    expect(stdout).toMatch(/\nTexts: 3\. Opt-outs: 0, possible ones: 1, unmatched: 2, invalid: 0\.\n/);
    expect(stdout).toMatch(/Possible opt-outs, for a person to read:\n +2 {2}please don't stop texting\n$/);
  });

  it("reads the text as the router does, by its profile, its escaping and its schema, without decrypting", async () => {
    const module = moduleOf(`${IMPORTS}
      const schema = { properties: { message: { maxLength: 10 } } };
      const profile = callbackProfile({ method: "POST", url: "https://your.domain/sms", statics: { tenant: "acme" } });
      const decrypt = () => { throw new Error("not encrypted"); };
      export default incomingSms({ authenticate, profile, schema, decrypt, escaping: "none" }).keyword("SAY", handler);
    `);
    const [said, long, totals] = await tried(module, 'say "hi"\nsay much too much\n');
    expect(said).toMatchObject({ matches: [{ keyword: "SAY", rest: '"hi"' }] });
    expect(long).toMatchObject({ matches: [], invalid: "schema" });
    expect(totals).toMatchObject({ totals: { texts: 2, invalid: 1 } });
  });

  it("hands out nothing of the inbox, though a message waits and its handlers are registered", async () => {
    const file = temporary();
    const inbox = sqliteInbox({ file });
    const sms = incomingSms({ inbox, authenticate: false, logger: { warn: () => undefined, error: () => undefined } });
    const { message } = await sms.receive({
      method: "POST",
      body: { id: "1", source: "919876500001", recipient: "5050", message: "TOPUP 50" },
    });
    await sms.close();
    const module = moduleOf(`${IMPORTS}
      const inbox = sqliteInbox({ file: ${JSON.stringify(file)} });
      export const sms = incomingSms({ authenticate, inbox }).keyword("TOPUP", handler).on("message", handler);
      // By then, a started inbox has handed it out.
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    `);
    expect(await tried(module, "topup 20\n")).toMatchObject([{ matches: [{ keyword: "TOPUP" }] }, {}]);
    const { json } = await commandJson(["inbox", "show", message?.key ?? "", "--sqlite", file]);
    expect(json).toMatchObject({ data: { state: "waiting", attempts: 0 } });
  });

  it("ends though the module listens on a port, which may be in use, and answers no callback there", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    ended.push(() => taken.close());
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as AddressInfo;
    const module = moduleOf(`${IMPORTS}${ROUTER}
      createServer(sms).listen(${port}, "127.0.0.1");
      const server = createServer(sms).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const url = \`http://127.0.0.1:\${server.address().port}/?id=1&source=919876500001&recipient=5050&keyword=TOPUP\`;
      writeFileSync("status", String((await fetch(url)).status));
      setInterval(() => undefined, 1_000);
    `);
    expect(await tried(module, "topup 20\n")).toMatchObject([{ matches: [{ keyword: "TOPUP" }] }, {}]);
    expect(readFileSync(join(module.cwd, "status"), "utf8")).toBe("503");
  });

  it("keeps what the module prints, and what fails in it later, out of its result", async () => {
    const module = moduleOf(`${IMPORTS}${ROUTER}
      console.log("Listening");
      setImmediate(() => { throw new Error("canary"); });
    `);
    const { code, stdout, stderr } = await tryTexts(module, "stop\n", "--json");
    expect([code, stdout.split("\n").length]).toEqual([0, 3]);
    expect(stderr).toContain("Listening");
    expect(stderr).toContain("failed after it was loaded: Error at ");
    expect(stderr).not.toContain("canary");
  });

  it.each([
    ["as sms beside others", "export const sms = make('A'), other = make('B');", "sms.mjs"],
    ["as default", "export default make('A');", "sms.mjs"],
    ["as its only one", "export const orders = make('A'), url = 'x';", "sms.mjs"],
    ["as module.exports", "module.exports = make('A');", "sms.cjs"],
    ["in module.exports", "module.exports = { other: make('B'), sms: make('A') };", "sms.cjs"],
    ["as default, compiled", "exports.__esModule = true; exports.default = make('A');", "sms.cjs"],
  ])("finds the router that a module exports %s", async (_how, exported, name) => {
    const library = JSON.stringify(join(DIST, "index.js"));
    const imports = name.endsWith("cjs")
      ? `const { incomingSms } = require(${library});`
      : `import { incomingSms } from ${library};`;
    const make = "const make = (word) => incomingSms({ authenticate: false }).keyword(word, () => undefined);";
    const [found] = await tried(moduleOf(imports + make + exported, name), "a\n");
    expect(found).toMatchObject({ matches: [{ keyword: "A" }] });
  });

  it.each([
    ["exports no router", "export const createSms = () => incomingSms();", 2, "exports no router", "createSms"],
    [
      "exports two",
      "export const a = incomingSms({ authenticate }), b = incomingSms({ authenticate });",
      2,
      "2 routers",
      "as sms",
    ],
    ["throws undefined", "throw undefined;", 1, "failed to load: a thrown undefined.", "Run it with node"],
    ["throws null", "throw null;", 1, "failed to load: a thrown null.", "Run it with node"],
    ["throws", "throw new Error('canary');", 1, "failed to load: Error at ", "Run it with node"],
    ["has a wrong option", "incomingSms({ authentcate: 1 });", 1, "authentcate", "Run it with node"],
    ["does not end loading", "await new Promise(() => undefined);", 1, "does not end loading", "awaits"],
  ])("says what to do if a module %s", async (_what, source, exit, message, next) => {
    const { path, cwd } = moduleOf(IMPORTS + source);
    const { code, json, stdout, stderr } = await commandJson(["try", path], { cwd });
    expect([code, json]).toEqual([
      exit,
      {
        ok: false,
        error: {
          code: exit === 1 ? "module-failed" : "wrong-use",
          message: expect.stringContaining(message),
          next: expect.stringContaining(next),
        },
      },
    ]);
    expect(stdout + stderr).not.toContain("canary");
  });

  it.each([
    ["none.mjs", "There is no file none.mjs.", "FILE takes the path of a module."],
    ["texts.txt", "This Node.js cannot load texts.txt.", "FILE takes a module: its name ends in .js, .mjs or .cjs."],
  ])("says what FILE takes if it is %s", async (file, message, next) => {
    const { cwd } = moduleOf("topup 20", "texts.txt");
    const { code, json } = await commandJson(["try", file], { cwd });
    expect([code, json]).toEqual([2, { ok: false, error: { code: "wrong-use", message, next } }]);
  });

  it("says so if a module ends the process: while it is loaded, or later, with what was tried before", async () => {
    const atOnce = await commandJson(["try", moduleOf("process.exit();", "sms.cjs").path]);
    expect([atOnce.code, atOnce.json]).toMatchObject([1, { error: { code: "module-ended" } }]);
    const { path } = moduleOf(`${IMPORTS}${ROUTER}
      process.on("SIGUSR2", () => process.exit(0));
      console.log("pid " + process.pid);
    `);
    const later = startCommand(["try", path, "--json"], { input: null });
    later.child.stdin?.write("topup 20\n");
    await later.printed(/"line":1/);
    process.kill(Number((await later.printed(/pid (\d+)/))[1]), "SIGUSR2");
    const { code, stdout } = await later.ended;
    const last: unknown = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    expect([code, last]).toMatchObject([
      1,
      {
        ok: false,
        error: { code: "module-ended", message: `${path} ended the process before all texts were tried.` },
        data: { totals: { texts: 1, keywords: { TOPUP: 1 } } },
      },
    ]);
  });

  it.each([
    ["ends its stdout", "process.stdout.end();"],
    ["writes to its descriptor", "writeSync(1, 'canary\\n');"],
    ["has a process of its own that writes there", "execFileSync('echo', ['canary'], { stdio: 'inherit' });"],
  ])("prints what it found, and only that, to stdout if a module %s", async (_what, source) => {
    const imports = 'import { writeSync } from "node:fs"; import { execFileSync } from "node:child_process";';
    const found = await tried(moduleOf(imports + IMPORTS + ROUTER + source), "topup 20\n");
    expect(found).toMatchObject([{ matches: [{ keyword: "TOPUP" }] }, { totals: { texts: 1 } }]);
  });

  it("says nothing of a set-up that the app warns of when it runs", async () => {
    const module = moduleOf(`${IMPORTS} export const sms = incomingSms().keyword(OPT_OUT, handler);`);
    expect(await tryTexts(module, "stop\n")).toMatchObject({ code: 0, stderr: "" });
  });

  it("exits with 130 if it is interrupted: while the module loads, and while it waits for a text", async () => {
    const loads = moduleOf("console.log('loading'); await new Promise((resolve) => setInterval(resolve, 1e9));");
    const { path } = ROUTER_MODULE();
    const loading = startCommand(["try", loads.path], { input: null });
    const waiting = startCommand(["try", path], { input: null });
    await loading.printed(/loading/);
    await waiting.printed(/Left out/);
    loading.child.kill("SIGINT");
    waiting.child.kill("SIGINT");
    expect(await Promise.all([loading.ended, waiting.ended])).toMatchObject([{ code: 130 }, { code: 130 }]);
  });

  it.each([
    ["a module loops", "for (;;);", /pid/],
    ["a RegExp backtracks", "sms.keyword(/^(a+)+$/, handler);", /^topup 20 +TOPUP/m],
  ])("exits with 130 if it is interrupted while %s, and leaves no process behind", async (_what, source, begun) => {
    const { path } = moduleOf(`${IMPORTS}${ROUTER} console.log("pid " + process.pid); ${source}`);
    const running = startCommand(["try", path], { input: `topup 20\n${"a".repeat(60)}b\n` });
    await running.printed(begun);
    const pid = Number((await running.printed(/pid (\d+)/))[1]);
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(() => process.kill(pid, 0)).toThrow(expect.objectContaining({ code: "ESRCH" }));
  });

  it("gives each text as it comes, and ends quietly if nobody reads on", async () => {
    const { path } = ROUTER_MODULE();
    const live = startCommand(["try", path], { input: null });
    live.child.stdin?.write("topup 20\nto");
    await live.printed(/^topup 20 +TOPUP/m);
    live.child.stdin?.end("pup 30");
    expect((await live.ended).stdout).toMatch(/\ntopup 30 +TOPUP/);
    const line = `{ seq 10000 | '${process.execPath}' '${MAIN}' try '${path}'; echo "exit code $?" >&2; } | head -1`;
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", line]);
    expect(stdout).toMatch(/^1 +unmatched\n$/);
    expect(stderr).toMatch(/^Left out .*\nexit code 0\n$/);
  });

  it("says on a terminal what it waits for", async () => {
    const { path } = ROUTER_MODULE();
    const line = `'${process.execPath}' '${MAIN}' try '${path}'`;
    const running = promisify(execFile)("script", ["-qec", line, "/dev/null"]);
    running.child.stdin?.end("\u0004");
    expect((await running).stdout).toContain("Ctrl+D ends");
  });
});
