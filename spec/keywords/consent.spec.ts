// The words of consent: what certainly opts out, what a person should read, and what opts in.

import { setImmediate } from "node:timers/promises";
import { describe, expect, it, jest } from "@jest/globals";
import { alone, HELP, incomingSms, OPT_IN, OPT_OUT, POSSIBLE_OPT_OUT, type KeywordPattern } from "express-kaleyra-sms";

import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";
import { recordWarnings } from "../support/warnings";

const UNHEARD = "KALEYRA_SMS_POSSIBLE_OPT_OUT_UNHEARD";
const warnings = recordWarnings();

const LISTS = { OPT_OUT, POSSIBLE_OPT_OUT, OPT_IN, HELP };

/** The names of the lists that a message matches, each with the word. */
async function listsOf(message: string): Promise<string[]> {
  const { sms } = recorder();
  const found: string[] = [];
  for (const [name, list] of Object.entries(LISTS))
    sms.keyword(list, ({ keyword }) => found.push(`${name} ${keyword}`));
  await sms.receive(post({ message }));
  return found;
}

async function isFound(pattern: KeywordPattern, fields: Record<string, unknown>): Promise<boolean> {
  const { sms } = recorder();
  const handler = jest.fn();
  sms.keyword(pattern, handler).on("unmatched", () => undefined);
  await sms.receive(post(fields));
  return handler.mock.calls.length > 0;
}

describe("OPT_OUT", () => {
  it.each([
    ...[
      "stop",
      "STOP.",
      "Stop.Thank you",
      "STOP,please",
      "STOP/END",
      "stop...dont text me",
      "STOP:ACME",
      "stop - no more",
    ],
    ...[
      "please stop",
      "Hi stop",
      "No, stop",
      "ok pls stop",
      "stop please thank you",
      "STOP 🙏",
      "stop now",
      "Stop texts",
    ],
    ...["stop it I said", "stop sending me this", "stop promotional sms to me", "\0S\0T\0O\0P", "ＳＴＯＰ", "STÓP"],
    ...["STOPALL", "stop all", "unsubscribe me at once", "UNSUB", "OPTOUT", "opt out", "opt-out of it", "opt me out"],
    ...["Stop-All", "un-subscribe", "Un subscribe me"],
    ...["Cancel please", "cancel my subscription", "END", "quit", "REVOKE", "remove", "remove me", "remove my number"],
    ...[
      "take me off your list",
      "DND",
      "do not disturb",
      "dont text me",
      "Don’t send me any more texts",
      "don't message",
    ],
    ...["I want to opt out", "stop the msgs pls", "STOP STOP STOP", "🛑 STOP 🛑", "no thanks, stop", "stop msging me"],
    ...[
      "good morning, stop",
      "S T O P",
      "S.T.O.P",
      "please s.t.o.p.",
      "s-t-o-p",
      "S\u2011T\u2011O\u2011P now",
      "s_t_o_p sending",
      "un subscribe",
      "delete my number from your database",
      "I dont want these msgs",
    ],
    ...["do not send sms", "leave me alone", "arret", "Arrêt", "kindly remove me from your list"],
  ])("matches %j", async (message) => {
    expect(await listsOf(message)).toMatchObject([expect.stringMatching(/^OPT_OUT /)]);
  });

  it.each([
    "End of the month works for me",
    "Cancel my 3pm and book 5pm",
    "Quit smoking course details",
    "Remove the sofa from my order",
    "DND tower, 3rd floor",
    "stop-gap",
    "stopper",
    "S.T.O.P. is our safety programme",
    "s-t-o-p by tomorrow",
    "S, T and O, or P",
    "size S top",
    "S T O P Q R",
    "s-t-o-pp",
  ])("does not match %j", async (message) => {
    expect((await listsOf(message)).filter((found) => found.startsWith("OPT_OUT"))).toEqual([]);
  });

  it("matches after the console's keyword, and beside it", async () => {
    const { sms } = recorder();
    const found: unknown[] = [];
    sms.keyword(OPT_OUT, ({ by }, { optOut }) => found.push(["OPT_OUT", by, optOut]));
    sms.keyword("ACME", ({ by }, { optOut }) => found.push(["ACME", by, optOut]));
    await sms.receive(post({ message: "ACME STOP", keyword: "ACME" }));
    await sms.receive(post({ message: "acme please stop", keyword: "ACME" }));
    expect(found).toEqual([
      ...[
        ["OPT_OUT", "rest", true],
        ["ACME", "text", true],
      ],
      ...[
        ["OPT_OUT", "rest", true],
        ["ACME", "text", true],
      ],
    ]);
  });

  it("leaves it to the text whether the console's keyword opts out", async () => {
    expect(await isFound(OPT_OUT, { message: "stop by tomorrow at five", keyword: "STOP" })).toBe(false);
    expect(await isFound(OPT_OUT, { message: "what?", keyword: "STOP" })).toBe(false);
    expect(await isFound(OPT_OUT, { message: "", keyword: "STOP" })).toBe(true);
    const { sms } = recorder();
    const found: string[] = [];
    sms.keyword(OPT_OUT, ({ by }) => found.push(by));
    const query = { source: "1", recipient: "2", keyword: "STOP" };
    await sms.receive({ method: "GET", query: { id: "1", ...query } });
    await sms.receive({ method: "GET", query: { id: "2", ...query, "parts[1]": "hello" } });
    await sms.receive({
      method: "GET",
      query: { id: "3", ...query, "parts[1]": "STOP", "parts[2]": "by", "parts[3]": "five" },
    });
    expect(found).toEqual(["field", "field"]);
  });

  it("is extended by the strings of its array", async () => {
    const { sms } = recorder();
    const found: unknown[] = [];
    sms.keyword([[OPT_OUT, "BAND KARO"]], ({ keyword }, { optOut }) => found.push([keyword, optOut]));
    sms.keyword(POSSIBLE_OPT_OUT, ({ keyword }) => found.push(keyword));
    await sms.receive(post({ message: "band karo stop" }));
    await sms.receive(post({ message: "stop" }));
    expect(found).toEqual([
      ["BAND KARO", true],
      ["STOP", true],
    ]);
  });

  it("gives way to a longer keyword of the user's, and a person reads it", async () => {
    const { sms } = recorder();
    const found: unknown[] = [];
    sms.keyword(OPT_OUT, () => found.push("OPT_OUT"));
    sms.keyword("STOP DELIVERY", (_, { optOut }) => found.push(["STOP DELIVERY", optOut]));
    sms.keyword(POSSIBLE_OPT_OUT, () => found.push("POSSIBLE_OPT_OUT"));
    await sms.receive(post({ message: "stop delivery" }));
    expect(found).toEqual([["STOP DELIVERY", false], "POSSIBLE_OPT_OUT"]);
  });

  it("runs once with a keyword of the same spelling", async () => {
    const { sms, keywords } = recorder();
    const handler = jest.fn();
    sms.keyword(["STOP", OPT_OUT], handler);
    await sms.receive(post({ message: "stop" }));
    expect(handler).toHaveBeenCalledTimes(1);
    await sms.receive(post({ message: "stop by tomorrow at five" }));
    expect(handler).toHaveBeenCalledTimes(2);
    expect(keywords).toHaveLength(2);
  });
});

describe("optOut", () => {
  it("is true in every handler of a message that opts out, also if OPT_OUT is not registered", async () => {
    const { sms } = recorder();
    const seen: unknown[] = [];
    sms.on("message", (_, { optOut }) => seen.push(["message", optOut]));
    sms.on("unmatched", (_, { optOut }) => seen.push(["unmatched", optOut]));
    sms.on("duplicate", (_, { optOut }) => seen.push(["duplicate", optOut]));
    sms.on("error", (_, { optOut }) => seen.push(["error", optOut]));
    sms.keyword("FAIL", () => Promise.reject(new Error("no")));
    await sms.receive(post({ id: "1", message: "please stop" }));
    await sms.receive(post({ id: "1", message: "please stop" }));
    await sms.receive(post({ message: "FAIL stop", keyword: "FAIL" }));
    await sms.receive(post({ message: "don't stop" }));
    expect(seen).toEqual([
      ...[
        ["message", true],
        ["unmatched", true],
      ],
      ["duplicate", true],
      ["message", true],
      ["error", true],
      ...[
        ["message", false],
        ["unmatched", false],
      ],
    ]);
  });
});

describe("POSSIBLE_OPT_OUT", () => {
  it.each([
    ["Stop by tomorrow at five", "STOP"],
    ["Stop my EMI please", "STOP"],
    ["Yes, but please stop texting after 9pm", "STOP"],
    ["I want this to STOPPP", "STOP"],
    ["stop cheque", "STOP"],
    ["i no longer wish to get this", "NO LONGER WISH"],
    ["plz STPO", "STOP"],
    ["I said S.T.O.P. already", "S T O P"],
    ["S T O P calling my mother", "S T O P"],
    ["why don't you s-t-o-p this", "S-T-O-P"],
    ["and s_t_o_p", "S_T_O_P"],
    ["how do I unsubscribe", "UNSUB"],
    ["how can i opt out", "OPT OUT"],
    ["who is this? remove me", "REMOVE ME"],
    ["you, don’t text me", "DON'T TEXT"],
    ["no more msgs", "NO MORE"],
    ["Wrong number", "WRONG NUMBER"],
    ["not interested, thanks", "NOT INTERESTED"],
    ["I will block you", "BLOCK"],
    ["this is spam", "SPAM"],
    ["deactivate it", "DEACTIVATE"],
  ])("matches %j", async (message, word) => {
    expect(await listsOf(message)).toEqual([`POSSIBLE_OPT_OUT ${word}`]);
  });

  it.each(["S, T and O, or P", "sizes S, T or P", "size S top", "a bus s to p", "get-s-t-o-p-ped", "s-t-o-pp"])(
    "does not match %j",
    async (message) => {
      expect(await listsOf(message)).toEqual([]);
    },
  );

  it("matches beside another keyword, but not beside OPT_OUT", async () => {
    const { sms, keywords } = recorder();
    sms.keyword("YES", () => undefined).keyword(POSSIBLE_OPT_OUT, () => undefined);
    await sms.receive(post({ message: "Yes, but stop texting" }));
    await sms.receive(post({ message: "please stop" }));
    expect(keywords.map(({ keyword, rest }) => [keyword, rest])).toEqual([
      ["YES", "but stop texting"],
      ["STOP", "Yes, but stop texting"],
    ]);
  });

  it("says what follows a word at the head of the text", async () => {
    const { sms, keywords } = recorder();
    sms.keyword([POSSIBLE_OPT_OUT], () => undefined);
    await sms.receive(post({ message: "stop by tomorrow" }));
    expect(keywords).toMatchObject([{ keyword: "STOP", by: "text", rest: "by tomorrow", args: ["by", "tomorrow"] }]);
  });

  it("is asked for by a warning where only OPT_OUT is registered", async () => {
    const made = (): ReturnType<typeof incomingSms> =>
      incomingSms({ authenticate: false }).keyword(OPT_OUT, () => undefined);
    const [heard, scoped] = [made(), made()];
    heard.on("unmatched", () => undefined);
    scoped.recipient("5050").keyword(POSSIBLE_OPT_OUT, () => undefined);
    incomingSms({ authenticate: false }).keyword([/stop/i, "STOP"], () => undefined);
    const handler = (): void => undefined;
    incomingSms({ authenticate: false }).keyword(OPT_OUT, handler).off("keyword", OPT_OUT, handler);
    await setImmediate();
    expect(warnings).not.toContain(UNHEARD);
    made().keyword(OPT_OUT, () => undefined);
    await setImmediate();
    expect(warnings.filter((code) => code === UNHEARD)).toHaveLength(1);
  });
});

describe("OPT_IN", () => {
  it.each([
    "start",
    "START!",
    "UNSTOP",
    "subscribe please",
    "optin",
    "Opt in.",
    "opt-in",
    "please start now",
    "START 👍",
  ])("matches %j", async (message) => {
    expect(await listsOf(message)).toEqual([expect.stringMatching(/^OPT_IN /)]);
  });

  it.each([
    "Start delivery at 6pm",
    "Yes",
    "YES START",
    "START STOP",
    "Subscribe me to the news",
    "restart",
    "opt in later",
  ])("does not match %j", async (message) => {
    expect((await listsOf(message)).filter((found) => found.startsWith("OPT_IN"))).toEqual([]);
  });

  it("matches after the console's keyword only if nothing else follows", async () => {
    expect(await isFound(OPT_IN, { message: "ACME START", keyword: "ACME" })).toBe(true);
    expect(await isFound(OPT_IN, { message: "START it at six", keyword: "START" })).toBe(false);
  });
});

it("HELP matches HELP with more behind it, and INFO alone", async () => {
  expect(await listsOf("help me")).toEqual(["HELP HELP"]);
  expect(await listsOf("info please")).toEqual(["HELP INFO"]);
  expect(await listsOf("AIDE")).toEqual(["HELP AIDE"]);
  expect(await listsOf("info about the plan")).toEqual([]);
});

describe("alone", () => {
  it("matches if nothing else was typed, apart from marks, emoji, thanks and courtesies", async () => {
    const pattern = alone("YES", "CONFIRM ORDER");
    for (const message of [
      "yes",
      "Yes!",
      "yes please",
      "ok yes 👍",
      "YES thank you",
      "yes now",
      "hi, yes",
      "confirm order.",
    ])
      expect([message, await isFound(pattern, { message })]).toEqual([message, true]);
    for (const message of ["yes but", "yes 5", "oh yes", "yes +", "confirm order 12"])
      expect([message, await isFound(pattern, { message })]).toEqual([message, false]);
  });

  it("is told by the text also where the console has the keyword", async () => {
    expect(await isFound(alone("YES"), { message: "yes but later", keyword: "YES" })).toBe(false);
    expect(await isFound(alone("YES"), { message: "", keyword: "YES" })).toBe(true);
    expect(await isFound(alone("?"), { message: "?" })).toBe(true);
    expect(await isFound(alone("?"), { message: "? what" })).toBe(false);
  });

  it("runs beside a keyword of the same word", async () => {
    const { sms, keywords } = recorder();
    const found: string[] = [];
    sms.keyword("YES", () => found.push("string")).keyword(alone("yes"), () => found.push("alone"));
    await sms.receive(post({ message: "yes" }));
    await sms.receive(post({ message: "yes sir" }));
    await sms.receive(post({ message: "ok yes" }));
    expect(found).toEqual(["string", "alone", "string", "alone"]);
    expect(keywords).toHaveLength(3);
  });

  it("throws a TypeError for no word, and for one that is no string", () => {
    expect(() => alone()).toThrow("alone() needs at least one word.");
    expect(() => alone("")).toThrow("A keyword needs at least one character that can be seen.");
    expect(() => alone(1 as never)).toThrow("A keyword is a string, a RegExp or an array of these, not number.");
  });

  it("is removed by another one of the same words", async () => {
    const { sms } = recorder();
    const [handler, kept] = [jest.fn(), jest.fn()];
    sms.keyword([alone("YES"), [OPT_OUT, POSSIBLE_OPT_OUT]], handler).keyword("YES", kept);
    sms.off("keyword", "YES", handler).off("keyword", alone("yes"), handler).off("keyword", [OPT_OUT], handler);
    for (const message of ["yes", "stop"]) await sms.receive(post({ message }));
    expect([handler.mock.calls.length, kept.mock.calls.length]).toEqual([0, 1]);
    await sms.receive(post({ message: "please stop by" }));
    expect(handler).toHaveBeenCalledTimes(1);
    sms.off("keyword", POSSIBLE_OPT_OUT, handler);
    await sms.receive(post({ message: "please stop by" }));
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

it("has its words in the lists, which cannot be changed", () => {
  expect(OPT_OUT.words).toEqual(expect.arrayContaining(["STOP", "OPT-OUT", "DON'T TEXT", "ARRET", "REMOVE MY NUMBER"]));
  expect(POSSIBLE_OPT_OUT.words).toEqual(expect.arrayContaining(["STOP", "UNSUB", "NO MORE", "SPAM"]));
  expect(OPT_IN.words).toEqual(["START", "UNSTOP", "SUBSCRIBE", "OPTIN", "OPT IN", "OPT-IN"]);
  expect(HELP.words).toEqual(["HELP", "INFO", "AIDE"]);
  for (const list of [...Object.values(LISTS), alone("YES")]) {
    expect([Object.isFrozen(list), Object.isFrozen(list.words), new Set(list.words).size]).toEqual([
      true,
      true,
      list.words.length,
    ]);
  }
});
