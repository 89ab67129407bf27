// Keyword matching: the keyword of a message, the place where it is found, and the words that follow it.

import { runInNewContext } from "node:vm";
import { describe, expect, it, jest } from "@jest/globals";
import { OPT_OUT, POSSIBLE_OPT_OUT, type KeywordPattern } from "express-kaleyra-sms";

import { callback, post } from "../support/callbacks";
import { recorder } from "../support/recorder";

type Matches = ReadonlyArray<{ keyword: string; by: string; args: readonly string[]; rest: string }>;

/** The keyword events that one message causes. */
async function matchesOf(patterns: readonly KeywordPattern[], fields: Record<string, unknown>): Promise<Matches> {
  const { sms, keywords, invalid, errors } = recorder();
  for (const pattern of patterns) sms.keyword(pattern, () => undefined);
  await sms.receive(post(fields));
  expect([invalid, errors]).toEqual([[], []]);
  return keywords.map(({ keyword, by, args, rest }) => ({ keyword, by, args, rest }));
}

/** Whether a message matches a pattern. */
async function matches(pattern: string, message: string): Promise<boolean> {
  return (await matchesOf([pattern], { message })).length === 1;
}

/** What this process has computed: other specs run beside it, so that the time on the wall says less. */
function cpuMsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}

it.each([
  ["STOP", "STOP"],
  ["STOP", "stop"],
  ["stop", "Stop."],
  ["STOP", " stop "],
  ["STOP", "stop it"],
  ["STOP", "\tstop\r\nit"],
  ["STOP", '"STOP"'],
  ["STOP", "¡Stop!"],
  ["STOP", "... stop"],
  ["STOP", "- stop"],
  ["STOP", "stop\u00a0now"],
  ["STOP", "stop\u0085now"],
  ["STOP", "ＳＴＯＰ"],
  ["STOP", "stop\u200b"],
  ["STOP", "\ufeffstop"],
  ["STOP", "\u200estop"],
  ["JOIN GOLD", "join gold now"],
  ["join   gold", "JOIN\nGOLD"],
  ["JOIN GOLD", "JOIN - GOLD!"],
  ["JOIN-GOLD", "join-gold"],
  ["रोको", "रोको अभी"],
  ["Straße", "STRASSE"],
  ["STRAẞE", "strasse"],
  ["ΣΤΟΠ ΟΔΟΣ", "στοπ οδος"],
  ["CAFÉ", "cafe\u0301"],
  ["👍", "👍 yes"],
  ["❤", "❤️"],
  ["INFO", "info"],
  ["İNFO", "info"],
  ["info", "İNFO"],
  ["ınfo", "INFO"],
  ["INFO", "ınfo"],
  ["INFO", "i\u0307nfo"],
  ["1", "1"],
  ["?", "?"],
  ["?", " ? now"],
  ["!!!", "!!!"],
  ["STOP", "STOP🙏"],
  ["STOP", "<stop>"],
  ["STOP", "~stop~"],
  ["STOP", "`stop`"],
  ["STOP", "stop|"],
  ["STOP", "stop\u0000"],
  ["STOP", `stop${"!".repeat(300)}`],
  ["STOP", "ⓈⓉⓄⓅ"],
  ["DON'T", "don’t"],
  ["A+", "a+ please"],
  ["🙏🏽", "🙏🏽"],
  ["🙏", "🙏🏽"],
  ["👍🏽", "👍!"],
  ["1", "1️⃣"],
  ["STOP", "\u0000S\u0000T\u0000O\u0000P"],
  ["STOP", "S\u00adT\u200dO\ufe0fP"],
  ["STOP", "Stop.Thank you"],
  ["STOP", "STOP/END"],
  ["STOP", "stop...no"],
  ["STOP", "stop--gap"],
  ["STOP", "🙏STOP"],
  ["STOP", "stop-1"],
  ["JOIN GOLD", "JOIN,GOLD"],
  ["JOIN GOLD", "join🙏gold"],
  ["ARRÊT", "arret"],
  ["ARRET", "arrêt"],
  ["NÃO", "NAO"],
  ["WYŁĄCZ", "wylacz"],
  ["DỪNG", "DUNG"],
  ["DUNG", "Dùng"],
  ["ΣΤΟΠ", "ΣTOΠ"],
  ["СТОП", "CTOП"],
  ["STOP", "SТOP"],
  ["ΌΧΙ", "οχι"],
  ["ЁЛКА", "елка"],
  ["OPT-OUT", "opt‑out"],
  ["VOTE*3", "vote*3"],
  ["24/7", "24/7 help"],
  ["DON'T", "DON‘T"],
  ["DON'T", "don´t"],
  ["DON'T", "don`t"],
  ["DON'T", "don′t"],
  ["DON´T", "don't"],
  ["$5", "$5 please"],
  ["10:30", "10:30"],
  [`${"a".repeat(300)}é`, `${"A".repeat(300)}É`],
])("finds %j in %j", async (pattern, text) => {
  expect(await matches(pattern, text)).toBe(true);
});

it.each([
  ["STOP", "STOPPED"],
  ["STOP", "please stop"],
  ["STOP", "S TOP"],
  ["STOP", "st.op"],
  ["STOP", ""],
  ["STOP", "   "],
  ["JOIN GOLD", "JOIN"],
  ["JOIN GOLD", "JOIN SILVER GOLD"],
  ["JOIN GOLD", "JOINGOLD"],
  ["रोको", "रोक"],
  ["👍", "👎"],
  ["?", "!"],
  ["?", "what?"],
  ["!!!", "!"],
  ["A", "A+"],
  ["PIZZA", "🍕 pizza"],
  ["DON", "don't"],
  ["STOP", "stop-gap"],
  ["STOP", "stop_all"],
  ["3", "3.5"],
  ["10", "10:30"],
  ["5", "$5"],
  ["5", "5€"],
  ["A", "A<B"],
  ["VOTE*3", "vote 3"],
  ["24/7", "24 7"],
  ["DỪNG", "Dùng"],
  ["ARRÊT", "arrét"],
  ["Й", "и"],
  ["COM", "СОМ"],
  ["कि", "क"],
  ["JOIN GOLD", "JOIN 👍 GOLD"],
])("does not find %j in %j", async (pattern, text) => {
  expect(await matches(pattern, text)).toBe(false);
});

it("throws a TypeError for a keyword without a visible character, and for a value that is no pattern", () => {
  const { sms } = recorder();
  for (const empty of ["", " ", "\u200b", ["STOP", ""]]) {
    expect(() => sms.keyword(empty, () => undefined)).toThrow(/at least one character/);
  }
  for (const { wrong, is } of [
    { wrong: undefined, is: "undefined" },
    { wrong: 1, is: "number" },
    { wrong: null, is: "null" },
    { wrong: {}, is: "object" },
    { wrong: ["STOP", 1], is: "number" },
  ]) {
    expect(() => sms.keyword(wrong as never, () => undefined)).toThrow(
      `A keyword is a string, a RegExp or an array of these, not ${is}.`,
    );
  }
});

describe("a keyword that was typed without its accents", () => {
  it("gives way to one that is typed as registered, however short", async () => {
    expect(await matchesOf(["CAFÉ GOLD", "CAFE"], { message: "cafe gold" })).toMatchObject([{ keyword: "CAFE" }]);
    expect(await matchesOf(["CAFE", "CAFÉ"], { message: "café" })).toMatchObject([{ keyword: "CAFÉ" }]);
  });

  it("is the longest, and of several that fold alike the first registered", async () => {
    expect(await matchesOf(["ARRÊT", "ARRÉT", "ARRÊT TOUT"], { message: "arret" })).toMatchObject([
      { keyword: "ARRÊT" },
    ]);
    expect(await matchesOf(["ARRÊT", "ARRÉT", "ARRÊT TOUT"], { message: "arret tout!" })).toMatchObject([
      { keyword: "ARRÊT TOUT" },
    ]);
  });

  it("is the first registered also where another begins a longer one", async () => {
    const keywords = ["STOP ALL", "STØP", "STOP"];
    expect(await matchesOf(keywords, { message: "hello", keyword: "śtøṕ" })).toMatchObject([{ keyword: "STØP" }]);
    expect(await matchesOf(keywords, { message: "śtøṕ" })).toMatchObject([{ keyword: "STØP" }]);
  });

  it("is found as the console's keyword, and after it", async () => {
    expect(await matchesOf(["ARRÊT"], { message: "bonjour", keyword: "arret" })).toMatchObject([
      { keyword: "ARRÊT", by: "field" },
    ]);
    expect(await matchesOf(["ARRÊT"], { message: "acme arret", keyword: "ACMÉ" })).toMatchObject([
      { keyword: "ARRÊT", by: "rest" },
    ]);
  });

  it("is removed by off, and leaves its neighbours", async () => {
    const { sms } = recorder();
    const [removed, kept] = [jest.fn(), jest.fn()];
    sms.keyword("ARRÊT", removed).keyword("ARRÉT", kept).off("keyword", "ARRÊT", removed);
    await sms.receive(post({ message: "arret" }));
    sms.off("keyword", "ARRÉT", kept);
    await sms.receive(post({ message: "arret" }));
    expect([removed.mock.calls.length, kept.mock.calls.length]).toEqual([0, 1]);
  });
});

describe("the rest", () => {
  it.each([
    ["JOIN", "JOIN,GOLD", "GOLD"],
    ["VOTE", "VOTE*3", "3"],
    ["REG", "REG#4711#Asha", "4711#Asha"],
    ["TEMP", "TEMP -5", "-5"],
    ["TEMP", "temp.  -5 today", "-5 today"],
    ["JOIN", 'join "the gold"', '"the gold"'],
    ["STOP", "STOP🙏 thanks", "thanks"],
    ["STOP", "(stop) it", "it"],
    ["PRICE", "PRICE $5", "$5"],
    ["VOTE*3", "vote*3*4", "4"],
    ["STOP", "stop!", ""],
  ])("of %j in %j is %j", async (keyword, message, rest) => {
    expect(await matchesOf([keyword], { message })).toMatchObject([
      { keyword, rest, args: rest.split(" ").filter(Boolean) },
    ]);
  });
});

describe("a phrase with marks in it", () => {
  it("wins over its beginning", async () => {
    expect(await matchesOf(["VOTE", "VOTE*3"], { message: "vote*3" })).toMatchObject([{ keyword: "VOTE*3" }]);
    expect(await matchesOf(["VOTE 3", "VOTE*3"], { message: "vote*3" })).toMatchObject([{ keyword: "VOTE*3" }]);
    expect(await matchesOf(["VOTE 3", "VOTE*3"], { message: "vote 3" })).toMatchObject([{ keyword: "VOTE 3" }]);
    expect(await matchesOf(["VOTE 3", "VOTE*3"], { message: "vote/3" })).toMatchObject([{ keyword: "VOTE 3" }]);
  });
});

describe("the search in text, rest and field", () => {
  it("prefers the longest keyword", async () => {
    const patterns = ["JOIN", "JOIN GOLD", "JOIN GOLD CLUB"];
    expect(await matchesOf(patterns, { message: "join gold now" })).toEqual([
      { keyword: "JOIN GOLD", by: "text", args: ["now"], rest: "now" },
    ]);
    expect(await matchesOf(patterns, { message: "join" })).toMatchObject([{ keyword: "JOIN" }]);
  });

  it("finds a STOP after the console's keyword", async () => {
    const fields = { message: "ACME stop,  now please", keyword: "acme" };
    expect(await matchesOf([OPT_OUT], fields)).toEqual([
      { keyword: "STOP", by: "rest", args: ["now", "please"], rest: "now please" },
    ]);
    expect(await matchesOf(["ACME", OPT_OUT], fields)).toEqual([
      { keyword: "ACME", by: "text", args: ["stop,", "now", "please"], rest: "stop,  now please" },
      { keyword: "STOP", by: "rest", args: ["now", "please"], rest: "now please" },
    ]);
  });

  it("finds a STOP that does not follow the console's keyword", async () => {
    expect(await matchesOf([OPT_OUT, "ACME"], { message: "STOP", keyword: "ACME" })).toEqual([
      { keyword: "STOP", by: "text", args: [], rest: "" },
      { keyword: "ACME", by: "field", args: ["STOP"], rest: "STOP" },
    ]);
  });

  it("finds a keyword in the console's keyword only if it is all of it", async () => {
    expect(await matchesOf(["JOIN"], { message: "hello", keyword: "JOIN GOLD" })).toEqual([
      { keyword: "JOIN GOLD", by: "field", args: ["hello"], rest: "hello" },
    ]);
    expect(await matchesOf(["join gold"], { message: "  hello ", keyword: "Join Gold." })).toEqual([
      { keyword: "join gold", by: "field", args: ["hello"], rest: "  hello " },
    ]);
  });

  it("finds keywords of a single character and of punctuation", async () => {
    expect(await matchesOf(["A", "B"], { message: "A b", keyword: "A" })).toEqual([
      { keyword: "A", by: "text", args: ["b"], rest: "b" },
      { keyword: "B", by: "rest", args: [], rest: "" },
    ]);
    expect(await matchesOf(["1", "VOTE"], { message: "1", keyword: "VOTE" })).toEqual([
      { keyword: "1", by: "text", args: [], rest: "" },
      { keyword: "VOTE", by: "field", args: ["1"], rest: "1" },
    ]);
    // The match has the registered spelling.
    expect(await matchesOf(["…"], { message: "hello", keyword: "..." })).toEqual([
      { keyword: "…", by: "field", args: ["hello"], rest: "hello" },
    ]);
  });

  it("does not find a keyword in the field if the text has only its first words", async () => {
    expect(await matchesOf(["STOP"], { message: "stop", keyword: "STOP NOW" })).toEqual([
      { keyword: "STOP", by: "text", args: [], rest: "" },
    ]);
  });

  it("returns a keyword once if several places have it", async () => {
    expect(await matchesOf(["ACME"], { message: "acme ACME", keyword: "Acme" })).toEqual([
      { keyword: "ACME", by: "text", args: ["ACME"], rest: "ACME" },
    ]);
  });

  it("returns the callback's own keyword if it is not registered", async () => {
    const { sms, keywords, unmatched } = recorder();
    await sms.receive(post({ message: "ACME hello", keyword: "ACME" }));
    expect(keywords).toMatchObject([{ keyword: "ACME", by: "field", args: ["hello"], rest: "hello" }]);
    expect(unmatched).toEqual([]);
    sms.keyword("STOP", () => undefined);
    await sms.receive(post({ message: "hello", keyword: "ACME" }));
    expect(keywords[1]).toMatchObject({ keyword: "ACME", by: "field", args: ["hello"], rest: "hello" });
    expect(unmatched).toHaveLength(1);
    await sms.receive(post({ message: "hello" }));
    expect(keywords).toHaveLength(2);
    expect(unmatched).toHaveLength(2);
  });
});

describe("a callback without a text", () => {
  it.each([
    ["the keyword", { keyword: "STOP" }, { keyword: "STOP", by: "field", args: [], rest: "" }],
    [
      "the parts",
      { "parts[1]": "stop", "parts[2]": "now" },
      { keyword: "STOP", by: "text", args: ["now"], rest: "now" },
    ],
    [
      "both",
      { keyword: "stop", "parts[1]": "STOP", "parts[2]": "now" },
      { keyword: "STOP", by: "field", args: ["now"], rest: "now" },
    ],
    [
      "the parts after the keyword",
      { keyword: "ACME", "parts[1]": "ACME", "parts[2]": "STOP" },
      { keyword: "STOP", by: "rest", args: [], rest: "" },
    ],
  ])("is matched by %s", async (_, fields, match) => {
    const { sms, keywords } = recorder();
    sms.keyword("STOP", () => undefined);
    await sms.receive({ method: "GET", query: { id: "1", source: "1", recipient: "2", ...fields } });
    expect(keywords).toMatchObject([match]);
  });
});

describe("a RegExp", () => {
  it("is tried against the text, and the keyword is the text that it matched", async () => {
    expect(await matchesOf([/^pay\s+\d+/i, /\bnow\b/, /never/], { message: " Pay 50  to Bob now" })).toEqual([
      { keyword: "now", by: "text", args: ["Pay", "50", "to", "Bob", "now"], rest: " Pay 50  to Bob now" },
    ]);
    expect(await matchesOf([/pay\s+\d+/i], { message: " Pay 50  to Bob" })).toEqual([
      { keyword: "Pay 50", by: "text", args: ["to", "Bob"], rest: "to Bob" },
    ]);
    expect(await matchesOf([/\d+/], { message: "a1 b" })).toEqual([
      { keyword: "1", by: "text", args: ["a1", "b"], rest: "a1 b" },
    ]);
  });

  it("keeps no state between messages, whatever its flags", async () => {
    const { sms, keywords } = recorder();
    const pattern = /stop/gi;
    pattern.lastIndex = 3;
    sms.keyword([pattern, /hello/y], () => undefined);
    for (let n = 0; n < 3; n++) await sms.receive(post({ message: "please stop" }));
    await sms.receive(post({ message: "say hello" }));
    for (let n = 0; n < 2; n++) await sms.receive(post({ message: "hello" }));
    expect(keywords.map(({ keyword }) => keyword)).toEqual(["stop", "stop", "stop", "hello", "hello"]);
    expect(pattern.lastIndex).toBe(3);
  });
});

describe("a keyword", () => {
  it("with two handlers calls both, in order", async () => {
    const { sms, keywords } = recorder();
    const calls: number[] = [];
    sms.keyword("STOP", () => calls.push(1)).keyword("stop.", () => calls.push(2));
    await sms.receive(post({ message: "stop" }));
    expect(calls).toEqual([1, 2]);
    expect(keywords).toHaveLength(1);
  });

  it("is removed by off, pattern by pattern", async () => {
    const { sms, unmatched } = recorder();
    const handler = jest.fn();
    const words = ["STOP", "QUIT"];
    sms.keyword(words, handler).keyword(/stop/, handler).keyword("?", handler);
    sms.off("keyword", "stop", handler).off("keyword", /stop/, handler).off("keyword", "?", handler);
    sms.off("keyword", "stop", handler).off("keyword", /other/, handler).off("keyword", "NONE", handler);
    for (const message of ["stop", "?", "quit"]) await sms.receive(post({ message }));
    expect(handler).toHaveBeenCalledTimes(1);
    expect(unmatched).toHaveLength(2);
    sms.off("keyword", words, handler);
    await sms.receive(post({ message: "quit" }));
    expect(unmatched).toHaveLength(2);
  });

  it("keeps its other handlers if off removes one", async () => {
    const { sms } = recorder();
    const [removed, kept, longer] = [jest.fn(), jest.fn(), jest.fn()];
    sms.keyword("STOP", removed).keyword("STOP", kept).keyword("STOP NOW", longer);
    sms.off("keyword", "STOP", jest.fn()).off("keyword", "STOP", removed);
    await sms.receive(post({ message: "stop" }));
    sms.off("keyword", "STOP", kept);
    for (const message of ["stop", "stop now"]) await sms.receive(post({ message }));
    expect([removed, kept, longer].map(({ mock }) => mock.calls.length)).toEqual([0, 1, 1]);
  });

  it("is found among a hundred thousand keywords", async () => {
    const { sms, keywords } = recorder();
    sms.keyword(
      Array.from({ length: 100_000 }, (_, n) => `word${n} ${n % 7 === 0 ? "and more" : ""}`),
      () => undefined,
    );
    for (const message of ["word0 and more", "WORD99999", "word42 and", "word42 and MORE of it", "word100000"]) {
      await sms.receive(post({ message }));
    }
    expect(keywords.map(({ keyword }) => keyword.trim())).toEqual(["word0 and more", "word99999", "word42 and more"]);
  });
});

it("treats several spellings in one array as one keyword", async () => {
  const { sms, keywords } = recorder();
  const called: string[] = [];
  sms.keyword(["STOP", "Stop", "stop."], ({ keyword }) => called.push(keyword));
  await sms.receive(post({ message: "stop" }));
  expect(called).toEqual(["STOP"]);
  expect(keywords).toHaveLength(1);
});

it("registers nothing of an array that has an empty keyword", async () => {
  const { sms, unmatched } = recorder();
  expect(() => sms.keyword(["STOP", ""], () => undefined)).toThrow(TypeError);
  expect(() => sms.keyword([], () => undefined)).toThrow(TypeError);
  sms.keyword("HELP", () => undefined);
  await sms.receive(post({ message: "stop" }));
  expect(unmatched).toHaveLength(1);
});

it("stays fast with texts that are made to slow it down", async () => {
  const { sms, messages } = recorder();
  sms.keyword([OPT_OUT.words.join(" "), "STOP", "?"], () => undefined);
  const long = 39_000;
  const began = process.cpuUsage();
  for (const message of [
    ".".repeat(long) + "x",
    ". ".repeat(long / 2),
    "\u200b".repeat(long),
    "x".repeat(long),
    " ".repeat(long),
  ]) {
    await sms.receive({ method: "POST", body: callback({ message }) });
  }
  expect(messages).toHaveLength(5);
  expect(cpuMsSince(began)).toBeLessThan(2_000);
});

it("stays fast with long words that are made to slow it down", async () => {
  const { sms, messages } = recorder();
  sms.keyword([OPT_OUT, POSSIBLE_OPT_OUT, "?", "ARRÊT"], () => undefined);
  const began = process.cpuUsage();
  for (const unit of ["\ufdfa", "A+", "please-", "<a>", "a'"]) {
    const message = `please ${unit.repeat(160_000 / Buffer.byteLength(unit))}`;
    await sms.receive({ method: "POST", body: callback({ message }) });
    await sms.receive({ method: "POST", body: callback({ message }) });
  }
  expect(messages).toHaveLength(10);
  expect(cpuMsSince(began)).toBeLessThan(1_000);
});

describe("a match", () => {
  it("of a RegExp gives its groups, in their order and by their names", async () => {
    const { sms, keywords } = recorder();
    sms.keyword(/^(?<plan>gold|silver) (\d+)( now)?/i, () => undefined);
    sms.keyword(/^gold/i, () => undefined);
    await sms.receive(post({ message: "Gold 12 please" }));
    expect(keywords).toMatchObject([
      { keyword: "Gold 12", captures: ["Gold", "12", undefined], groups: { plan: "Gold" }, rest: "please" },
      { keyword: "Gold", captures: [] },
    ]);
    expect(keywords[1]).not.toHaveProperty("groups");
  });

  it("of a string has no groups", async () => {
    const { sms, keywords } = recorder();
    sms.keyword("JOIN", () => undefined);
    await sms.receive(post({ message: "join gold" }));
    expect(keywords).toMatchObject([{ captures: [] }]);
    expect(keywords[0]).not.toHaveProperty("groups");
  });

  it("says who wrote what to whom, as its message does", async () => {
    const { sms, keywords } = recorder();
    sms.keyword("JOIN", () => undefined);
    await sms.receive(post({ message: "join", source: "919876543210", recipient: "5050" }));
    expect(keywords).toMatchObject([{ source: "+919876543210", recipient: "5050", text: "join" }]);
    await sms.receive({ method: "GET", query: "id=1&source=919876543210&recipient=5050&keyword=JOIN" });
    expect(keywords[1]).not.toHaveProperty("text");
  });

  it("is frozen, with all that it holds", async () => {
    const { sms, keywords } = recorder();
    sms.keyword(/^(?<word>\w+)/, () => undefined);
    await sms.receive(post({ message: "join gold" }));
    const [match] = keywords;
    expect([match, match?.args, match?.captures, match?.groups].map(Object.isFrozen)).toEqual(Array(4).fill(true));
  });
});

describe("a RegExp that throws", () => {
  // V8 throws for this RegExp on a long text.
  const exhausting = new RegExp(`^(?:${Array.from({ length: 60 }, (_, n) => `(CODE${n})`).join("|")}|.)*$`);
  const exhausted = `STOP ${"x".repeat(163_000)}`;

  it("fails its message as a throwing handler does, and stops no other handler", async () => {
    const { sms, messages, keywords, unmatched, errors } = recorder();
    const called: string[] = [];
    sms
      .keyword(exhausting, () => called.push("exhausting"))
      .keyword("STOP", ({ by }) => called.push(by))
      .keyword(/^STOP/, () => called.push("RegExp"));
    const receipt = await sms.receive(post({ message: exhausted }));
    expect(receipt).toMatchObject({ outcome: "failed", status: 500 });
    expect(JSON.parse(receipt.body)).toMatchObject({ code: "handler-failed" });
    expect(called).toEqual(["text", "RegExp"]);
    expect(errors).toMatchObject([{ event: "keyword", smsMessage: messages[0], attempt: 1, final: true }]);
    expect(errors[0]?.cause).toBeInstanceOf(Error);
    expect([keywords.length, unmatched.length]).toEqual([2, 0]);
    expect(await sms.receive(post({ message: "STOP" }))).toMatchObject({ outcome: "handled" });
  });

  it("reports its failure at the place of its handler in the order", async () => {
    const { sms, errors } = recorder();
    const fail = (): never => {
      throw new Error("no");
    };
    sms
      .on("message", fail)
      .keyword(exhausting, () => undefined)
      .keyword("STOP", fail);
    await sms.receive(post({ message: exhausted }));
    expect(errors.map(({ event, cause }) => [event, (cause as Error).message === "no"])).toEqual([
      ["message", true],
      ["keyword", false],
      ["keyword", true],
    ]);
  });

  it("does not emit unmatched, because it may match", async () => {
    const { sms, keywords, unmatched, errors } = recorder();
    sms.keyword(exhausting, () => undefined);
    await sms.receive(post({ message: exhausted, keyword: "ACME" }));
    expect([keywords.length, unmatched.length, errors.length]).toEqual([0, 0, 1]);
  });
});

it("accepts a RegExp of another realm", async () => {
  const { sms, keywords } = recorder();
  sms.keyword(runInNewContext("/^\\d+$/") as RegExp, () => undefined);
  await sms.receive(post({ message: "123" }));
  expect(keywords).toMatchObject([{ keyword: "123" }]);
});
