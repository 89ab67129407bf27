// What is counted: each callback, handler and keyword as it was sent, and nothing else.

import { setImmediate } from "node:timers/promises";
import { afterEach, expect, it, jest } from "@jest/globals";
import { callbackProfile, OPT_OUT } from "express-kaleyra-sms";
import { memoryInbox } from "express-kaleyra-sms/testing";

import { callback, post } from "../support/callbacks";
import { closeServers, deferred, listen } from "../support/recorder";
import { measured, withEachClient } from "./clients";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
afterEach(closeServers);

const GET = "id=1&source=919876543210&recipient=5050&keyword=JOIN";

/** The series that count a callback. */
function answered(method: "GET" | "POST", outcome: string, times = 1): Record<string, number> {
  const labels = `{method="${method}",outcome="${outcome}"}`;
  return { [`callbacks_total${labels}`]: times, [`callback_duration_seconds_count${labels}`]: times };
}

/** The series that count a handler. */
const handled = (event: string, result: string, times = 1): Record<string, number> => ({
  [`handler_duration_seconds_count{event="${event}",result="${result}"}`]: times,
});
const failures = (event: string, times = 1, final = true): Record<string, number> => ({
  [`handler_failures_total{event="${event}",final="${final}"}`]: times,
});

withEachClient((client) => {
  it("callbacks are counted by their method and outcome, by HTTP, by fetch and by receive", async () => {
    const { sms, counts } = measured(client);
    const url = `http://127.0.0.1:${await listen(sms)}/`;
    await fetch(`${url}?${GET}`);
    await fetch(url, { method: "POST", body: JSON.stringify(callback()) });
    await sms.fetch(new Request("http://localhost/", { method: "POST", body: JSON.stringify(callback()) }));
    await sms.receive(post());
    await sms.receive({ method: "GET", query: GET });
    expect(await counts()).toEqual({
      ...answered("GET", "handled"),
      ...answered("GET", "duplicate"),
      ...answered("POST", "handled", 3),
    });
  });

  it("what is no callback is not counted", async () => {
    const { sms, counts } = measured(client);
    const url = `http://127.0.0.1:${await listen(sms)}/`;
    for (const method of ["HEAD", "OPTIONS", "PUT"]) await fetch(url, { method });
    expect((await fetch(`${url}elsewhere?${GET}`)).status).toBe(404);
    expect(await counts()).toEqual({});
  });

  it("repaired and damaged texts are counted, also those of duplicates", async () => {
    const { sms, counts } = measured(client);
    const unescaped = JSON.stringify(callback({ message: "say x now" })).replace("say x now", 'say "x" now');
    await sms.receive({ method: "POST", body: unescaped });
    await sms.receive({ method: "POST", body: unescaped });
    const body = Buffer.from(JSON.stringify(callback({ message: "caf\xe9" })), "latin1");
    await sms.receive({ method: "POST", body, contentType: "application/json" });
    expect(await counts()).toEqual({
      ...answered("POST", "handled", 2),
      ...answered("POST", "duplicate"),
      repaired_total: 2,
      damaged_total: 1,
    });
  });

  it("invalid callbacks are counted by their code", async () => {
    const profile = callbackProfile({ method: "POST", url: "https://example.com/sms" });
    const { sms, counts } = measured(client, { profile, escaping: "json", bodyLimit: 1_000 });
    const send = (body: string, contentType = "application/json") => sms.receive({ method: "POST", body, contentType });
    const sent = JSON.stringify(callback());
    await send("{");
    await send("[]");
    await send("x".repeat(1_001));
    await send("<sms/>", "text/xml");
    await send(JSON.stringify(callback({ source: undefined })));
    await send(JSON.stringify(callback({ status: "DELIVERED" })));
    await send(JSON.stringify(callback({ id: {} })));
    await send(sent.replace("{", '{"id":"again",'));
    await send(JSON.stringify(callback({ foreign: "x" })));
    expect(await counts()).toEqual({
      ...answered("POST", "invalid", 9),
      'invalid_total{code="malformed-body"}': 2,
      'invalid_total{code="body-too-large"}': 1,
      'invalid_total{code="unsupported-media-type"}': 1,
      'invalid_total{code="schema"}': 3,
      'invalid_total{code="duplicate-field"}': 1,
      'invalid_total{code="unknown-field"}': 1,
    });
  });

  it("a caller that is not authorized is counted by the reason, and as nothing else", async () => {
    const authenticate = [
      { header: "X-Callback-Token", value: "secret" },
      () => {
        throw new Error("down");
      },
    ] as const;
    const { sms, counts } = measured(client, { authenticate });
    const url = `http://127.0.0.1:${await listen(sms)}/`;
    const send = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(url, { method: "POST", body: JSON.stringify(callback()), headers })).status;
    expect(await send({})).toBe(403);
    expect(await send({})).toBe(403);
    expect(await send({ "X-Callback-Token": "wrong" })).toBe(403);
    expect(await send({ "X-Callback-Token": "secret" })).toBe(403);
    expect(await counts()).toEqual({
      'unauthorized_total{code="missing"}': 2,
      'unauthorized_total{code="wrong"}': 1,
      'unauthorized_total{code="threw"}': 1,
    });
  });

  it("busy callbacks are counted by the reason, and in_flight counts those that are not answered", async () => {
    const { sms, counts, samples } = measured(client, { maxInFlight: 4, deduplicate: false });
    const blocked = deferred();
    sms.on("message", () => blocked.promise);
    const running = ["1", "2", "3"].map((source) => sms.receive(post({ source })));
    await sms.receive(post({ source: "1" }));
    running.push(sms.receive(post({ source: "4" })));
    await sms.receive(post({ source: "5" }));
    await sms.receive({ method: "GET", query: GET });
    expect(await samples()).toMatchObject({ in_flight: 4 });
    blocked.resolve();
    await Promise.all(running);
    await sms.close();
    await sms.receive(post());
    expect(await samples()).toMatchObject({ in_flight: 0 });
    expect(await counts()).toEqual({
      ...answered("POST", "handled", 4),
      ...answered("POST", "busy", 3),
      ...answered("GET", "busy"),
      ...handled("message", "ok", 4),
      'busy_total{reason="source"}': 1,
      'busy_total{reason="capacity"}': 2,
      'busy_total{reason="closing"}': 1,
    });
  });

  it("failing handlers are counted by their event, and one that is too slow only once", async () => {
    const { sms, counts } = measured(client, { handlerTimeoutMs: 20 });
    const slow = deferred();
    sms
      .keyword("THROW", () => {
        throw new Error("down");
      })
      .keyword("REJECT", async () => Promise.reject(new Error("down")))
      .keyword("SLOW", () => slow.promise)
      .on("message", () => undefined)
      .on("invalid", () => Promise.reject(new Error("down")))
      .on("error", () => undefined);
    const send = async (message: string): Promise<unknown> => (await sms.receive(post({ message }))).outcome;
    expect(await send("THROW")).toBe("failed");
    expect(await send("REJECT")).toBe("failed");
    expect(await send("SLOW")).toBe("failed");
    await sms.receive({ method: "POST", body: "{" });
    const before = await counts();
    slow.reject(new Error("late"));
    await setImmediate();
    expect(await counts()).toEqual(before);
    expect(before).toEqual({
      ...answered("POST", "failed", 3),
      ...answered("POST", "invalid"),
      'invalid_total{code="malformed-body"}': 1,
      'keyword_matches_total{by="text"}': 3,
      ...handled("message", "ok", 3),
      ...handled("keyword", "error", 2),
      ...handled("keyword", "timeout"),
      ...handled("error", "ok", 3),
      ...handled("invalid", "error"),
      ...failures("keyword", 3),
      ...failures("invalid"),
    });
  });

  it("a keyword is counted once for all its handlers, by where it was found", async () => {
    const { sms, counts } = measured(client);
    sms
      .keyword("JOIN", () => undefined)
      .keyword("JOIN", () => undefined)
      .keyword(/gold/i, () => undefined)
      .keyword(OPT_OUT, () => undefined)
      .on("keyword", () => undefined)
      .on("unmatched", () => undefined);
    await sms.receive(post({ message: "JOIN GOLD" }));
    await sms.receive(post({ message: "ACME STOP", keyword: "ACME" }));
    await sms.receive(post({ message: "nothing", keyword: "JOIN" }));
    await sms.receive(post({ message: "nothing", keyword: "OTHER" }));
    await sms.receive(post({ message: "nothing" }));
    expect(await counts()).toMatchObject({
      'keyword_matches_total{by="text"}': 2,
      'keyword_matches_total{by="rest"}': 1,
      'keyword_matches_total{by="field"}': 2,
      ...handled("keyword", "ok", 11),
      ...handled("unmatched", "ok", 2),
    });
  });

  it("a retry counts as a run of its handlers, but neither its keyword nor its callback again", async () => {
    const inbox = memoryInbox({ attempts: 2, backoffMs: 1_000 });
    const { sms, counts, samples } = measured(client, { inbox });
    sms
      .keyword("JOIN", (_match, { attempt }) => (attempt === 1 ? Promise.reject(new Error("down")) : undefined))
      .keyword("LOSE", () => Promise.reject(new Error("down")))
      .on("error", () => undefined);
    await sms.receive(post({ message: "JOIN" }));
    await sms.receive(post({ message: "LOSE", source: "4711" }));
    await inbox.advance(0);
    expect(await samples()).toMatchObject({ 'inbox_messages{state="delayed"}': 2 });
    await inbox.advance(1_000);
    expect(await samples()).toMatchObject({ 'inbox_messages{state="dead"}': 1 });
    expect(await counts()).toEqual({
      ...answered("POST", "stored", 2),
      'keyword_matches_total{by="text"}': 2,
      ...handled("keyword", "error", 3),
      ...handled("keyword", "ok"),
      ...handled("error", "ok", 3),
      ...failures("keyword", 2, false),
      ...failures("keyword", 1),
      'dead_letters_total{cause="attempts"}': 1,
      inbox_store_duration_seconds_count: 2,
    });
    await sms.close();
  });

  it("the time of the last valid callback is that of its arrival, and a slow earlier one leaves it", async () => {
    const { sms, samples } = measured(client, { authenticate: { header: "X-Callback-Token", value: "secret" } });
    const name = "last_callback_timestamp_seconds";
    const slow = deferred();
    sms.keyword("SLOW", () => slow.promise);
    await sms.receive({ method: "POST", body: "{" });
    await sms.fetch(new Request("http://localhost/", { method: "POST", body: JSON.stringify(callback()) }));
    expect(await samples()).not.toHaveProperty(name);
    const first = sms.receive(post({ message: "SLOW" }));
    const clock = jest.spyOn(Date, "now").mockReturnValue(Date.parse("2026-11-26T10:00:00.250Z"));
    await sms.receive(post({ source: "4711" }));
    clock.mockRestore();
    expect(await samples()).toMatchObject({ [name]: Date.parse("2026-11-26T10:00:00.250Z") / 1_000 });
    slow.resolve();
    await first;
    expect(await samples()).toMatchObject({ [name]: Date.parse("2026-11-26T10:00:00.250Z") / 1_000 });
  });

  it("durations are in seconds", async () => {
    const { sms, samples } = measured(client);
    let now = 0;
    const clock = jest.spyOn(performance, "now").mockImplementation(() => now);
    sms.on("message", () => void (now += 750));
    await sms.receive(post());
    clock.mockRestore();
    const handler = { [`handler_duration_seconds_sum{event="message",result="ok"}`]: 0.75 };
    const whole = { [`callback_duration_seconds_sum{method="POST",outcome="handled"}`]: 0.75 };
    expect(await samples()).toMatchObject({ ...handler, ...whole });
  });
});
