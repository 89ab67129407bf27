// docs/profile.md: its code does what it says, and what `capture` prints of a provider that does not escape is printed there.

import { createContext, runInContext, runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { callbackProfile, type CallbackProfile } from "express-kaleyra-sms";

import { temporaryFolder } from "../inbox/temporary";
import { startCommand } from "../support/command";
import { recorder } from "../support/recorder";
import { PRINTED, rendered, sendTo, writtenIn } from "../support/stand-in-provider";
import { readPage } from "./page";
import { routerOf } from "./router-of";

const PAGE = readPage("docs/profile.md");
const VALUES = { id: "1", source: "919876500001", recipient: "5050", status: "SENT" };

it("reads a text without escaping by the template, with a profile or without", async () => {
  const { sms } = recorder();
  const { body } = callbackProfile({ method: "POST", url: "https://your.domain/sms" }).render(
    { ...VALUES, message: 'say "hi"' },
    { escaping: "none" },
  );
  expect((await sms.receive({ method: "POST", body })).message).toMatchObject({
    text: 'say "hi"',
    repaired: true,
  });
});

describe("the profile that it declares", () => {
  const [declared = "", router = ""] = PAGE.block("ts", "statics").split(/(?=^const sms)/m);
  const profile = runInNewContext(declared.replace("const profile = ", ""), { callbackProfile }) as CallbackProfile;
  const sms = routerOf(router, { profile, process: { env: { CALLBACK_TOKEN: "s3cret" } } });
  const receive = (message: string, escaping: "none" | "json" = "none"): ReturnType<typeof sms.receive> =>
    sms.receive({ method: "POST", body: profile.render({ ...VALUES, message }, { escaping }).body ?? "" });

  it("brings its static field, and lets no text change a field", async () => {
    const [hostile = ""] = /x","keyword":"ADMIN/.exec(PAGE.text) ?? [];
    const { message } = await receive(hostile);
    expect(message).toMatchObject({ text: hostile, fields: { tenant: "acme" } });
    expect(message?.keyword).toBeUndefined();
  });

  it("accepts its method only, and rejects other keys, of which it names those of the page", async () => {
    const get = new Request("http://localhost/?id=1", { headers: { "X-Callback-Token": "s3cret" } });
    expect((await sms.fetch(get)).status).toBe(405);
    const { problem } = await sms.receive({ method: "POST", body: '{"id":"1","message":"a","other":"b"}' });
    expect(problem?.code).toBe("malformed-body");
    expect(JSON.stringify(problem?.issues)).toContain("source");
    expect(JSON.stringify(problem?.issues)).not.toContain("other");
  });
});

it("parses what was copied from the console, and says what it cannot read", () => {
  const printed: unknown[] = [];
  const code = PAGE.block("ts", "callbackProfile.parse");
  runInContext(code, createContext({ callbackProfile, console: { log: (value: unknown) => printed.push(value) } }));
  const [, fields = ""] = /\/\/ (\[.*\])/.exec(code) ?? [];
  expect(printed).toEqual([JSON.parse(fields.replaceAll("'", '"'))]);
  expect(() => callbackProfile.parse('{ "from": "<source>" }')).toThrow(TypeError);
});

it("says what auto misreads", async () => {
  const { sms } = recorder();
  const { message } = await sms.receive({
    method: "POST",
    body: PRINTED.replace("<message>", "C:\\new")
      .replace("<status>", "SENT")
      .replace(/<(\w+)>/g, "1234"),
  });
  expect(PAGE.text).toContain("`C:\\new` is proper JSON, and becomes `C:`, a line break and `ew`");
  expect(message?.text).toBe("C:\new");
});

it("gives every value to decrypt", async () => {
  const fields: string[] = [];
  const sms = routerOf(PAGE.block("ts", "decryptAs"), {
    decryptAs: (field: string, value: string) => {
      fields.push(field);
      return field === "message" ? Buffer.from(value, "hex").toString() : value;
    },
  });
  const { message } = await sms.receive({
    method: "POST",
    body: JSON.stringify({ ...VALUES, message: "48656c6c6f", tenant: "acme" }),
  });
  expect([message?.text, fields.sort()]).toEqual([
    "Hello",
    ["id", "message", "recipient", "source", "status", "tenant"],
  ]);
});

it("shows what capture prints", async () => {
  const [, args = ""] = /^npx express-kaleyra-sms (.*)$/m.exec(PAGE.block("sh", "capture")) ?? [];
  const { child, ended, printed } = startCommand([...args.split(" "), "--port", "0"], { cwd: temporaryFolder() });
  const [, port] = await printed(/127\.0\.0\.1:(\d+)/);
  const [, text = ""] = await printed(/^ {4}(.*É.*)$/m);
  await sendTo(Number(port), rendered(text, { method: "POST", template: PRINTED, timestamp: writtenIn(330) }));
  await printed(/to do/);
  child.kill("SIGINT");
  const { stdout } = await ended;
  const shown = PAGE.block("", "proven").split("\n").filter(Boolean);
  expect(shown).toHaveLength(4);
  expect(stdout.split("\n").filter((line) => shown.includes(line))).toEqual(shown);
});
