// `send`: what the provider would send, to one's own endpoint.

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { incomingSms, type SmsMessage } from "express-kaleyra-sms";
import { command, commandJson, startCommand } from "../support/command";
import { temporaryFolder } from "../inbox/temporary";

const TOKEN = "canary-of-the-token";
const received: SmsMessage[] = [];
const sms = incomingSms({ authenticate: { header: "X-Callback-Token", value: TOKEN }, logger: quiet() });
let server: Server;
let url = "";

function quiet(): Pick<Console, "warn" | "error"> {
  return { warn: () => undefined, error: () => undefined };
}

beforeAll(async () => {
  sms.on("message", (message) => void received.push(message));
  sms.on("invalid", () => undefined);
  server = createServer(sms).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  await sms.close();
  server.close();
});

const send = (...args: string[]): ReturnType<typeof command> =>
  command(["send", ...args, "--url", url], { env: { CALLBACK_TOKEN: TOKEN } });
const AUTH = ["--header", "X-Callback-Token=env:CALLBACK_TOKEN"];

describe("send", () => {
  it.each([
    ["escaped", []],
    ["not escaped", ["--escaping", "none"]],
  ])("sends a text by POST exactly, %s", async (_how, options) => {
    const text = 'say "hi"\n✓ \\ {';
    const { code, stdout, stderr } = await send(
      text,
      ...options,
      ...AUTH,
      "--keyword",
      "JOIN",
      "--source",
      "919876500001",
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^200 in \d+ ms\n$/);
    expect(received.at(-1)).toMatchObject({ text, keyword: "JOIN", source: "+919876500001" });
  });

  it("sends the words by GET, as the provider's page says", async () => {
    expect((await send("join gold now", ...AUTH, "--method", "get")).code).toBe(0);
    expect(received.at(-1)).toMatchObject({ method: "GET", parts: ["join", "gold", "now"] });
  });

  it("exits with 1 if the endpoint does not accept it, and says what to do", async () => {
    const { code, json } = await commandJson(["send", "STOP", "--url", url]);
    expect(code).toBe(1);
    expect(json).toMatchObject({
      ok: false,
      error: {
        code: "not-accepted",
        message: "The endpoint answered 403, unauthorized.",
        next: expect.stringContaining("--header"),
      },
      data: { status: 403 },
    });
  });

  it("exits with 3 if nothing listens, and with 2 for an endpoint on another machine", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const gone = await commandJson(["send", "STOP", "--url", `http://127.0.0.1:${port}/sms`]);
    expect([gone.code, gone.json]).toEqual([
      3,
      expect.objectContaining({ error: expect.objectContaining({ code: "unreachable" }) }),
    ]);
    const elsewhere = await commandJson(["send", "STOP", "--url", "https://example.com/sms"]);
    expect([elsewhere.code, elsewhere.json]).toEqual([
      2,
      expect.objectContaining({ error: expect.objectContaining({ code: "not-loopback" }) }),
    ]);
  });

  it("sends many with ids of their own, and prints totals", async () => {
    const before = received.length;
    const { code, stdout, stderr } = await send("STOP", ...AUTH, "--count", "40");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^40 sent in [\d.]+ s: 40 times 200\. Median .* ms\.\n$/);
    expect(new Set(received.slice(before).map(({ key }) => key)).size).toBe(40);
  });

  it("shows the exact request without the secret, and prints a curl command that a shell completes", async () => {
    const { stdout: shown } = await send("STOP", ...AUTH, "--show");
    expect(shown).toMatch(
      /^POST \/ HTTP\/1\.1\nHost: .*\nContent-Type: application\/json\nX-Callback-Token: \(the value of CALLBACK_TOKEN\)\n/,
    );
    const { stdout: curl } = await send("it's 5 o'clock", ...AUTH, "--curl");
    expect(shown + curl).not.toContain(TOKEN);
    const before = received.length;
    const { stdout: answer } = await promisify(execFile)("sh", ["-c", curl], {
      env: { ...process.env, CALLBACK_TOKEN: TOKEN },
    });
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
    expect(received.slice(before)).toEqual([expect.objectContaining({ text: "it's 5 o'clock" })]);
  });

  it("sends a recorded callback byte for byte, and changes a field where it stands", async () => {
    const file = join(temporaryFolder(), "recorded.json");
    const body = Buffer.from(
      '{\r\n "id": "1","source":"919876500002", "recipient":"5050", "message":"caf\u00e9 \\u00e9 \\"id\\": "}',
    );
    const saved = {
      method: "POST",
      url: "/elsewhere?x=1",
      headers: { "content-type": "application/json", host: "a" },
      body: body.toString("base64"),
    };
    writeFileSync(file, JSON.stringify(saved));
    expect((await send("--from", file, ...AUTH, "--set", "id=2")).code).toBe(0);
    expect(received.at(-1)).toMatchObject({
      id: "2",
      text: 'caf\u00e9 \u00e9 "id": ',
      fields: expect.not.objectContaining({ x: "1" }),
    });
    const { json } = await commandJson(["send", "--from", file, "--set", "no=1", "--url", url]);
    expect(json).toMatchObject({ error: { code: "wrong-use" } });
  });

  it("renders by a profile of the user's, whose headers it sends and does not show", async () => {
    const file = join(temporaryFolder(), "profile.mjs");
    const build = join(__dirname, "..", "..", "dist", "index.js");
    writeFileSync(
      file,
      `import { callbackProfile } from ${JSON.stringify(build)};
       export const profile = callbackProfile({ method: "POST", url: "https://your.domain/sms", statics: { tenant: "acme" },
         headers: { "X-Callback-Token": "${TOKEN}" } });`,
    );
    expect((await send("STOP", "--profile", file)).code).toBe(0);
    expect(received.at(-1)?.fields).toMatchObject({ tenant: "acme" });
    const { stdout } = await send("STOP", "--profile", file, "--show");
    expect(stdout).toContain("X-Callback-Token: (from the profile)");
    expect(stdout).not.toContain(TOKEN);
  });

  it("prints no secret that was not typed, wherever it stands", async () => {
    const folder = temporaryFolder();
    const build = join(__dirname, "..", "..", "dist", "index.js");
    const profileOf = (method: string): string => {
      const file = join(folder, `${method}.mjs`);
      writeFileSync(
        file,
        `import { callbackProfile } from ${JSON.stringify(build)};
         export default callbackProfile({ method: "${method}", url: "https://your.domain/sms?tok=${TOKEN}",
           headers: { "X-Callback-Token": "${TOKEN}" } });`,
      );
      return file;
    };
    const recorded = join(folder, "recorded.json");
    const headers = { "content-type": "application/json", authorization: `Bearer ${TOKEN}` };
    writeFileSync(recorded, JSON.stringify({ method: "POST", url: "/", headers, body: "e30=" }));
    const QUERY = ["--query", "tok=env:CALLBACK_TOKEN"];
    for (const how of ["--show", "--curl"]) {
      for (const args of [
        ["STOP", ...QUERY],
        ["STOP", "--profile", profileOf("POST")],
        ["STOP", "--profile", profileOf("GET")],
        ["--from", recorded],
      ]) {
        const { code, stdout, stderr } = await send(...args, how);
        expect([code, stderr]).toEqual([0, ""]);
        expect(stdout).not.toContain(TOKEN);
      }
    }
    // What is printed still works: the endpoint gets the secret of the profile's own query.
    const asked = new Promise<string | undefined>((resolve) => server.once("request", (req) => resolve(req.url)));
    await send("STOP", "--profile", profileOf("POST"));
    expect(await asked).toBe(`/?tok=${TOKEN}`);
    const { stdout: curl } = await send("STOP", ...QUERY, "--curl");
    const curled = new Promise<string | undefined>((resolve) => server.once("request", (req) => resolve(req.url)));
    await promisify(execFile)("sh", ["-c", curl], { env: { ...process.env, CALLBACK_TOKEN: TOKEN } });
    expect(await curled).toBe(`/?tok=${TOKEN}`);
  }, 30_000);

  it.each([
    ["--keyword", "X"],
    ["--method", "GET"],
    ["--profile", "profile.mjs"],
  ])("rejects %s beside a recorded callback, which it cannot change", async (option, value) => {
    const { code, stderr } = await send("--from", "recorded.json", option, value);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--set FIELD=VALUE")]);
  });

  it("calls no other host than a recorded callback may name", async () => {
    const file = join(temporaryFolder(), "recorded.json");
    for (const target of ["@example.com/sms", "//example.com/sms", "http://example.com/sms", ".example.com/"]) {
      writeFileSync(file, JSON.stringify({ method: "POST", url: target, headers: {}, body: "e30=" }));
      expect((await command(["send", "--from", file])).code).toBe(2);
    }
  });

  it("changes a field of a body that nobody escaped only if it is sure where the field ends", async () => {
    const file = join(temporaryFolder(), "recorded.json");
    const record = (body: string): void =>
      writeFileSync(
        file,
        JSON.stringify({ method: "POST", url: "/", headers: {}, body: Buffer.from(body).toString("base64") }),
      );
    const bodyAfter = async (set: string): Promise<string | number | null> => {
      const { code, stdout } = await send("--from", file, "--set", set, "--show");
      return code === 0 ? (stdout.split("\n\n").at(-1) ?? "").trimEnd() : code;
    };
    record('{"id": "1", "message": "say "hi" now", "keyword": ""}');
    expect(await bodyAfter("id=2")).toBe('{"id": "2", "message": "say "hi" now", "keyword": ""}');
    expect(await bodyAfter("keyword=X")).toBe('{"id": "1", "message": "say "hi" now", "keyword": "X"}');
    expect(await bodyAfter("message=NEW")).toBe(2);
    record('{"id": "1", "keyword": "ADMIN"", "message": "a"}');
    expect(await bodyAfter("keyword=NEW")).toBe(2);
    record('{"id": "1", "message": "a","id": "9","b": "x" }');
    expect(await bodyAfter("id=2")).toBe(2);
  });

  it("shows an answer in which nothing steers the terminal, and no secret can be read", async () => {
    const odd = createServer((req, res) => {
      res.end(`\u001b[2J\u202e\u009b1m ${JSON.stringify(req.headers)} ${req.url}`);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => odd.once("listening", resolve));
    const at = ["--url", `http://127.0.0.1:${(odd.address() as AddressInfo).port}/`];
    const secrets = ["--basic", "user:env:CALLBACK_TOKEN", ...AUTH, "--query", "q=env:CALLBACK_TOKEN"];
    for (const json of [[], ["--json"]]) {
      const { code, stdout } = await command(["send", "a", ...at, ...secrets, ...json], {
        env: { CALLBACK_TOKEN: TOKEN },
      });
      expect(code).toBe(0);
      expect(stdout).not.toContain(TOKEN);
      expect(stdout).not.toContain(Buffer.from(`user:${TOKEN}`).toString("base64"));
      expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    }
    odd.close();
  });

  it("takes a change of protocol for an answer that is no receipt", async () => {
    const odd = createServer().listen(0, "127.0.0.1");
    odd.on("connection", (socket) => {
      socket.once("data", () =>
        socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
      );
    });
    await new Promise((resolve) => odd.once("listening", resolve));
    const { code, json } = await commandJson([
      "send",
      "a",
      "--url",
      `http://127.0.0.1:${(odd.address() as AddressInfo).port}/`,
    ]);
    expect([code, json]).toEqual([
      1,
      expect.objectContaining({ ok: false, data: expect.objectContaining({ status: 101 }) }),
    ]);
    odd.close();
  });

  it("says what it sent before it was interrupted", async () => {
    const slow = createServer((_req, res) => {
      answered += 1;
      if (answered <= 3) res.end();
      else stuck();
    }).listen(0, "127.0.0.1");
    let answered = 0;
    let stuck = (): void => undefined;
    const waits = new Promise<void>((resolve) => (stuck = resolve));
    await new Promise((resolve) => slow.once("listening", resolve));
    const at = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
    const { child, ended } = startCommand(["send", "a", "--count", "100", "--url", at, "--json"]);
    await waits;
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([130, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "interrupted" }, data: { statuses: { 200: 3 } } });
    slow.closeAllConnections();
    slow.close();
  });
});
