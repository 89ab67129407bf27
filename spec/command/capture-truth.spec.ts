// `capture` never prints a conclusion that the bytes do not support.

import { createCipheriv, randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";

import { conclusionsOf, readBy, routerOf, saysOf, startCapture, type ConclusionEvent } from "../support/capturing";
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

type Step = readonly [text: "awkward" | "lines" | ((awkward: string) => string), console: Partial<Console>];

/**
 * Sends texts to one run of `capture`, each by a provider of its own. Returns what was sent, and the last conclusion.
 */
async function captureAll(
  steps: readonly Step[],
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ conclusion: ConclusionEvent; sent: readonly Sent[] }> {
  const running = startCapture(args, env);
  const { port, awkward, lines } = await running.listening;
  const sent: Sent[] = [];
  for (const [text, console] of steps) {
    const typed = typeof text === "function" ? text(awkward) : { awkward, lines }[text];
    const one = rendered(typed, { method: "POST", template: PRINTED, ...console });
    sent.push(one);
    await sendTo(port, one);
    await running.printed(new RegExp(`(?:"type":"conclusion"[^]*){${sent.length}}`));
  }
  const conclusion = conclusionsOf(await running.interrupt()).at(-1);
  if (conclusion === undefined) throw new Error("nothing was concluded");
  return { conclusion, sent };
}

const message =
  (encode: (value: string) => string) =>
  (value: string, name: string): string =>
    name === "message" ? encode(value) : escaped(value);
const base64 = (value: string): string => Buffer.from(value).toString("base64");
const hexIfNotAscii = (value: string): string =>
  /[^ -~\n]/.test(value) ? Buffer.from(value, "utf16le").swap16().toString("hex") : value;
const asHtml = (value: string): string =>
  value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("'", "&#39;").replaceAll("<", "&lt;");
const quotesOnly = (value: string): string => value.replaceAll('"', '\\"');
const backslashesOnly = (value: string): string => value.replaceAll("\\", "\\\\");
const curly = (text: string): string => text.replace('"A"', "\u201cA\u201d");
const FORM = { contentType: "application/x-www-form-urlencoded" };
const FORM_TEMPLATE = "id=<id>&source=<source>&recipient=<recipient>&message=<message>&keyword=<keyword>";

describe("a text is proven exact only if it is the one that was asked for, letter by letter", () => {
  it.each<[how: string, console: Partial<Console>, typed: (text: string) => string, says: RegExp]>([
    [
      "stands under a key that comes twice",
      {
        template: PRINTED.replace("{", "{ "),
        insert: (value, name) => (name === "message" ? `${value}", "message": "${value}` : value),
      },
      (text) => text,
      /there is more than was asked for/,
    ],
    ["comes in capitals", { insert: (v) => escaped(v.toUpperCase()) }, (text) => text, /5%41\+1|capitals/],
    ["comes in small letters", { insert: message((v) => escaped(v.toLowerCase())) }, (text) => text, /small letters/],
    ["follows other words", { insert: escaped }, (text) => `many other words, and "quotes" ${text}`, /there is more/],
    ["comes as in HTML", { insert: message((v) => escaped(asHtml(v))) }, (text) => text, /quotes came as in HTML/],
    ["loses its second space", { insert: (v) => escaped(v.replace("  ", " ")) }, (text) => text, /two spaces/],
  ])("not if it %s", async (_how, console, typed, says) => {
    const { conclusion } = await captureAll([[typed, console]]);
    expect(conclusion.isExact).toBe(false);
    expect(saysOf(conclusion, "text")).toEqual([expect.stringMatching(/^not proven/)]);
    expect(saysOf(conclusion, "text")).toEqual([expect.stringMatching(says)]);
  });

  it("is so behind a keyword, and with the capital that a phone writes", async () => {
    const typed = (text: string): string => `Info ${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
    const { conclusion } = await captureAll([[typed, { insert: escaped }]]);
    expect(conclusion.isExact).toBe(true);
  });
});

describe("escaping is proven only by the backslash and both quotes", () => {
  it.each<[how: string, insert: (value: string) => string, typed: (text: string) => string]>([
    ["curly quotes, by a provider that escapes quotes only", quotesOnly, curly],
    ["curly quotes, by a provider that escapes backslashes only", backslashesOnly, curly],
    ["half of the text", quotesOnly, (text) => `${text.slice(0, 4)} \\b`],
    ["quotes as in HTML", asHtml, (text) => text],
    ["quotes that are doubled", (value) => value.replaceAll('"', '""'), (text) => text],
    ["quotes that became others", (value) => value.replaceAll('"', "'"), (text) => text],
    ["quotes that are dropped", (value) => value.replaceAll('"', ""), (text) => text],
    ["a text that is escaped twice", (value) => escaped(escaped(value)), (text) => text],
  ])("not by %s", async (_how, insert, typed) => {
    const { conclusion } = await captureAll([[typed, { insert }]]);
    expect(conclusion.learnt).toMatchObject({ escaping: "not decided" });
    expect(saysOf(conclusion, "escaping")).toEqual([expect.stringMatching(/^not proven/)]);
    expect(conclusion.code).not.toContain("escaping");
    expect(conclusion.isExact).toBe(false);
  });

  it.each<[how: string, insert: (value: string) => string]>([
    ["quotes only", quotesOnly],
    ["quotes as numbers", (value) => value.replaceAll('"', "\\u0022")],
    ["backslashes only", backslashesOnly],
    ["as in JavaScript", (value) => escaped(value).replaceAll("'", "\\'")],
    ["as in PHP", (value) => value.replaceAll(/['"\\]/g, "\\$&")],
  ])("and is to do if a provider escapes %s", async (_how, insert) => {
    const { conclusion } = await captureAll([["awkward", { insert }]]);
    expect(saysOf(conclusion, "escaping")).toEqual([expect.stringMatching(/^to do: Some of it comes escaped/)]);
    expect(conclusion).toMatchObject({ isExact: false, learnt: { escaping: "not decided" } });
  });
});

describe("texts that come in several ways prove nothing of all", () => {
  it.each<[how: string, steps: readonly Step[], about: string, says: RegExp]>([
    [
      "as JSON and as a form",
      [
        ["awkward", {}],
        ["awkward", { ...FORM, template: FORM_TEMPLATE, insert: percent }],
      ],
      "method",
      /1 of the texts came as JSON, and 1 as a form/,
    ],
    [
      "as JSON and, of two lines, as a form",
      [
        ["awkward", {}],
        ["lines", { ...FORM, template: FORM_TEMPLATE, insert: percent }],
      ],
      "method",
      /1 of the texts came as JSON, and 1 as a form/,
    ],
    [
      "in Base64 and plain",
      [
        ["awkward", { insert: message(base64) }],
        ["awkward", { insert: escaped }],
      ],
      "encoding",
      /in Base64; as plain text/,
    ],
    [
      "plain and percent-encoded",
      [
        ["awkward", { insert: escaped }],
        ["lines", { insert: message(percent) }],
      ],
      "encoding",
      /as plain text; percent-encoded/,
    ],
    [
      "in hexadecimal only if there are other letters than ASCII",
      [
        ["awkward", { insert: message((value) => escaped(hexIfNotAscii(value))) }],
        ["lines", { insert: message((value) => escaped(hexIfNotAscii(value))) }],
      ],
      "encoding",
      /in hexadecimal, as UTF-16; as plain text/,
    ],
    [
      "escaped and not escaped",
      [
        ["awkward", { insert: escaped }],
        ["awkward", {}],
      ],
      "escaping",
      /Some of it comes escaped/,
    ],
  ])("%s", async (_how, steps, about, says) => {
    const { conclusion } = await captureAll(steps);
    expect(saysOf(conclusion, about)).toEqual(
      expect.arrayContaining([expect.stringMatching(new RegExp(`^to do: .*${says.source}`))]),
    );
    expect(saysOf(conclusion, "escaping").join()).not.toContain("No JSON comes");
    expect(conclusion.isExact).toBe(false);
    expect(conclusion.code).not.toContain("decrypt");
  });

  it("says that an encoding is not proven by one text alone, and proves it by both", async () => {
    const insert = message(base64);
    const one = await captureAll([["awkward", { insert }]]);
    expect(saysOf(one.conclusion, "encoding")).toEqual([expect.stringMatching(/^not proven: The text is in Base64/)]);
    const both = await captureAll([
      ["awkward", { insert }],
      ["lines", { insert }],
    ]);
    expect(saysOf(both.conclusion, "encoding")).toEqual([expect.stringMatching(/^proven: The text is in Base64/)]);
    for (const sent of both.sent)
      expect(await readBy(routerOf(both.conclusion.code), sent)).toMatchObject({ text: sent.values.message });
  });
});

describe("values of a form", () => {
  it.each<[how: string, insert: (value: string) => string, says: RegExp, isExact: boolean]>([
    ["are percent-encoded", percent, /^proven: They are percent-encoded/, true],
    ["are not", (value) => value, /^to do: They are not percent-encoded/, false],
  ])("%s, which the & of the text shows", async (_how, insert, says, isExact) => {
    const { conclusion } = await captureAll([["awkward", { ...FORM, template: FORM_TEMPLATE, insert }]]);
    expect(saysOf(conclusion, "values")).toEqual([expect.stringMatching(says)]);
    expect(conclusion.isExact).toBe(isExact);
  });
});

describe("the text of two lines", () => {
  it.each<[how: string, insert: (value: string) => string, lineBreak: string, says: RegExp]>([
    ["without its line break", (value) => escaped(value.replace("\n", "")), "lost", /line break is lost/],
    ["with something else for it", (value) => escaped(value.replace("\n", "<br>")), "other", /something else/],
  ])("is recognized %s", async (_how, insert, lineBreak, says) => {
    const { conclusion } = await captureAll([
      ["awkward", { insert }],
      ["lines", { insert }],
    ]);
    expect(conclusion.learnt).toMatchObject({ lineBreak, escaping: "json" });
    expect(saysOf(conclusion, "line breaks")).toEqual([expect.stringMatching(says)]);
    expect(conclusion.isExact).toBe(false);
  });

  it("does not make the text exact if quotes are escaped and line breaks are not", async () => {
    const insert = (value: string): string => escaped(value).replace("\\n", "\n");
    const { conclusion } = await captureAll([
      ["awkward", { insert }],
      ["lines", { insert }],
    ]);
    expect(saysOf(conclusion, "escaping")).toEqual([expect.stringMatching(/^to do: Quotes are escaped/)]);
    expect(conclusion.isExact).toBe(false);
  });
});

describe("names and values are what the callbacks show of them", () => {
  it("takes the other variables of the provider's page for variables, not for static fields", async () => {
    const others = (id: string): string => PRINTED.replace("{", `{ "msgid": "${id}", "country_name": "India",`);
    const template = others("1").replace('"recipient"', '"to"').replace("<to>", "<recipient>");
    const { conclusion } = await captureAll([["awkward", { template }]]);
    expect(conclusion.learnt).toMatchObject({ statics: [], escaping: "none" });
    const later = rendered('say "hi"', { method: "POST", template: template.replace('"msgid": "1"', '"msgid": "2"') });
    expect(await readBy(routerOf(conclusion.code), later)).toMatchObject({
      text: 'say "hi"',
      recipient: "+919812345678",
      fields: { msgid: "2", country_name: "India" },
    });
    const { conclusion: second } = await captureAll([
      ["awkward", { template: others("1") }],
      ["lines", { template: others("2") }],
    ]);
    expect(saysOf(second, "template")).toEqual([]);
  });

  it("gives no advice on a value that two names have by chance", async () => {
    const template = PRINTED.replace("{", '{ "tenant": "JIO ASSAM",');
    const { conclusion } = await captureAll([["awkward", { template }]]);
    expect(saysOf(conclusion, "template")).toEqual([]);
    expect(conclusion.learnt).toMatchObject({ statics: ["tenant"] });
  });

  it("does not take digits alone for a number with its country code: some national ones are as long", async () => {
    const { conclusion } = await captureAll([["awkward", { source: "11987654321" }]]);
    expect(saysOf(conclusion, "source")).toEqual([
      expect.stringMatching(/^not proven: Taken as with the country code/),
    ]);
  });

  it.each<[how: string, minutes: readonly number[], says: RegExp, zone: string]>([
    ["one callback", [330], /^not proven: In UTC\+05:30, if it was not delayed/, "UTC+05:30"],
    ["two that differ", [330, 300], /^not proven: .*several, UTC\+05:30 and UTC\+05:00/, "not decided"],
  ])("does not prove a zone by %s", async (_how, minutes, says, zone) => {
    const steps = minutes.map((one): Step => ["awkward", { timestamp: writtenIn(one) }]);
    const { conclusion } = await captureAll(steps);
    expect(saysOf(conclusion, "timestamp")).toEqual([expect.stringMatching(says)]);
    expect(conclusion.learnt).toMatchObject({ zone });
  });

  it("proves a zone by two callbacks that agree", async () => {
    const first = writtenIn(329);
    const steps = [first, writtenIn(330)].map((timestamp): Step => ["awkward", { timestamp }]);
    const { conclusion } = await captureAll(steps);
    expect(saysOf(conclusion, "timestamp")).toEqual([expect.stringMatching(/^proven: In UTC\+05:30/)]);
  });

  it("does not call a field encrypted that came empty where only the text is encrypted", async () => {
    const key = randomBytes(32);
    const insert = message((value) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      return Buffer.concat([iv, cipher.update(value), cipher.final(), cipher.getAuthTag()]).toString("base64");
    });
    const env = { SMS_KEY: key.toString("hex") };
    const { conclusion } = await captureAll([["awkward", { insert }]], ["--key", "env:SMS_KEY"], env);
    expect(saysOf(conclusion, "encoding")).toEqual(
      expect.arrayContaining([expect.stringMatching(/^not proven: keyword: came empty/)]),
    );
    const template = PRINTED.replace("<keyword>", "STOP");
    const later = rendered("STOP it", { method: "POST", template, insert });
    expect(await readBy(routerOf(conclusion.code, env), later)).toMatchObject({ text: "STOP it", keyword: "STOP" });
  });
});
