// Scopes: handlers for the messages of single business numbers, beside those of the router.

import { describe, expect, it } from "@jest/globals";
import { OPT_OUT } from "express-kaleyra-sms";

import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";

const CLUB = "+919812345678";
const NEWS = "5050";

/** Two numbers, each with its own JOIN, and a STOP for both. */
function clubAndNews() {
  const recorded = recorder();
  const called: string[] = [];
  const note = (name: string) => () => called.push(name);
  const { sms } = recorded;
  sms.keyword(OPT_OUT, note("stop"));
  const club = sms.recipient(CLUB).keyword("JOIN", note("club"));
  const news = sms.recipient(NEWS).keyword("JOIN", note("news"));
  const send = (recipient: string, message: string) => sms.receive(post({ recipient, message }));
  return { ...recorded, called, note, club, news, send };
}

describe("a scope", () => {
  it("has keywords of its own, beside those of the router", async () => {
    const { called, send } = clubAndNews();
    for (const recipient of [CLUB, NEWS]) for (const text of ["join", "STOP"]) await send(recipient, text);
    await send("4711", "join");
    await send("4711", "stop");
    expect(called).toEqual(["club", "stop", "news", "stop", "stop"]);
  });

  it("compares numbers in the form that messages have", async () => {
    const { sms } = recorder({ defaultCountry: "IN" });
    const called: string[] = [];
    sms.recipient(["0091 98123 45678", "98123-45679"]).on("message", ({ recipient }) => called.push(recipient));
    for (const recipient of ["+919812345678", "09812345678", "+91 98123 45679", "919812345670", "VM-KALEYRA"])
      await sms.receive(post({ recipient }));
    expect(called).toEqual(["+919812345678", "+919812345678", "+919812345679"]);
  });

  it("emits its events next to those of the router, in order of registration", async () => {
    const { sms, club, called, note, send } = clubAndNews();
    club
      .on("message", note("club's message"))
      .on("keyword", note("club's keyword"))
      .once("unmatched", note("club's unmatched"));
    sms.on("message", note("message")).on("keyword", note("keyword")).on("unmatched", note("unmatched"));
    await send(CLUB, "join");
    expect(called.splice(0)).toEqual(["club", "club's message", "club's keyword", "message", "keyword"]);
    await send(CLUB, "hello");
    await send(CLUB, "hello");
    expect(called.splice(0)).toEqual([
      "club's message",
      "club's unmatched",
      "message",
      "unmatched",
      "club's message",
      "message",
      "unmatched",
    ]);
    await send(CLUB, "stop");
    expect(called.splice(0)).toEqual(["stop", "club's message", "club's keyword", "message", "keyword"]);
    await send(NEWS, "hello");
    expect(called).toEqual(["message", "unmatched"]);
  });

  it("shares one match with the router for a word that both have, and the longest of both wins", async () => {
    const { sms, club, called, note, keywords, send } = clubAndNews();
    club.keyword("STOP", note("club's stop")).keyword("STOP ALL NOW", note("all now"));
    sms.keyword("join gold", note("gold")).keyword(/^\d+$/, note("digits"));
    club.keyword(/^\d+$/, note("club's digits"));
    await send(CLUB, "stop");
    expect(called.splice(0)).toEqual(["stop", "club's stop"]);
    expect(keywords.splice(0)).toMatchObject([{ keyword: "STOP" }]);
    await send(CLUB, "stop all now");
    expect(called.splice(0)).toEqual(["all now"]);
    await send(CLUB, "join gold");
    expect(called.splice(0)).toEqual(["gold"]);
    await send(CLUB, "4711");
    expect(called.splice(0)).toEqual(["digits", "club's digits"]);
    expect(keywords).toHaveLength(3);
    await sms.receive(post({ recipient: CLUB, keyword: "STOP", message: "stop" }));
    expect(called).toEqual(["stop", "club's stop"]);
  });

  it("takes its handlers out again", async () => {
    const { sms } = recorder();
    const called: string[] = [];
    const handler = (): number => called.push("handler");
    const scope = sms.recipient([CLUB, NEWS]);
    scope.on("message", handler).keyword("JOIN", handler);
    scope.off("message", handler).off("keyword", "JOIN", handler);
    scope.once("message", handler);
    for (const recipient of [CLUB, NEWS, CLUB]) await sms.receive(post({ recipient, message: "join" }));
    expect(called).toEqual(["handler"]);
  });

  it("may be asked for several times", async () => {
    const { sms } = recorder();
    const called: string[] = [];
    sms.recipient(CLUB).keyword("A", () => called.push("a"));
    sms.recipient([CLUB, NEWS]).keyword("B", () => called.push("b"));
    for (const message of ["a", "b"]) await sms.receive(post({ recipient: CLUB, message }));
    await sms.receive(post({ recipient: NEWS, message: "b" }));
    expect(called).toEqual(["a", "b", "b"]);
  });

  it.each([[""], [[]], [undefined], [5050], [[NEWS, ""]]])("throws a TypeError for %j", (numbers) => {
    const { sms } = recorder();
    expect(() => sms.recipient(numbers as never)).toThrow(TypeError);
    expect(() => sms.recipient(numbers as never)).toThrow("sms.recipient takes a business number");
  });

  it("throws a TypeError for the events of callbacks that are no messages", () => {
    const { sms } = recorder();
    expect(() => sms.recipient(NEWS).on("invalid" as never, () => undefined)).toThrow(
      "use one of message, keyword, unmatched.",
    );
  });
});
