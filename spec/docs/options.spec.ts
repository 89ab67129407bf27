// docs/options.md: it lists every option, and each answer is the one that its table says.

import { afterAll, describe, expect, it } from "@jest/globals";
import { callbackProfile, incomingSms } from "express-kaleyra-sms";
import { memoryInbox } from "express-kaleyra-sms/testing";
import express from "express";

import { callback, post } from "../support/callbacks";
import { closeServers, listen, open, recorder, untilClosed, type SomeOptions } from "../support/recorder";
import { names, readPage } from "./page";

const PAGE = readPage("docs/options.md");
afterAll(closeServers);

it("lists every option, and nothing else", () => {
  const make = (): unknown => incomingSms({ "?": 1 } as never);
  expect(make).toThrow(`The options are ${names(PAGE.table("## Options\n")).join(", ")}.`);
});

it("has sections for options that there are", () => {
  const listed = names(PAGE.table("## Options\n"));
  const sections = Array.from(PAGE.text.matchAll(/^### `(\w+)`$/gm), ([, name = ""]) => name);
  expect(sections.length).toBeGreaterThan(4);
  expect(sections.filter((name) => !listed.includes(name))).toEqual([]);
});

describe("options that exclude each other", () => {
  const profile = callbackProfile({ method: "POST", url: "https://your.domain/sms" });
  const given: Readonly<Record<string, unknown>> = {
    ...{ profile, methods: ["POST"], deduplicate: false, acknowledgeFailures: true },
    ...{ concurrency: 1, storeTimeoutMs: 1, describeFailure: () => "", backlogMs: 1 },
  };
  const [, section = ""] = PAGE.text.split("\n## ");
  const lists = Array.from(section.matchAll(/^- (`\w+` (?:and|with) `\w+`.*|`\w+`, .* without `inbox`\.)$/gm));
  const pairs = lists.flatMap(([, list = ""]) => {
    const [first = "", ...others] = Array.from(list.matchAll(/`(\w+)`/g), ([, name = ""]) => name);
    if (list.endsWith("without `inbox`.")) return [first, ...others.slice(0, -1)].map((name) => [name, "inbox"]);
    return others.map((name) => [first, name]);
  });

  it("are seven pairs", () => expect(pairs).toHaveLength(7));

  it.each(pairs)("%s and %s are a TypeError", (first = "", second = "") => {
    const inbox = first === "inbox" ? { inbox: memoryInbox() } : {};
    const others = [first, second].filter((name) => name !== "inbox").map((name) => [name, given[name]]);
    expect(() => recorder({ ...inbox, ...Object.fromEntries(others) } as SomeOptions)).toThrow(TypeError);
  });
});

interface Answered {
  readonly status: number;
  readonly code: string;
  readonly headers: readonly string[];
}

/** Sends a request to a router, and returns what a row of the table has of the answer. */
async function asked(options: SomeOptions, path = "/", init: RequestInit = {}): Promise<Answered> {
  const { sms } = recorder(options);
  const response = await fetch(`http://127.0.0.1:${await listen(sms)}${path}`, init);
  const text = await response.text();
  const { code = "" } = (text === "" ? {} : JSON.parse(text)) as { code?: string };
  return { status: response.status, code, headers: [...response.headers.keys()] };
}

const json = (fields: Record<string, unknown>, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json", ...headers },
  body: JSON.stringify(callback(fields)),
});

async function sent(sms: ReturnType<typeof recorder>["sms"], body = post()): Promise<Answered> {
  const { status, headers, body: text } = await sms.receive(body);
  const { code = "" } = (text === "" ? {} : JSON.parse(text)) as { code?: string };
  return { status, code, headers: Object.keys(headers).map((name) => name.toLowerCase()) };
}

/** Sends a part of a body, and closes the connection or not. */
async function part(options: SomeOptions): Promise<number> {
  const { sms, invalid } = recorder(options);
  const socket = await open(await listen(sms));
  socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{");
  if (options.bodyTimeoutMs === undefined) socket.destroySoon();
  else await untilClosed(socket);
  while (invalid.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(invalid).toMatchObject([{ code: "body-incomplete" }]);
  return invalid[0]?.status ?? 0;
}

const never = (): Promise<never> => new Promise(() => undefined);
const NEVER_STORES = { store: never, start: () => undefined, close: () => Promise.resolve() };

/** What causes each of the answers. */
const CAUSES: Readonly<Record<string, () => Promise<Answered | number>>> = {
  "handled, or stored in the inbox": () => asked({}, "/", json({})),
  "a duplicate": async () => {
    const { sms, duplicates } = recorder();
    const body = post();
    await sms.receive(body);
    const answered = await sent(sms, body);
    expect(duplicates).toHaveLength(1);
    return answered;
  },
  "a body or query that cannot be read": () => asked({}, "/", { method: "POST", body: "{" }),
  "fields that are wrong": () => asked({}, "/", json({ id: undefined })),
  "the connection was closed within the body": () => part({}),
  "a body that takes longer than `bodyTimeoutMs`": () => part({ bodyTimeoutMs: 20 }),
  "a body above `bodyLimit`": () => asked({ bodyLimit: 9 }, "/", json({})),
  "XML or multipart": () => asked({}, "/", { method: "POST", body: "<a/>", headers: { "Content-Type": "text/xml" } }),
  "a caller that is not authorized": () =>
    asked({ authenticate: { header: "X-Callback-Token", value: "s3cret" } }, "/", json({})),
  "a handler failed": async () => {
    const { sms } = recorder();
    return sent(sms.on("message", () => Promise.reject(new Error("canary"))));
  },
  "handlers took longer than `handlerTimeoutMs`": () => {
    const { sms } = recorder({ handlerTimeoutMs: 20 });
    return sent(sms.on("message", never));
  },
  "something before the router read the body, and discarded it": async () => {
    const { sms } = recorder();
    const app = express().use((req, _res, next) => void req.on("end", () => setImmediate(next)).resume());
    const response = await fetch(`http://127.0.0.1:${await listen(app.use(sms))}/`, json({}));
    return { status: response.status, code: ((await response.json()) as Answered).code, headers: [] };
  },
  "more than `maxInFlight`, or closing": async () => {
    const { sms } = recorder();
    await sms.close();
    return sent(sms);
  },
  "more than a quarter of `maxInFlight` from one source": async () => {
    const { sms } = recorder({ maxInFlight: 4, handlerTimeoutMs: 20 });
    sms.on("message", never);
    const first = sms.receive(post());
    const answered = await sent(sms);
    await first;
    return answered;
  },
  "the inbox could not store it": () => sent(recorder({ inbox: NEVER_STORES, storeTimeoutMs: 20 }).sms),
  "another path, without `next`": () => asked({}, "/other"),
  "another method": () => asked({}, "/", { method: "PUT" }),
  "`HEAD`": () => asked({}, "/", { method: "HEAD" }),
  "`OPTIONS`": () => asked({}, "/", { method: "OPTIONS" }),
};

describe("the answers", () => {
  const ROWS = PAGE.table("## Answers").filter(([situation]) => situation !== "a fault of the package itself");

  it("are those of the table", () => {
    expect(ROWS.map(([situation]) => situation)).toEqual(Object.keys(CAUSES));
  });

  it.each(ROWS)("if it is: %s, status %s", async (situation = "", status = "", codes = "") => {
    const [first = "", header = ""] = status.replaceAll("`", "").split(", ");
    const answered = await CAUSES[situation]?.();
    if (typeof answered === "number") {
      expect(String(answered)).toBe(first);
      return;
    }
    expect(String(answered?.status)).toBe(first);
    if (answered?.code === "") expect(codes).toBe("");
    else expect(codes).toContain(`\`${answered?.code}\``);
    if (/^[A-Z]/.test(header)) expect(answered?.headers).toContain(header.toLowerCase());
  });
});
