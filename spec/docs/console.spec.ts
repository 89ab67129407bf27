// docs/console.md: what it says to paste is what the command prints and the router reads, and what proves a line does.

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { SmsMessage } from "express-kaleyra-sms";
import schema from "express-kaleyra-sms/schema.json";

import { temporaryFolder } from "../inbox/temporary";
import { callback } from "../support/callbacks";
import { command } from "../support/command";
import { api, at, ENV } from "../support/profile-command";
import { recorder } from "../support/recorder";
import { readPage, ROOT } from "./page";
import { routerOf } from "./router-of";

const PAGE = readPage("docs/console.md");
const args = (code: string): string[] => (/^npx express-kaleyra-sms (.*)$/m.exec(code)?.[1] ?? "").split(" ");

describe("what to paste", () => {
  const printed = PAGE.block("", "Enter Endpoint:");

  it("is what the command prints", async () => {
    const { stdout } = await command(args(PAGE.block("sh", "profile print")), { env: { CALLBACK_TOKEN: "try-me" } });
    expect(stdout).toBe(printed);
  });

  it("is a body with every field of the table except the parts, with or without the page's line of them", async () => {
    const [template = ""] = /^\{[^]*?^\}$/m.exec(printed) ?? [];
    const fields = Object.keys(schema.properties).filter((name) => name !== "parts[n]");
    expect(JSON.parse(template)).toEqual(Object.fromEntries(fields.map((name) => [name, `<${name}>`])));
    const [line = ""] = /"parts\[n\]": "<parts\[n\]>"/.exec(PAGE.text) ?? [];
    for (const body of [template, template.replace(/\n\}$/, `,\n${line}\n}`)]) {
      const filled = body.replace("<status>", "SENT").replace(/<(\w+)>/g, "value of $1");
      expect(JSON.parse(filled)).toBeDefined();
      expect(await recorder().sms.receive({ method: "POST", body: filled })).toMatchObject({ outcome: "handled" });
    }
  });

  it("is a GET endpoint with the keyword and the words", async () => {
    const { sms, messages } = recorder();
    const endpoint = PAGE.block("", "?id=<id>").trim();
    const query = endpoint
      .slice(endpoint.indexOf("?") + 1)
      .replace("<status>", "SENT")
      .replace("<keyword>", "STOP")
      .replace("<parts[1]>", "STOP")
      .replace("<parts[2]>", "it")
      .replace(/<(\w+)>/g, "1234");
    expect(await sms.receive({ method: "GET", query })).toMatchObject({ outcome: "handled" });
    expect(messages).toMatchObject([{ keyword: "STOP", parts: ["STOP", "it"] }]);
  });
});

it("shows how to demand a secret in the query, which no message holds", async () => {
  const sms = routerOf(PAGE.block("js", "query:"), { process: { env: { CALLBACK_TOKEN: "s3cret" } } });
  const messages: SmsMessage[] = [];
  sms.on("message", (message) => messages.push(message)).on("unauthorized", () => undefined);
  const url = "http://localhost/sms?id=1&source=919876500001&recipient=5050&keyword=STOP";
  expect((await sms.fetch(new Request(url))).status).toBe(403);
  expect((await sms.fetch(new Request(`${url}&token=s3cret`))).status).toBe(200);
  expect(JSON.stringify(messages)).toContain("STOP");
  expect(JSON.stringify(messages)).not.toContain("s3cret");
});

it("answers a console's test 400, and HEAD 200, also without the secret", async () => {
  const { sms } = recorder({ authenticate: { header: "X-Callback-Token", value: "s3cret" } });
  for (const body of ["", "{}"])
    expect(await sms.receive({ method: "POST", body, contentType: "application/json" })).toMatchObject({ status: 400 });
  expect((await sms.fetch(new Request("http://localhost/sms", { method: "HEAD" }))).status).toBe(200);
});

it("names the method, the fields and the escaping when the first callback comes, and no other", async () => {
  const lines: string[] = [];
  const logger = { info: (line: string) => lines.push(line), warn: () => undefined, error: () => undefined };
  const { sms } = recorder({ logger });
  await sms.receive({ method: "POST", body: callback({ message: 'say "hi"' }) });
  await sms.receive({ method: "POST", body: callback({ id: "2" }) });
  expect(lines).toEqual([expect.stringMatching(/first callback came: POST .*escaped.*fields as declared/)]);
});

it.each([
  ["holds the same", 1, 0],
  ["is off", 2, 1],
])("has a module that `profile verify` compares: the console %s", async (_state, status, code) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "express-kaleyra-sms"));
  writeFileSync(join(folder, "profile.mjs"), PAGE.block("js", "callbackProfile"));
  const [verify, ids] = args(PAGE.block("sh", "profile verify")).join(" ").split(" --region in --id ");
  expect(ids).toBe("SG_...");
  const { profile_id } = api.add({ status });
  const ran = await command([...(verify ?? "").split(" "), "--id", profile_id, ...at()], { cwd: folder, env: ENV });
  expect([ran.code, ran.stderr]).toEqual([code, code === 0 ? "" : expect.stringContaining("not active")]);
});
