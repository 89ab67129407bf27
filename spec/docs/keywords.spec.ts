// docs/keywords.md: its words are those of the tables, its examples run as printed, and its texts match what it says.

import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { alone, HELP, OPT_IN, OPT_OUT, POSSIBLE_OPT_OUT, type KeywordPattern } from "express-kaleyra-sms";
import { subscriber } from "express-kaleyra-sms/testing";

import { temporaryFolder } from "../inbox/temporary";
import { recorder, type Recorder } from "../support/recorder";
import { names, readPage, ROOT } from "./page";

const PAGE = readPage("docs/keywords.md");
const LISTS = { OPT_OUT, POSSIBLE_OPT_OUT, OPT_IN, HELP };
const ASHA = "+919876543210";

describe("the words", () => {
  const renew = (folder: string, ...args: string[]): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, [join(folder, "docs/keywords.mjs"), ...args], { encoding: "utf8" });

  it("are those of the tables: `npm run docs` makes the same page", () => {
    expect(renew(ROOT)).toMatchObject({ status: 0, stdout: "" });
    const words = Object.values(LISTS).flatMap((list) => list.words);
    const onOneLine = PAGE.text.replaceAll(/\s+/g, " ");
    expect(words.filter((word) => !onOneLine.includes(word))).toEqual([]);
  });

  it("are not accepted if one is changed by hand, and are renewed", () => {
    const folder = temporaryFolder();
    cpSync(join(ROOT, "docs"), join(folder, "docs"), { recursive: true });
    for (const name of ["dist", "node_modules", "package.json"]) symlinkSync(join(ROOT, name), join(folder, name));
    const file = join(folder, "docs/keywords.md");
    writeFileSync(file, PAGE.text.replace("REVOKE, REMOVE,", "REMOVE,"));
    expect(renew(folder)).toMatchObject({ status: 1, stdout: "docs/keywords.md differs: run `npm run docs`.\n" });
    expect(renew(folder, "--write").status).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(PAGE.text);
  });
});

/** Runs an example of the page, and sends texts. Each handler says what it was given. */
async function done(example: string, texts: readonly string[]): Promise<unknown[]> {
  const { sms } = recorder();
  const calls: unknown[] = [];
  const actions = ["join", "sendBalance", "confirm", "optOut", "optIn", "forwardToAPerson"];
  const call = (name: string) => (first: string | { source: string }, second?: string) =>
    calls.push([name, typeof first === "string" ? first : first.source, ...(second === undefined ? [] : [second])]);
  const given = Object.fromEntries(actions.map((name) => [name, call(name)]));
  runInNewContext(example, { sms, alone, ...LISTS, ...given });
  for (const text of texts) await subscriber(sms).text(text);
  return calls;
}

it("has an example that runs", async () => {
  const texts = ["join gold", "Join silver", "bal", "123456", "yes!", "please stop", "stop by", "start", "hello"];
  expect(await done(PAGE.block("ts", "JOIN GOLD"), texts)).toEqual([
    ["join", ASHA, "gold"],
    ["join", ASHA, "silver"],
    ["sendBalance", ASHA],
    ["confirm", ASHA, "123456"],
    ["confirm", ASHA, "yes"],
    ["optOut", ASHA],
    ["forwardToAPerson", ASHA],
    ["optIn", ASHA],
    ["forwardToAPerson", ASHA],
  ]);
});

it("has words of other languages that count at the head of the text", async () => {
  const texts = ["band karo!", "arreter", "band karo these", "please band karo"];
  expect(await done(PAGE.block("ts", "BAND KARO"), texts)).toEqual(texts.slice(0, 3).map(() => ["optOut", ASHA]));
});

describe("optOut is true", () => {
  /** Whether it is so for a text, in a router with this keyword. */
  async function optsOut(text: string, register: (sms: Recorder["sms"]) => void): Promise<boolean> {
    const { sms } = recorder();
    let found = false;
    register(sms);
    sms.on("message", (_message, { optOut }) => void (found = optOut));
    await subscriber(sms).text(text);
    return found;
  }
  const none = (): void => undefined;

  it.each<[string, boolean, KeywordPattern]>([
    ["band karo", true, [OPT_OUT, "BAND KARO"]],
    ["退订", false, [OPT_OUT, /^退订/]],
    ["basta", false, [OPT_OUT, alone("BASTA")]],
  ])("for %s: %s, beside OPT_OUT in the array", async (text, expected, pattern) => {
    expect(await optsOut(text, (sms) => sms.keyword(pattern, none))).toBe(expected);
    const [, section = ""] = PAGE.text.split("### How do I add words of my language?");
    expect(section).toContain("A `RegExp`, `alone(...)`, or a word in another call of `sms.keyword` does not.");
  });

  it("not for a word in another call, nor if a longer keyword wins: that may be an opt-out", async () => {
    expect(await optsOut("basta", (sms) => sms.keyword(OPT_OUT, none).keyword("BASTA", none))).toBe(false);
    expect(await optsOut("stop delivery", (sms) => sms.keyword(OPT_OUT, none))).toBe(true);
    const possible: Array<string | undefined> = [];
    const isOptOut = await optsOut("stop delivery", (sms) =>
      sms
        .keyword(OPT_OUT, none)
        .keyword("STOP DELIVERY", none)
        .keyword(POSSIBLE_OPT_OUT, ({ text }) => possible.push(text)),
    );
    expect([isOptOut, possible]).toEqual([false, ["stop delivery"]]);
  });
});

it.each(PAGE.table("## Consent").map(([text = "", matches = ""]) => [text.replaceAll('"', ""), matches]))(
  "a text %j matches %s",
  async (text, matches) => {
    const { sms } = recorder();
    const found: string[] = [];
    for (const [name, list] of Object.entries(LISTS)) sms.keyword(list, () => found.push(`\`${name}\``));
    await subscriber(sms).text(text);
    expect(found).toEqual(matches === "none" ? [] : [matches]);
  },
);

it("lets the text decide if the console has the keyword, and finds an opt-out behind another one", async () => {
  const { sms } = recorder();
  const found: string[] = [];
  sms
    .keyword(OPT_OUT, ({ by }) => found.push(`OPT_OUT by ${by}`))
    .keyword(POSSIBLE_OPT_OUT, () => found.push("possible"));
  await subscriber(sms).text("stop by tomorrow", { keyword: "STOP" });
  await subscriber(sms).text("ACME STOP", { keyword: "ACME" });
  expect(found).toEqual(["possible", "OPT_OUT by rest"]);
});

async function matchesOf(text: string, register: (sms: Recorder["sms"]) => void): Promise<Recorder["keywords"]> {
  const { sms, keywords } = recorder();
  register(sms);
  await subscriber(sms).text(text);
  return keywords;
}

it("lists what a handler gets", async () => {
  const [match] = await matchesOf("4711 gold", (sms) => sms.keyword(/^(?<code>\d+)/, () => undefined));
  expect(
    names(PAGE.table("## What does a handler get?"))
      .filter((name) => /^[a-z]+$/.test(name))
      .toSorted(),
  ).toEqual(Object.keys(match ?? {}).toSorted());
});
