// Whatever the router and its inbox call may throw: one message fails, and all others go on.

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

/** Something that throws, once, on the way of a message whose text is "spoilt". */
interface Seam {
  readonly what: string;
  /** Not where another package of the engine calls the same. */
  readonly only?: "in the process";
  readonly options?: (thrown: () => never) => SomeOptions;
  /** Spoils what a message meets that is received next. */
  readonly spoil?: (thrown: () => never) => void;
}

const once = <Key extends string>(object: Record<Key, unknown>, name: Key, thrown: () => never): void => {
  jest.spyOn(object as Record<string, () => unknown>, name).mockImplementationOnce(thrown);
};
/** A function that throws for that message only. */
const for_ = (thrown: () => never) => (value: string) => (value === "spoilt" ? thrown() : value);

const SEAMS: readonly Seam[] = [
  { what: "the registry", spoil: (thrown) => once(Registry.prototype, "callsOfMessage", thrown) },
  { what: "the index of keywords", spoil: (thrown) => once(KeywordIndex.prototype, "find", thrown) },
  { what: "a RegExp", spoil: (thrown) => once(RegExp.prototype, "exec", thrown), only: "in the process" },
  { what: "decrypt", options: (thrown) => ({ decrypt: for_(thrown) }) },
  { what: "the wall clock", spoil: (thrown) => once(Date, "now", thrown), only: "in the process" },
  { what: "the instant", spoil: (thrown) => once(Date.prototype, "toISOString", thrown), only: "in the process" },
  { what: "the monotonic clock", spoil: (thrown) => once(performance, "now", thrown), only: "in the process" },
  { what: "JSON", spoil: (thrown) => once(JSON, "parse", thrown), only: "in the process" },
];

const unhandled: unknown[] = [];
const note = (cause: unknown): unknown => unhandled.push(cause);

beforeAll(() => void process.on("unhandledRejection", note).on("uncaughtException", note));
afterAll(() => void process.off("unhandledRejection", note).off("uncaughtException", note));
afterEach(() => void jest.restoreAllMocks());

function itGoesOn(seams: readonly Seam[], open: () => Inbox | undefined): void {
  it.each(seams)("where $what throws", async ({ options, spoil }) => {
    const reached = deferred();
    const thrown = (): never => {
      reached.resolve();
      throw new RangeError("spoilt");
    };
    const { sms } = recorder({ inbox: open(), ...options?.(thrown) });
    ended.push(() => sms.close());
    const handled: string[] = [];
    sms.keyword("GOOD", ({ message }) => handled.push(message.source)).keyword(/^never$/, () => undefined);
    const good = (source: string) => sms.receive(post({ source, message: "GOOD" }));

    expect(await good("+919000000001")).toMatchObject({ status: 200 });
    await until(() => handled.length === 1);
    // An instant is written once for all callbacks of a millisecond.
    await waitFor(2);
    spoil?.(thrown);
    const spoilt = sms.receive(post({ source: "+919000000002", message: "spoilt" }));
    const beside = good("+919000000003");
    await reached.promise;
    expect([200, 400, 500, 503]).toContain((await spoilt).status);
    // Where a round fails, what is in it is answered 503, and is not lost.
    if ((await beside).status !== 200) await good("+919000000003");
    for (const source of ["+919000000002", "+919000000004"]) expect(await good(source)).toMatchObject({ status: 200 });
    const sources = ["+919000000001", "+919000000003", "+919000000002", "+919000000004"];
    await until(() => sources.every((source) => handled.includes(source)));
    await new Promise(setImmediate);
    expect(unhandled).toEqual([]);
  });

  const OTHERS: ReadonlyArray<readonly [string, SomeOptions]> = [
    ["throws", { logger: { warn: fails, error: fails } }],
    ["is async and rejects", { logger: { warn: rejects, error: rejects } }],
  ];
  it.each(OTHERS)("where the logger %s, process.emitWarning throws and every handler fails", async (_case, options) => {
    jest.spyOn(process, "emitWarning").mockImplementation(fails);
    const { sms } = recorder({ inbox: open(), authenticate: undefined, ...options });
    ended.push(() => sms.close());
    for (const event of ["invalid", "error", "duplicate"] as const) sms.on(event, fails);
    sms.on("unmatched", rejects).keyword("SPOILT", fails);
    const handled: string[] = [];
    sms.keyword("GOOD", ({ message }) => handled.push(message.source));
    for (const message of ["spoilt", "other", "GOOD"]) {
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

function fails(): never {
  throw new TypeError("spoilt");
}

function rejects(): Promise<never> {
  return Promise.reject(new TypeError("spoilt"));
}

describe("without an inbox, all goes on", () => {
  itGoesOn(SEAMS, () => undefined);
});

describe.each(DRIVERS)("with sqliteInbox and $name, all goes on", ({ open }) => {
  itGoesOn(SEAMS, () => {
    const database = open(temporary());
    ended.push(() => database.close());
    return sqliteInbox({ database, attempts: 2, backoffMs: 5 });
  });
});

describeWithRedis("with bullmqInbox, all goes on", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(() => redis.remove());
  let queues = 0;
  itGoesOn(
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
