// docs/events.md: its tables and lists are those of the code, and its handler runs as printed.

import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { incomingSms, type SmsError } from "express-kaleyra-sms";
import schema from "express-kaleyra-sms/schema.json";
import { memoryInbox, subscriber } from "express-kaleyra-sms/testing";

import { callback, post } from "../support/callbacks";
import { closeServers, listen, recorder } from "../support/recorder";
import { names, readPage } from "./page";

const PAGE = readPage("docs/events.md");

it("lists every event, and nothing else", () => {
  const register = (): unknown => incomingSms({ authenticate: false }).on("?" as never, () => undefined);
  expect(register).toThrow(`use one of ${names(PAGE.table("## Events")).join(", ")}.`);
});

it("lists every field, with its description in the schema", () => {
  const rows = PAGE.table("## Fields");
  expect(names(rows)).toEqual(Object.keys(schema.properties));
  expect(rows.map((row) => row.at(-1))).toEqual(Object.values(schema.properties).map(({ description }) => description));
});

it("lists every property of a message, and nothing else", async () => {
  const { sms, messages } = recorder({ timeZone: "UTC", inbox: memoryInbox() });
  const fields = Object.entries(schema.properties).map(([name, { examples }]) => [name, examples[0]] as const);
  await sms.receive({ method: "POST", body: callback(Object.fromEntries(fields)) });
  while (messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await sms.close();
  // Set by a tracer only.
  const properties = [...Object.keys(messages[0] ?? {}), "traceparent"];
  expect(names(PAGE.table("## The message")).toSorted()).toEqual(properties.toSorted());
});

it("shows a message as console.log prints it", async () => {
  const [, body = ""] = /-d '(\{[^']*\})'/.exec(readPage("README.md").block("sh", "curl -i")) ?? [];
  const { sms, messages } = recorder();
  await sms.receive({ method: "POST", body });
  const withoutTime = (text: string): string => text.replace(/(?<=receivedAt: ')[^']*/, "");
  expect(withoutTime(PAGE.block("", "receivedAt"))).toBe(`${withoutTime(inspect(messages[0]))}\n`);
});

it("has a handler that runs, but not for a message that opts out", async () => {
  const { sms, errors } = recorder();
  const forwarded: unknown[] = [];
  const fetch = (_url: string, { body, signal }: { body: string; signal: unknown }): void => {
    forwarded.push([(JSON.parse(body) as { text: string }).text, signal instanceof AbortSignal]);
  };
  const log: unknown[] = [];
  runInNewContext(PAGE.block("ts", "forwarded"), {
    sms,
    fetch,
    console: { log: (...line: unknown[]) => log.push(line) },
  });
  await sms.receive(post({ id: "1", message: "hello" }));
  await sms.receive(post({ message: "stop" }));
  expect([forwarded, log, errors]).toEqual([[["hello", true]], [["1", "forwarded in attempt", 1]], []]);
});

describe("names what is in the payload of", () => {
  const listed = (event: string): string[] => {
    const [, list = ""] = new RegExp(`^\\*\\*\`${event}\`\\*\\*: \`\\{ (.*) \\}\`\\.$`, "m").exec(PAGE.text) ?? [];
    return list.replaceAll("?", "").split(", ").toSorted();
  };

  it("invalid", async () => {
    const { sms, invalid } = recorder();
    await sms.receive({ method: "POST", body: "{" });
    expect(Object.keys(invalid[0] ?? {}).toSorted()).toEqual(listed("invalid"));
  });

  it("unauthorized", async () => {
    const { sms, unauthorized } = recorder({ authenticate: { header: "X-Callback-Token", value: "s3cret" } });
    const port = await listen(sms);
    await fetch(`http://127.0.0.1:${port}/`, { method: "POST" });
    await closeServers();
    expect(Object.keys(unauthorized[0] ?? {}).toSorted()).toEqual(listed("unauthorized"));
  });

  it("busy", async () => {
    const { sms, busy } = recorder();
    await sms.close();
    await subscriber(sms).text("hello");
    const optional = ["message"];
    expect([...new Set([...Object.keys(busy[0] ?? {}), ...optional])].toSorted()).toEqual(listed("busy"));
  });

  it("error", async () => {
    const { sms, errors } = recorder();
    sms.on("message", () => {
      throw new TypeError("canary");
    });
    await subscriber(sms).text("hello");
    const [, list = ""] = /an `Error` with (.*)\.$/m.exec(PAGE.text) ?? [];
    const properties = Array.from(list.matchAll(/`(\w+)`/g), ([, name = ""]) => name);
    expect(properties).toHaveLength(6);
    for (const name of properties) expect(errors[0]?.[name as keyof SmsError]).toBeDefined();
  });
});

it("has numbers that are read as it says", async () => {
  const [, forms = "", number] = /^(`.*`) are all `(.*)`\.$/m.exec(PAGE.text) ?? [];
  const written = Array.from(forms.matchAll(/`(.*?)`/g), ([, one = ""]) => one);
  expect(written).toHaveLength(3);
  for (const source of written) {
    const { message } = await subscriber(recorder().sms, { source }).text("hello");
    expect(message?.source).toBe(number);
  }
  for (const [, sender = ""] of /^- Short codes.*$/m.exec(PAGE.text)?.[0].matchAll(/`(.*?)`/g) ?? []) {
    const { message } = await subscriber(recorder().sms, { source: sender }).text("hello");
    expect(message?.source).toBe(sender);
  }
});
