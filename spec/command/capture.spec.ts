// `capture`: what it concludes from each way to send, and that its printed options read those bytes.

import { createCipheriv, randomBytes } from "node:crypto";
import { request } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";

import {
  conclusionsOf,
  eventsOf,
  readBy,
  routerOf,
  saysOf,
  startCapture,
  type ConclusionEvent,
} from "../support/capturing";
import type { Ran } from "../support/command";
import {
  escaped,
  percent,
  PRINTED,
  rendered,
  sendTo,
  writtenIn,
  type Console,
  type Sent,
} from "../support/stand-in-provider";

interface Captured {
  readonly ran: Ran;
  readonly sent: Sent;
  readonly text: string;
  readonly conclusion: ConclusionEvent;
}

/** One text through `capture --once`. */
async function captureOne(
  console: Console,
  {
    args = [],
    env = {},
    typed = (text) => text,
  }: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly typed?: (text: string) => string;
  } = {},
): Promise<Captured> {
  const running = startCapture(["--once", ...args], env);
  const { port, awkward } = await running.listening;
  const text = typed(awkward);
  const sent = rendered(text, console);
  expect(await sendTo(port, sent)).toEqual([200, ""]);
  const ran = await running.ended;
  const [conclusion] = conclusionsOf(ran);
  if (conclusion === undefined) throw new Error(`nothing was concluded: ${ran.stdout}${ran.stderr}`);
  return { ran, sent, text, conclusion };
}

/** The fields that the provider sent, and that a message of it has. */
function fieldsOf({ values }: Sent, { learnt }: ConclusionEvent): Record<string, string> {
  const names = learnt.names as readonly string[];
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => names.includes(name) && value !== ""));
}

const inHex = (value: string): string => Buffer.from(value, "utf16le").swap16().toString("hex").toUpperCase();
const onlyText =
  (encode: (value: string) => string) =>
  (value: string, name: string): string =>
    name === "message" ? encode(value) : escaped(value);

const SHORT = '{"id":"<id>", "source":"<source>","recipient":"<recipient>","message":"<message>"}';
const REORDERED = `{ "message" : "<message>", "timestamp":"<timestamp>",\n "tenant": "acme \\"one\\"", "id":"<id>",
  "recipient": "<recipient>","parts[n]":"<parts[n]>", "source" :"<source>", "a.b": "x" }\n`;
const WITH_PARTS = PRINTED.replace('"keyword"', '"parts[1]": "<parts[1]>", "parts[2]": "<parts[2]>",\n  "keyword"');
const VARIABLES = "id=<id>&source=<source>&recipient=<recipient>&keyword=<keyword>&timestamp=<timestamp>";

describe("capture", () => {
  it.each<[how: string, console: Console, learnt: Record<string, unknown>]>([
    ["escapes", { method: "POST", template: PRINTED, insert: escaped }, { escaping: "json", kind: "json" }],
    ["does not escape", { method: "POST", template: PRINTED }, { escaping: "none", kind: "json", zone: "UTC+05:30" }],
    [
      "reorders, adds fields, and escapes",
      { method: "POST", template: REORDERED, insert: escaped },
      { escaping: "json", statics: ["tenant", "a.b"] },
    ],
    [
      "reorders, adds fields, and does not escape",
      { method: "POST", template: REORDERED },
      {
        escaping: "none",
        names: ["message", "timestamp", "tenant", "id", "recipient", "parts[n]", "source", "a.b"],
        statics: ["tenant", "a.b"],
      },
    ],
    ["passes single words, too", { method: "POST", template: WITH_PARTS }, { escaping: "none", parts: 2 }],
    ["omits fields, and escapes", { method: "POST", template: SHORT, insert: escaped }, { escaping: "json" }],
    ["omits fields, and does not escape", { method: "POST", template: SHORT }, { escaping: "none" }],
    [
      "omits the id",
      { method: "POST", template: SHORT.replace('"id":"<id>", ', "") },
      { escaping: "none", names: ["source", "recipient", "message"] },
    ],
    [
      "escapes all beyond ASCII",
      {
        method: "POST",
        template: PRINTED,
        insert: (value) =>
          escaped(value).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
      },
      { escaping: "json" },
    ],
    ["says text/plain", { method: "POST", template: PRINTED, contentType: "text/plain" }, { escaping: "none" }],
    [
      "sends a form",
      {
        method: "POST",
        template: `${VARIABLES}&message=<message>&tenant=acme`,
        contentType: "application/x-www-form-urlencoded",
        insert: percent,
      },
      { kind: "form", method: "POST", escaping: "not decided" },
    ],
    [
      "sends GET",
      { method: "GET", template: `${VARIABLES}&message=<message>`, insert: percent },
      { kind: "query", method: "GET", textIn: "message" },
    ],
    [
      "sends GET without the id, in quotes",
      { method: "GET", template: 'source="<source>"&recipient="<recipient>"&message=<message>', insert: percent },
      { kind: "query", names: ["source", "recipient", "message"] },
    ],
    [
      "percent-encodes the text once more",
      { method: "POST", template: PRINTED, insert: onlyText(percent) },
      { encoding: "percent-encoded once more" },
    ],
    [
      "percent-encodes all values once more",
      { method: "POST", template: PRINTED, insert: percent },
      { encoding: "percent-encoded once more" },
    ],
    [
      "encodes the text as a form does",
      { method: "POST", template: PRINTED, insert: onlyText((value) => percent(value).replaceAll("%20", "+")) },
      { encoding: "form-encoded once more" },
    ],
    [
      "sends the text in hexadecimal, as UTF-16",
      { method: "POST", template: PRINTED, insert: onlyText(inHex) },
      { encoding: "in hexadecimal, as UTF-16" },
    ],
    [
      "sends the text in hexadecimal, as UTF-8",
      { method: "POST", template: SHORT, insert: onlyText((value) => Buffer.from(value).toString("hex")) },
      { encoding: "in hexadecimal, as UTF-8" },
    ],
    [
      "sends the text in Base64",
      { method: "POST", template: PRINTED, insert: onlyText((value) => Buffer.from(value).toString("base64")) },
      { encoding: "in Base64" },
    ],
    [
      "percent-encodes twice under GET",
      { method: "GET", template: `${VARIABLES}&message=<message>`, insert: (value) => percent(percent(value)) },
      { encoding: "percent-encoded once more" },
    ],
  ])("prints options that read exactly what a provider sends that %s", async (_how, console, learnt) => {
    const { ran, sent, text, conclusion } = await captureOne(console);
    expect(conclusion.learnt).toMatchObject(learnt);
    expect(conclusion).toMatchObject({ isExact: true });
    expect(ran.code).toBe(0);
    const message = await readBy(routerOf(conclusion.code), sent);
    expect(message).toMatchObject({ text, source: "+919876500001" });
    expect(message?.fields).toMatchObject(fieldsOf(sent, conclusion));
  });

  it("proves the words that come by GET without the text", async () => {
    const template = `${VARIABLES}&parts[1]=<parts[1]>&parts[2]=<parts[2]>&parts[3]=<parts[3]>`;
    const { sent, text, conclusion } = await captureOne({ method: "GET", template, insert: percent });
    expect(saysOf(conclusion, "text")).toEqual([expect.stringMatching(/^proven: 3 of its 10 words come/)]);
    const message = await readBy(routerOf(conclusion.code), sent);
    expect(message?.parts).toEqual(text.split(/ +/).slice(0, 3));
  });

  it.each<[sent: string, form: RegExp, made: string]>([
    ["+919876500001", /^proven: With \+ and the country code: \+91\*+0001 stays/, "+919876500001"],
    ["00919876500001", /^proven: With 00 and the country code/, "+919876500001"],
    ["9876500001", /^not proven: Without the country code: \*+01 stays .*defaultCountry/, "9876500001"],
  ])("says how numbers come, masked: %s", async (source, form, made) => {
    const { ran, sent, conclusion } = await captureOne({ method: "POST", template: PRINTED, source });
    expect(saysOf(conclusion, "source")).toEqual([expect.stringMatching(form)]);
    expect(await readBy(routerOf(conclusion.code), sent)).toMatchObject({ source: made });
    expect(ran.stdout + ran.stderr).not.toContain("876500001");
  });

  it.each<[minutes: number, timeZone: string | undefined, zone: string]>([
    [0, "UTC", "UTC+00:00"],
    [330, "Asia/Kolkata", "UTC+05:30"],
    [-240, undefined, "UTC-04:00"],
    [7, undefined, "not decided"],
  ])("names the zone of timestamps only if their arrival shows it: %s minutes", async (minutes, timeZone, zone) => {
    const timestamp = writtenIn(minutes);
    const { sent, conclusion } = await captureOne({ method: "POST", template: PRINTED, timestamp });
    expect(conclusion.learnt).toMatchObject({ zone });
    const message = await readBy(routerOf(conclusion.code), sent);
    const instant = new Date(`${timestamp.replace(" ", "T")}Z`).getTime() - minutes * 60_000;
    expect(message?.triggeredAt).toBe(timeZone && new Date(instant).toISOString());
  });
});

/** Sends texts to one run of `capture`, and returns its last conclusion. */
async function captureAll(consoles: readonly Console[]): Promise<ConclusionEvent> {
  const running = startCapture([]);
  const { port, awkward } = await running.listening;
  for (const [index, console] of consoles.entries()) {
    await sendTo(port, rendered(awkward, console));
    await running.printed(new RegExp(`(?:"type":"conclusion"[^]*){${index + 1}}`));
  }
  const conclusion = conclusionsOf(await running.interrupt()).at(-1);
  if (conclusion === undefined) throw new Error("nothing was concluded");
  return conclusion;
}

describe("a template that callbackProfile cannot describe", () => {
  it("is read as JSON if the provider escapes, and says what to change", async () => {
    const template = SHORT.replace('"id"', '"reference": "<id>", "id"');
    const { ran, conclusion, sent, text } = await captureOne({ method: "POST", template, insert: escaped });
    expect(saysOf(conclusion, "template")).toEqual([
      expect.stringContaining("reference has the value of id: if it is that variable, name it id in the console"),
    ]);
    expect(conclusion.code).not.toContain("callbackProfile");
    expect(await readBy(routerOf(conclusion.code), sent)).toMatchObject({ text });
    expect(ran.code).toBe(0);
  });

  it("is not read if the provider does not escape, and says so", async () => {
    const template = SHORT.replace('"id"', '"reference": "<id>", "id"');
    const { ran, conclusion } = await captureOne({ method: "POST", template });
    expect(saysOf(conclusion, "escaping")).toEqual([
      "proven: It comes as it was typed, not escaped.",
      expect.stringMatching(/^to do: It cannot be read exactly/),
    ]);
    expect(saysOf(conclusion, "text")).toEqual([expect.stringMatching(/^to do: The options do not read it: /)]);
    expect(ran.code).toBe(1);
  });

  it("has a name whose value changes from text to text", async () => {
    const templates = ["1", "2"].map((value) => PRINTED.replace("{", `{"count": "${value}",`));
    const [first, second] = templates.map((template) => ({ method: "POST", template, insert: escaped }) as const);
    if (first === undefined || second === undefined) throw new Error("there are two");
    expect(saysOf(await captureAll([first, first]), "static fields")).toEqual([
      "proven: count: the same in 2 callbacks",
    ]);
    expect(saysOf(await captureAll([first, second]), "template")).toEqual([
      expect.stringContaining("count changes, and is no field of the provider's page"),
    ]);
  });

  it("passes the text under another name, which no option reads", async () => {
    const template = PRINTED.replace('"message":', '"body":');
    const { ran, conclusion } = await captureOne({ method: "POST", template, insert: escaped });
    expect(saysOf(conclusion, "text")).toEqual([
      'to do: It comes as body: in the console, pass it as "message": "<message>".',
    ]);
    expect(ran.code).toBe(1);
  });
});

const KEY = { hex: randomBytes(32).toString("hex"), text: "sixteen letters!" };
const IV = { hex: randomBytes(12).toString("hex"), text: "an iv of sixteen" };

/** Encrypts all values but empty ones. */
function encrypting(
  how: "gcm" | "gcm with its IV" | "gcm, tag first" | "cfb" | "cfb with its IV",
): NonNullable<Console["insert"]> {
  const isGcm = how.startsWith("gcm");
  const key = isGcm ? Buffer.from(KEY.hex, "hex") : Buffer.from(KEY.text);
  return (value) => {
    if (value === "") return "";
    const own = how.endsWith("with its IV") ? randomBytes(isGcm ? 12 : 16) : undefined;
    const iv = own ?? (isGcm ? Buffer.from(IV.hex, "hex") : Buffer.from(IV.text));
    const head = own ?? Buffer.alloc(0);
    if (!isGcm) {
      const cipher = createCipheriv("aes-128-cfb", key, iv);
      return Buffer.concat([head, cipher.update(value), cipher.final()]).toString("hex");
    }
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    const body = Buffer.concat([cipher.update(value), cipher.final()]);
    const tag = cipher.getAuthTag();
    return Buffer.concat(how === "gcm, tag first" ? [head, tag, body] : [head, body, tag]).toString("base64");
  };
}

describe("capture of encrypted values", () => {
  const env = { SHORT: "too-short", SMS_KEY: KEY.hex, SMS_IV: IV.hex, SHORT_KEY: KEY.text, SHORT_IV: IV.text };
  const gcm = ["--key", "env:SMS_KEY", "--iv", "env:SMS_IV"];
  const cfb = ["--key", "env:SHORT_KEY", "--iv", "env:SHORT_IV"];
  const withStatic = PRINTED.replace("{", '{\n  "tenant": "acme",');

  it.each<[how: string, args: readonly string[], console: Console, name: RegExp]>([
    [
      "GCM",
      gcm,
      { method: "POST", template: PRINTED, insert: encrypting("gcm") },
      /AES-256-GCM.*given IV, the tag last/,
    ],
    [
      "GCM, with an IV of its own",
      ["--key", "env:SMS_KEY"],
      { method: "POST", template: withStatic, insert: encrypting("gcm with its IV") },
      /AES-256-GCM.*IV in the first 12 bytes, the tag last/,
    ],
    [
      "GCM, the tag first",
      gcm,
      { method: "POST", template: withStatic, insert: encrypting("gcm, tag first") },
      /the tag before the text/,
    ],
    [
      "CFB",
      cfb,
      { method: "POST", template: PRINTED, insert: encrypting("cfb") },
      /AES-128-CFB, in hexadecimal, the given IV/,
    ],
    [
      "CFB, with an IV of its own",
      cfb,
      { method: "POST", template: PRINTED, insert: encrypting("cfb with its IV") },
      /AES-128-CFB.*IV in the first 16 bytes/,
    ],
    [
      "GCM, by GET, with pluses that nobody escaped",
      gcm,
      { method: "GET", template: `${VARIABLES}&message=<message>`, insert: encrypting("gcm") },
      /AES-256-GCM/,
    ],
  ])("finds the layout of %s, given the key", async (_how, args, console, name) => {
    const { ran, sent, text, conclusion } = await captureOne(console, { args, env });
    expect(conclusion.learnt.encoding).toMatch(name);
    const message = await readBy(routerOf(conclusion.code, env), sent);
    expect(message).toMatchObject({ text, source: "+919876500001" });
    expect(message?.fields).toMatchObject(fieldsOf(sent, conclusion));
    expect(ran.code).toBe(0);
    for (const secret of Object.values(env)) expect(ran.stdout + ran.stderr).not.toContain(secret);
  });

  it.each<[args: readonly string[], hint: RegExp]>([
    [[], /It looks encrypted: add the key/],
    [["--key", "env:SHORT_KEY"], /no usual layout of AES fits the key/],
  ])("concludes nothing without the key, or with another one: %j", async (args, hint) => {
    const running = startCapture(args, env);
    const { port, awkward } = await running.listening;
    await sendTo(port, rendered(awkward, { method: "POST", template: PRINTED, insert: encrypting("gcm") }));
    await running.printed(hint);
    const ran = await running.interrupt();
    expect([ran.code, conclusionsOf(ran)]).toEqual([130, []]);
  });

  it("asks for the key whatever the encrypted values begin with", async () => {
    const running = startCapture([]);
    const { port, awkward } = await running.listening;
    const insert = (value: string): string =>
      value === "" ? "" : `7${Buffer.from(value.padEnd(30)).toString("base64url")}`;
    await sendTo(port, rendered(awkward, { method: "POST", template: PRINTED, insert }));
    await running.printed(/It looks encrypted/);
    await running.interrupt();
  });

  it.each<[args: readonly string[]]>([[["--iv", "env:SMS_IV"]], [["--key", "env:SHORT"]], [["--key", "env:NO_KEY"]]])(
    "exits with 2 for a key that cannot be one: %j",
    async (args) => {
      const { code, stdout, stderr } = await startCapture(args, env).ended;
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain(IV.hex);
    },
  );
});

describe("a text that decides nothing", () => {
  it.each<[how: string, insert: Console["insert"], typed: (text: string) => string]>([
    ["has no backslash", undefined, (text) => text.replace(" \\b", "")],
    ["has no backslash, though its quotes are escaped", escaped, (text) => text.replace("\\", "")],
    ["has curly quotes and no backslash", undefined, (text) => text.replace("\"A\" 'b' \\b", "\u201cA\u201d b")],
    ["lost its backslashes on the way", (value) => escaped(value).replaceAll("\\", ""), (text) => text],
  ])("is said to, if it %s", async (_how, insert, typed) => {
    const template = PRINTED;
    const { ran, conclusion } = await captureOne({ method: "POST", template, ...(insert && { insert }) }, { typed });
    expect(conclusion.learnt).toMatchObject({ escaping: "not decided" });
    expect(saysOf(conclusion, "escaping")).toEqual([
      "not proven: The text came without its backslash: it decides nothing.",
    ]);
    expect(conclusion.code).not.toContain("escaping");
    expect([ran.code, conclusion.isExact]).toEqual([1, false]);
    expect(ran.stdout).toContain('"code":"not-exact"');
  });

  it("decides nothing by its backslash if a phone made its quotes curly: perhaps only quotes are escaped", async () => {
    const { conclusion } = await captureOne(
      { method: "POST", template: PRINTED },
      { typed: (asked) => asked.replace('"A"', "\u201cA\u201d") },
    );
    expect(conclusion.learnt).toMatchObject({ escaping: "not decided" });
    expect(saysOf(conclusion, "escaping")).toEqual([
      expect.stringMatching(/^not proven: The backslash and the quotes/),
    ]);
    expect(saysOf(conclusion, "text")).toEqual([expect.stringMatching(/^not proven: .*typographic quotes/)]);
    expect(conclusion.code).not.toContain("escaping");
  });

  it("settles nothing if quotes come escaped and backslashes do not", async () => {
    const { conclusion } = await captureOne({
      method: "POST",
      template: PRINTED,
      insert: (value) => value.replaceAll('"', '\\"'),
    });
    expect(saysOf(conclusion, "escaping")).toEqual([expect.stringMatching(/^to do: Some of it comes escaped/)]);
    expect(conclusion.isExact).toBe(false);
  });

  it("is no callback by another method, and none that is too large or cut off", async () => {
    const running = startCapture([]);
    const { port } = await running.listening;
    const base = { path: "/sms", headers: {}, body: Buffer.alloc(0), values: {} };
    const ask = async (method: string, body?: Buffer): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const outgoing = request({ host: "127.0.0.1", port, path: base.path, method }, (answer) => {
          answer.resume().on("end", () => resolve(answer.statusCode));
        });
        outgoing.on("error", reject).end(body);
      });
    expect([await ask("HEAD"), await ask("PUT")]).toEqual([200, 405]);
    expect(await ask("POST", Buffer.alloc(1_048_577))).toBe(413);
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /sms?a b HTTP/1.1\r\n\r\n");
    expect(await new Promise((resolve) => socket.once("data", (data) => resolve(String(data).slice(0, 12))))).toBe(
      "HTTP/1.1 400",
    );
    const ran = await running.interrupt();
    expect(eventsOf(ran).map(({ type }) => type)).toEqual(["listening"]);
    for (const note of ["A HEAD came", "another method came", "1048576 bytes came", "whose target has spaces"])
      expect(ran.stderr).toContain(note);
  });

  it("is one without the nonce: somebody else's, of which only its length and kind are shown", async () => {
    const running = startCapture([]);
    const { port } = await running.listening;
    await sendTo(port, rendered('say "hi" \\b canary-text', { method: "POST", template: PRINTED }));
    await running.printed(/It is not the text that was asked for/);
    await sendTo(port, rendered("", { method: "POST", template: PRINTED, insert: (_, name) => `<${name}>` }));
    await running.printed(/a test from the console/);
    await sendTo(port, { method: "GET", path: "/sms", headers: {}, body: Buffer.alloc(0), values: {} });
    await running.printed(/A redirect turns a POST into a GET/);
    const ran = await running.interrupt();
    expect(conclusionsOf(ran)).toEqual([]);
    expect(eventsOf(ran).filter(({ type }) => type === "callback")).toHaveLength(3);
    expect(ran.stdout + ran.stderr).not.toMatch(/canary-text|876500001/);
  });
});

describe("a text of two lines", () => {
  it.each<[how: string, insert: (value: string) => string, lineBreak: string, says: RegExp, escaping: RegExp]>([
    ["escaped", escaped, "json", /^proven: They come escaped/, /^proven/],
    ["as it is", (value) => value, "none", /^proven: They come as they are/, /^proven/],
    ["as a space", (value) => escaped(value.replace("\n", " ")), "space", /^not proven: .* as a space/, /^proven/],
    [
      "as it is, beside escaped quotes",
      (value) => escaped(value).replace("\\n", "\n"),
      "none",
      /./,
      /^to do: Quotes are/,
    ],
  ])("shows how a line break comes: %s", async (_how, insert, lineBreak, says, escaping) => {
    const running = startCapture([]);
    const { port, awkward, lines } = await running.listening;
    const sent = [awkward, lines].map((text) => rendered(text, { method: "POST", template: PRINTED, insert }));
    for (const one of sent) {
      await sendTo(port, one);
      await running.printed(new RegExp(`(?:"type":"conclusion"[^]*){${sent.indexOf(one) + 1}}`));
    }
    const conclusion = conclusionsOf(await running.interrupt()).at(-1);
    if (conclusion === undefined) throw new Error("nothing was concluded");
    expect(conclusion.learnt).toMatchObject({ lineBreak });
    expect(saysOf(conclusion, "escaping")).toEqual([expect.stringMatching(escaping)]);
    for (const one of saysOf(conclusion, "line breaks")) expect(one).toMatch(says);
    expect(saysOf(conclusion, "line breaks").length).toBe(escaping.source === "^proven" ? 1 : 0);
    const message = await readBy(routerOf(conclusion.code), sent[0] ?? rendered("", { method: "POST", template: "" }));
    expect(message?.text).toBe(awkward);
  });
});
