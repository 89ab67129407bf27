// Exceptions in the functions that the router and its inbox call: one message fails, and all others are handled.

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { Inbox } from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { sqliteInbox } from "express-kaleyra-sms/sqlite";

import { KeywordIndex } from "../../dist/keywords/keyword-index";
import { Registry } from "../../dist/handlers/registry";
import { post } from "../support/callbacks";
import { deferred, recorder, type SomeOptions } from "../support/recorder";
import { describeWithRedis, redisServer, type RedisServer } from "../support/redis";
import { DRIVERS } from "../inbox/drivers";
import { ended, temporary } from "../inbox/temporary";
import { until, waitFor } from "../inbox/waiting";

/** A function that throws once, while it processes a message whose text is "broken". */
interface Seam {
  readonly name: string;
  /** Skipped with BullMQ, which calls the same function. */
  readonly only?: "in the process";
  readonly options?: (fail: () => never) => SomeOptions;
  /** Makes the function throw for the message that is received next. */
  readonly sabotage?: (fail: () => never) => void;
}

const throwOnce = <Key extends string>(object: Record<Key, unknown>, name: Key, fail: () => never): void => {
  jest.spyOn(object as Record<string, () => unknown>, name).mockImplementationOnce(fail);
};
/** Makes a function that throws for that message only. */
const throwIfBroken = (fail: () => never) => (value: string) => (value === "broken" ? fail() : value);

const SEAMS: readonly Seam[] = [
  { name: "the registry", sabotage: (fail) => throwOnce(Registry.prototype, "callsOfMessage", fail) },
  { name: "the keyword index", sabotage: (fail) => throwOnce(KeywordIndex.prototype, "longestAt", fail) },
  { name: "a RegExp", sabotage: (fail) => throwOnce(RegExp.prototype, "exec", fail), only: "in the process" },
  { name: "decrypt", options: (fail) => ({ decrypt: throwIfBroken(fail) }) },
  { name: "Date.now", sabotage: (fail) => throwOnce(Date, "now", fail), only: "in the process" },
  { name: "toISOString", sabotage: (fail) => throwOnce(Date.prototype, "toISOString", fail), only: "in the process" },
  { name: "performance.now", sabotage: (fail) => throwOnce(performance, "now", fail), only: "in the process" },
  { name: "JSON.parse", sabotage: (fail) => throwOnce(JSON, "parse", fail), only: "in the process" },
];

const unhandled: unknown[] = [];
const record = (cause: unknown): unknown => unhandled.push(cause);

beforeAll(() => void process.on("unhandledRejection", record).on("uncaughtException", record));
afterAll(() => void process.off("unhandledRejection", record).off("uncaughtException", record));
afterEach(() => void jest.restoreAllMocks());

function testOtherMessages(seams: readonly Seam[], open: () => Inbox | undefined): void {
  it.each(seams)("are handled even if $name throws", async ({ options, sabotage }) => {
    const reached = deferred();
    const fail = (): never => {
      reached.resolve();
      throw new RangeError("broken");
    };
    const { sms } = recorder({ inbox: open(), ...options?.(fail) });
    ended.push(() => sms.close());
    const handled: string[] = [];
    sms.keyword("GOOD", ({ message }) => handled.push(message.source)).keyword(/^never$/, () => undefined);
    const good = (source: string) => sms.receive(post({ source, message: "GOOD" }));

    expect(await good("+919000000001")).toMatchObject({ status: 200 });
    await until(() => handled.length === 1);
    // The router formats the time of arrival once for all callbacks of a millisecond.
    await waitFor(2);
    sabotage?.(fail);
    const broken = sms.receive(post({ source: "+919000000002", message: "broken" }));
    const concurrent = good("+919000000003");
    await reached.promise;
    expect([200, 400, 500, 503]).toContain((await broken).status);
    // If a round of the inbox fails, all its messages are answered 503, so they are sent again.
    if ((await concurrent).status !== 200) await good("+919000000003");
    for (const source of ["+919000000002", "+919000000004"]) expect(await good(source)).toMatchObject({ status: 200 });
    const sources = ["+919000000001", "+919000000003", "+919000000002", "+919000000004"];
    await until(() => sources.every((source) => handled.includes(source)));
    await new Promise(setImmediate);
    expect(unhandled).toEqual([]);
  });

  const LOGGERS: ReadonlyArray<readonly [string, SomeOptions]> = [
    ["throws", { logger: { warn: throws, error: throws } }],
    ["rejects", { logger: { warn: rejects, error: rejects } }],
  ];
  const title = "are handled even if the logger %s, process.emitWarning throws and every other handler fails";
  it.each(LOGGERS)(title, async (_case, options) => {
    jest.spyOn(process, "emitWarning").mockImplementation(throws);
    const { sms } = recorder({ inbox: open(), authenticate: undefined, ...options });
    ended.push(() => sms.close());
    for (const event of ["invalid", "error", "duplicate"] as const) sms.on(event, throws);
    sms.on("unmatched", rejects).keyword("BROKEN", throws);
    const handled: string[] = [];
    sms.keyword("GOOD", ({ message }) => handled.push(message.source));
    for (const message of ["broken", "other", "GOOD"]) {
      const sent = post({ source: `+91900000000${message.length}`, message });
      await sms.receive(sent);
      await sms.receive(sent);
    }
    expect(await sms.receive({ method: "POST", body: "no JSON" })).toMatchObject({ status: 400 });
    await until(() => handled.length > 0);
    await new Promise(setImmediate);
    expect(unhandled).toEqual([]);
  });
}

function throws(): never {
  throw new TypeError("broken");
}

function rejects(): Promise<never> {
  return Promise.reject(new TypeError("broken"));
}

describe("without an inbox, other messages", () => {
  testOtherMessages(SEAMS, () => undefined);
});

describe.each(DRIVERS)("with sqliteInbox and $name, other messages", ({ open }) => {
  testOtherMessages(SEAMS, () => {
    const database = open(temporary());
    ended.push(() => database.close());
    return sqliteInbox({ database, attempts: 2, backoffMs: 5 });
  });
});

describeWithRedis("with bullmqInbox, other messages", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(() => redis.remove());
  let queues = 0;
  testOtherMessages(
    SEAMS.filter(({ only }) => only === undefined),
    () =>
      bullmqInbox({
        connection: `redis://127.0.0.1:${redis.port}`,
        name: `seams-${++queues}`,
        attempts: 2,
        backoffMs: 5,
      }),
  );
});
