// What metrics() registers: every series from the beginning, all or none, and nothing that was sent.

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { incomingSms, OPT_OUT } from "express-kaleyra-sms";
import { metrics, type MetricsOptions } from "express-kaleyra-sms/metrics";
import { memoryInbox, settled } from "express-kaleyra-sms/testing";
import * as promClient from "prom-client";

import { callback, post } from "../support/callbacks";
import { closeServers, listen } from "../support/recorder";
import { measured, ownInbox, scraped, withEachClient } from "./clients";
import { EVENTS, INVALID, OUTCOMES, UNAUTHORIZED } from "./labels";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
afterEach(closeServers);

const QUIET = { warn: () => undefined, error: () => undefined };

const each = (name: string, values: readonly string[]): string[] => values.map((value) => `${name}="${value}"`);

/** The metrics, each with its type, and the labels of the series that are there from the beginning. */
const ALWAYS = {
  callbacks_total: [
    "counter",
    each("method", ["GET", "POST"]).flatMap((method) =>
      each("outcome", OUTCOMES).map((outcome) => `${method},${outcome}`),
    ),
  ],
  invalid_total: ["counter", each("code", INVALID)],
  unauthorized_total: ["counter", each("code", UNAUTHORIZED)],
  busy_total: ["counter", each("reason", ["capacity", "source", "closing"])],
  repaired_total: ["counter", [""]],
  damaged_total: ["counter", [""]],
  callback_duration_seconds: ["histogram", []],
  in_flight: ["gauge", [""]],
  last_callback_timestamp_seconds: ["gauge", []],
  handler_duration_seconds: ["histogram", []],
  handler_failures_total: [
    "counter",
    each("event", EVENTS).flatMap((event) => [`${event},final="true"`, `${event},final="false"`]),
  ],
  keyword_matches_total: ["counter", each("by", ["text", "rest", "field"])],
} as const;
const OF_ANY_INBOX = {
  inbox_store_duration_seconds: ["histogram", [""]],
  inbox_errors_total: ["counter", each("operation", ["store", "take", "end", "read"])],
  dead_letters_total: ["counter", each("cause", ["attempts", "cut-short", "unreadable"])],
} as const;
const OF_AN_INBOX_WITH_STATS = {
  inbox_messages: ["gauge", each("state", ["waiting", "running", "delayed", "dead"])],
  inbox_oldest_waiting_seconds: ["gauge", [""]],
} as const;

/** The metrics of a scrape, in the form of those above. */
function familiesOf(text: string): Record<string, unknown> {
  const types = Array.from(text.matchAll(/^# TYPE kaleyra_sms_(\S+) (\S+)$/gm));
  const series = Array.from(text.matchAll(/^kaleyra_sms_(\w+?)(?:_count)?(?:\{(.*)\})? (\S+)$/gm))
    .filter(([, name]) => !/_(?:bucket|sum)$/.test(name ?? ""))
    .map(([, name, labels = "", value]) => ({ name, labels, value }));
  expect(series.filter(({ value }) => value !== "0")).toEqual([]);
  return Object.fromEntries(
    types.map(([, name = "", type]) => [
      name,
      [type, series.filter((one) => one.name === name).map(({ labels }) => labels)],
    ]),
  );
}

withEachClient((client) => {
  it.each([
    ["without an inbox", undefined, {}],
    ["with an inbox", memoryInbox, { ...OF_ANY_INBOX, ...OF_AN_INBOX_WITH_STATS }],
    ["with an inbox that has no stats", ownInbox, OF_ANY_INBOX],
  ])("every series %s begins at 0, and there is no other", async (_case, make, more) => {
    const { text, sms } = measured(client, make === undefined ? {} : { inbox: make() });
    expect(familiesOf(await text())).toEqual({ ...ALWAYS, ...more });
    await sms.close();
  });

  it("every metric is explained in a sentence", async () => {
    const { text } = measured(client);
    const helps = Array.from((await text()).matchAll(/^# HELP \S+ (.*)$/gm), ([, help]) => help);
    expect(helps).toHaveLength(Object.keys(ALWAYS).length);
    for (const help of helps) expect(help).toMatch(/^[A-Z].{20,}\.$/);
  });

  it("the register of the process is the default, and the prefix can be another one", async () => {
    const { sms, samples } = measured(client);
    try {
      metrics(sms, { client, register: undefined, prefix: "other_" });
      await sms.receive(post());
      const series = 'callbacks_total{method="POST",outcome="handled"}';
      expect(await scraped(client.register).samples("other_")).toMatchObject({ [series]: 1 });
      expect(await samples()).toMatchObject({ [series]: 1 });
    } finally {
      client.register.clear();
    }
  });

  it("a second router on one register needs another prefix, and the first one is not disturbed", async () => {
    const { sms, register, samples, text } = measured(client);
    const before = await text();
    const other = incomingSms({ authenticate: false, inbox: memoryInbox(), logger: QUIET });
    expect(() => metrics(other, { client, register })).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "KALEYRA_SMS_INVALID_OPTION",
        message: expect.stringContaining("kaleyra_sms_callbacks_total is registered"),
      }),
    );
    expect(await text()).toBe(before);
    metrics(other, { client, register, prefix: "other_" });
    await sms.receive(post());
    await other.receive(post());
    const of = (outcome: string): string => `callbacks_total{method="POST",outcome="${outcome}"}`;
    expect(await samples()).toMatchObject({ [of("handled")]: 1, [of("stored")]: 0 });
    expect(await samples("other_")).toMatchObject({ [of("handled")]: 0, [of("stored")]: 1 });
    await other.close();
  });

  it("nothing is registered or counted if the last of the names is taken", async () => {
    const register = new client.Registry();
    new client.Counter({ name: "kaleyra_sms_dead_letters_total", help: "Somebody's own.", registers: [register] });
    const before = await register.metrics();
    const sms = incomingSms({ authenticate: false, inbox: memoryInbox(), logger: QUIET });
    expect(() => metrics(sms, { client, register })).toThrow(
      expect.objectContaining({ code: "KALEYRA_SMS_INVALID_OPTION" }),
    );
    await sms.receive(post());
    expect(await register.metrics()).toBe(before);
    await sms.close();
  });

  it("OpenMetrics has the same names", async () => {
    const { sms, register, samples } = measured(client);
    // The types of prom-client know a register of one format only.
    (register as { setContentType(type: string): void }).setContentType(client.openMetricsContentType);
    await sms.receive(post());
    expect(await samples()).toMatchObject({
      'callbacks_total{method="POST",outcome="handled"}': 1,
      repaired_total: 0,
    });
  });

  it("no line of a scrape has anything that was sent", async () => {
    const inbox = memoryInbox({ attempts: 1 });
    const authenticate = { header: "X-Callback-Token", value: "canary-secret" };
    const { sms, text, lines } = measured(client, { inbox, authenticate, bodyLimit: 50_000 });
    const canary = `canary${"1".repeat(20_000)}`;
    sms
      .keyword([OPT_OUT, /canary/i], () => Promise.reject(new Error("canary-thrown")))
      .on("keyword", () => undefined)
      .on("message", () => undefined)
      .on("invalid", ({ raw }) => Promise.reject(new Error(String(raw))))
      .on("unauthorized", () => undefined);
    const fields = callback({
      id: canary,
      source: "919870000001",
      recipient: "+919870000002",
      message: "canary-text STOP",
      keyword: "canary-keyword",
      operator: "canary-operator",
      circle: "canary-circle",
      description: "canary-description",
      kid: "canary-kid",
      timestamp: "canary-timestamp",
      status_trace: "canary-trace",
      "canary-field": "canary-unknown",
      "parts[1]": "canary-part",
    });
    const port = await listen(sms);
    const send = async (body: string, token: string, method = "POST", query = ""): Promise<number> => {
      const headers = { "X-Callback-Token": token, "X-Canary": "canary-header", "Content-Type": "canary/type" };
      const url = `http://127.0.0.1:${port}/?${query}`;
      return (await fetch(url, { method, headers, ...(method === "GET" ? {} : { body }) })).status;
    };
    expect(await send(JSON.stringify(fields), "canary-secret")).toBe(200);
    expect(await send(JSON.stringify(fields), "canary-secret")).toBe(200);
    expect(await send(JSON.stringify({ ...fields, status: "canary-status" }), "canary-secret")).toBe(400);
    expect(await send('{"canary":', "canary-secret")).toBe(400);
    expect(await send(JSON.stringify({ ...fields, message: canary.repeat(4) }), "canary-secret")).toBe(413);
    expect(await send("{}", "canary-wrong")).toBe(403);
    const query = "id=canary&source=919870000003&recipient=919870000004&keyword=canary&canary=canary";
    expect(await send("", "canary-secret", "GET", query)).toBe(200);
    await settled(sms);
    const { dead } = await inbox.stats();
    const scrape = await text();
    expect(dead).toBeGreaterThan(0);
    expect(scrape).toContain(`inbox_messages{state="dead"} ${dead}`);
    expect(scrape).toContain('unauthorized_total{code="wrong"} 1');
    expect(scrape).not.toMatch(/canary/i);
    expect(scrape).not.toMatch(/987000000/);
    expect(lines.filter((line) => line.includes("observer"))).toEqual([]);
    await sms.close();
  });

  it("they are no handler: an inbox hands nothing out because of them", async () => {
    const inbox = memoryInbox();
    const { sms, samples } = measured(client, { inbox });
    await sms.receive(post());
    await inbox.advance(0);
    expect(await samples()).toMatchObject({ 'inbox_messages{state="waiting"}': 1 });
    await sms.close();
  });
});

describe("metrics", () => {
  const sms = incomingSms({ authenticate: false });
  const client = promClient;

  it.each([
    ["no options", undefined],
    ["no client", {}],
    ["a register in place of the client", { client: client.register }],
    ["a client with a part missing", { client: { ...client, Histogram: undefined } }],
    ["a client without a register", { client: { ...client, register: undefined } }],
    ["a client whose gauges are not asked, as before version 13", { client: { ...client, Gauge: Date } }],
    ["something that is no register", { client, register: {} }],
    ["an unknown option", { client, registry: client.register }],
    ["a prefix that is no text", { client, prefix: 5 }],
    ["an empty prefix", { client, prefix: "" }],
    ["a prefix with a hyphen", { client, prefix: "kaleyra-sms-" }],
    ["a prefix that begins with a digit", { client, prefix: "1_" }],
    ["a prefix with a line end", { client, prefix: "sms_\n" }],
    ["a prefix of another script", { client, prefix: "смс_" }],
  ])("throws a TypeError that says what to do for %s", (_case, options) => {
    expect(() => metrics(sms, options as MetricsOptions)).toThrow(
      expect.objectContaining({
        name: "TypeError",
        code: "KALEYRA_SMS_INVALID_OPTION",
        message: expect.stringMatching(/^\w+ (?:of metrics takes|is not an option of metrics|takes a router)/),
      }),
    );
    expect(client.register.getMetricsAsArray()).toEqual([]);
  });

  it.each([undefined, null, {}, () => undefined])("throws a TypeError for %p in place of a router", (given) => {
    expect(() => metrics(given as typeof sms, { client })).toThrow(
      expect.objectContaining({ name: "TypeError", code: "KALEYRA_SMS_INVALID_ARGUMENT" }),
    );
    expect(client.register.getMetricsAsArray()).toEqual([]);
  });
});
