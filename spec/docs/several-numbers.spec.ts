// docs/several-numbers.md: its example, and which handlers run.

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { OPT_OUT } from "express-kaleyra-sms";
import { subscriber } from "express-kaleyra-sms/testing";

import { recorder } from "../support/recorder";
import { readPage } from "./page";

const PAGE = readPage("docs/several-numbers.md");
const CLUB = "+919812345678";

it("has an example in which each number has its own handlers, and the router's run for all", async () => {
  const { sms } = recorder();
  const done: string[] = [];
  const optOut = (source: string): unknown => done.push(`out ${source}`);
  const join = (source: string, to: string): unknown => done.push(`${to} ${source}`);
  runInNewContext(PAGE.block("ts", "OPT_OUT"), { sms, OPT_OUT, optOut, join });
  await subscriber(sms, { recipient: CLUB }).text("Join");
  await runInNewContext(`(async () => { ${PAGE.block("ts", "subscriber")} })()`, { sms, subscriber });
  await subscriber(sms, { recipient: "5050" }).text("stop");
  await subscriber(sms, { recipient: "6060" }).text("join");
  const source = "+919876543210";
  expect(done).toEqual([`the club ${source}`, `the newsletter ${source}`, `out ${source}`]);
});

describe("as the page says,", () => {
  it("the longest keyword of both wins, and one that both have is one match", async () => {
    const { sms, keywords } = recorder();
    const done: string[] = [];
    sms.keyword("JOIN", () => done.push("router JOIN")).keyword("NEWS", () => done.push("router NEWS"));
    sms
      .recipient(CLUB)
      .keyword("JOIN GOLD", () => done.push("number JOIN GOLD"))
      .keyword("NEWS", () => done.push("number NEWS"));
    await subscriber(sms, { recipient: CLUB }).text("join gold");
    await subscriber(sms, { recipient: CLUB }).text("news");
    expect(done).toEqual(["number JOIN GOLD", "router NEWS", "number NEWS"]);
    expect(keywords).toHaveLength(2);
  });

  it("both emit unmatched if no keyword of either matched, and neither if one did", async () => {
    const { sms } = recorder();
    const done: string[] = [];
    sms.keyword("JOIN", () => undefined).on("unmatched", ({ text }) => done.push(`router ${text}`));
    sms.recipient([CLUB, "5050"]).on("unmatched", ({ text }) => done.push(`number ${text}`));
    await subscriber(sms, { recipient: "5050" }).text("hello");
    await subscriber(sms, { recipient: "5050" }).text("join");
    expect(done).toEqual(["router hello", "number hello"]);
  });

  it("a number may be written in any form", async () => {
    const forms = Array.from(/^In any form: (.*) are the same/m.exec(PAGE.text)?.[1]?.matchAll(/`"(.*?)"`/g) ?? []);
    expect(forms).toHaveLength(3);
    for (const [, form = ""] of forms) {
      const { sms } = recorder();
      const recipients: string[] = [];
      sms.recipient(form).on("message", ({ recipient }) => recipients.push(recipient));
      await subscriber(sms, { recipient: CLUB }).text("hello");
      expect(recipients).toEqual([CLUB]);
    }
  });
});
