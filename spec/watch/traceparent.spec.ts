// The `traceparent` that a subscriber of a channel gives a stored message: its handlers have it, wherever they run.

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { OperableInbox, SmsMessage } from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";
import { memoryInbox, settled, type MemoryInbox } from "express-kaleyra-sms/testing";

import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";
import { describeWithRedis, redisServer, type RedisServer } from "../support/redis";
import { DRIVERS } from "../inbox/drivers";
import { ended, temporary } from "../inbox/temporary";
import { until } from "../inbox/waiting";
import { subscribe } from "./traces";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

const NO_TRACEPARENTS: ReadonlyArray<readonly [what: string, value: unknown]> = [
  ["an empty text", ""],
  ["another text", "+919876500001"],
  ["capital letters", TRACEPARENT.toUpperCase()],
  ["a line break at the end", `${TRACEPARENT}\n`],
  ["more than it has", `${TRACEPARENT}-00`],
  ["an invalid version", TRACEPARENT.replace(/^00/, "ff")],
  ["no trace", TRACEPARENT.replace(/-.{32}-/, `-${"0".repeat(32)}-`)],
  ["no span", TRACEPARENT.replace(/-.{16}-/, `-${"0".repeat(16)}-`)],
  ["no text", 42],
  ["an array", [TRACEPARENT]],
  ["null", null],
];

/** Until the spec ends, gives each message that is stored what the function returns for it. */
function give(traceparentOf: (message: SmsMessage) => unknown): void {
  subscribe("inbox.store", "start", (trace) => {
    trace.traceparent = traceparentOf(trace.message) as string;
  });
}

/** @param retry - makes retries due, in an inbox whose clock stands still */
function itCarries(open: () => () => OperableInbox, retry: () => Promise<void> = () => Promise.resolve()): void {
  it("is in the message of every handler, of each attempt, and of the dead letter", async () => {
    give(({ id }) => TRACEPARENT.replace("3331", id));
    const inbox = open()();
    const { sms, messages, keywords, errors } = recorder({ inbox });
    ended.push(() => sms.close());
    sms.keyword("FAIL", () => Promise.reject(new Error("no")));
    const { message } = await sms.receive(post({ id: "aaaa", source: "1", message: "FAIL" }));
    await sms.receive(post({ id: "bbbb", source: "2" }));
    await until(async () => {
      await retry();
      return errors.length === 2 && messages.length === 3;
    });
    const [a, b] = ["aaaa", "bbbb"].map((id) => TRACEPARENT.replace("3331", id));
    const seen = messages.map(({ id, traceparent }) => `${id} ${String(traceparent)}`).sort();
    expect(seen).toEqual([`aaaa ${String(a)}`, `aaaa ${String(a)}`, `bbbb ${String(b)}`]);
    expect(keywords.map((match) => match.message.traceparent)).toEqual([a, a]);
    expect(errors.map(({ smsMessage }) => smsMessage?.traceparent)).toEqual([a, a]);
    await until(async () => (await inbox.stats()).dead === 1);
    expect((await inbox.deadLetters()).map((one) => one.message)).toEqual([{ ...message, traceparent: a }]);
    expect(messages.every((one) => Object.isFrozen(one))).toBe(true);
  });

  it("is no property of a message without one, which other values are not", async () => {
    const values = new Map(NO_TRACEPARENTS);
    give(({ text = "" }) => values.get(text));
    const { sms, messages } = recorder({ inbox: open()() });
    ended.push(() => sms.close());
    for (const text of ["nothing", ...values.keys()]) await sms.receive(post({ message: text, source: text }));
    await until(() => messages.length === values.size + 1);
    expect(messages.filter((message) => "traceparent" in message)).toEqual([]);
  });
}

/** @param open - opens a new place, any number of times */
function itOutlives(open: () => () => OperableInbox): void {
  it("outlives a restart, and is kept beside messages that were stored without it", async () => {
    const place = open();
    const receiver = recorder({ inbox: place(), concurrency: 0 });
    await receiver.sms.receive(post({ id: "without", source: "1" }));
    give(() => TRACEPARENT);
    await receiver.sms.receive(post({ id: "with", source: "2" }));
    await receiver.sms.close();
    const { sms, messages } = recorder({ inbox: place() });
    ended.push(() => sms.close());
    await until(() => messages.length === 2);
    const ofId = (id: string): SmsMessage | undefined => messages.find((message) => message.id === id);
    expect(ofId("with")?.traceparent).toBe(TRACEPARENT);
    expect(Object.keys(ofId("without") ?? {})).not.toContain("traceparent");
  });
}

const OPTIONS = { attempts: 2, backoffMs: 1 };

describe("a traceparent in memory", () => {
  const inboxes = new Set<MemoryInbox>();
  const open = () => () => {
    const inbox = memoryInbox(OPTIONS);
    inboxes.add(inbox);
    return inbox;
  };
  // Its clock stands still: a retry is due when a spec says so.
  itCarries(open, async () => {
    for (const inbox of inboxes) await inbox.advance(1);
  });
});

describe.each(DRIVERS)("a traceparent in a file, with $name,", ({ open }) => {
  const place = () => {
    const file = temporary();
    return () => {
      const database = open(file);
      ended.unshift(() => database.close());
      return sqliteInbox({ database, ...OPTIONS });
    };
  };
  itCarries(place);
  itOutlives(place);

  it.each(NO_TRACEPARENTS)("that is %s there does not make the message unreadable", async (_what, value) => {
    give(() => TRACEPARENT);
    const file = temporary();
    const first = open(file);
    const receiver = recorder({ inbox: sqliteInbox({ database: first }), concurrency: 0 });
    const { message } = await receiver.sms.receive(post());
    await receiver.sms.close();
    const change = first.prepare("UPDATE message SET body = json_set(body, '$.traceparent', json(?))");
    change.run(JSON.stringify(value));
    first.close();
    const database = open(file);
    ended.push(() => database.close());
    const { sms, messages } = recorder({ inbox: sqliteInbox({ database }) });
    ended.push(() => sms.close());
    await until(() => messages.length === 1);
    expect(messages).toEqual([message]);
    expect(messages[0]).not.toHaveProperty("traceparent");
  });
});

describeWithRedis("a traceparent in Redis", () => {
  let redis: RedisServer;
  let queues = 0;
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(() => redis.remove());
  const place = () => {
    const name = `queue-${++queues}`;
    return () => bullmqInbox({ connection: { host: "127.0.0.1", port: redis.port }, name, ...OPTIONS });
  };
  itCarries(place);
  itOutlives(place);
});

it("a message without an inbox has no traceparent", async () => {
  const { sms, messages } = recorder();
  give(() => TRACEPARENT);
  await sms.receive(post());
  await settled(sms);
  expect(messages).toHaveLength(1);
  expect(messages[0]).not.toHaveProperty("traceparent");
});
