// `send`: what the provider would send, to one's own endpoint.

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { incomingSms, type SmsMessage } from "express-kaleyra-sms";
import { command, commandJson } from "../support/command";
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
    const { code, stdout } = await send("STOP", ...AUTH, "--count", "40");
    expect(code).toBe(0);
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
});
