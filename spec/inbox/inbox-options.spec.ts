// The options of every inbox, and its errors for wrong ones.

import { expect, it } from "@jest/globals";
import { incomingSms, type Inbox } from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { sqliteInbox, type SqliteInboxOptions } from "express-kaleyra-sms/sqlite";
import { memoryInbox } from "express-kaleyra-sms/testing";

import { DRIVERS } from "./drivers";
import { separateInbox } from "./separate";
import { ended, temporary } from "./temporary";

const FACTORIES = {
  sqliteInbox: (options: object) => sqliteInbox(options as SqliteInboxOptions),
  bullmqInbox: (options: object) => bullmqInbox({ connection: "redis://localhost", ...options }),
  memoryInbox: (options: object) => memoryInbox(options),
};
const OPTIONS: ReadonlyArray<readonly [name: string, unit: string, minimum: number]> = [
  ["attempts", "attempts", 1],
  ["backoffMs", "milliseconds", 1],
  ["retentionMs", "milliseconds", 1],
  ["leaseMs", "milliseconds", 100],
];

it.each(OPTIONS)("rejects %s unless it is a whole number of %s, at least %d", (name, unit, minimum) => {
  for (const [factory, make] of Object.entries(FACTORIES)) {
    const says = `options.${name} of ${factory} takes a whole number of ${unit}, at least ${minimum}.`;
    for (const wrong of [minimum - 1, -minimum, minimum + 0.5, Infinity, NaN, 2 ** 53, `${minimum}`, null, [minimum]]) {
      const thrown = expect(() => make({ [name]: wrong }));
      thrown.toThrow(TypeError);
      thrown.toThrow(says);
    }
  }
});

it.each(DRIVERS)("accepts the minimum, the maximum and undefined for each option, with $name", ({ open }) => {
  const database = open(temporary());
  ended.push(() => database.close());
  for (const [name, , minimum] of OPTIONS)
    for (const value of [minimum, Number.MAX_SAFE_INTEGER, undefined])
      expect(() => separateInbox({ database, [name]: value })).not.toThrow();
});

it.each(Object.entries(FACTORIES))("names an unknown option of %s, and the known ones", (factory, make) => {
  const wrong = () => make({ lease: 1_000 });
  expect(wrong).toThrow(TypeError);
  expect(wrong).toThrow(`options.lease is not an option of ${factory}. The options are `);
  expect(wrong).toThrow(OPTIONS.map(([name]) => name).join(", "));
});

it.each([undefined, null, "inbox.db", [], () => undefined])(
  "throws if sqliteInbox gets %p in place of an object of options",
  (given) => {
    const make = () => sqliteInbox(given as never);
    expect(make).toThrow(TypeError);
    expect(make).toThrow("sqliteInbox takes an object of options: file, driver, thread, database, name, attempts, ");
  },
);

it("throws if the inbox of a router lacks methods, and names them", () => {
  class Own {
    store = (): Promise<"stored"> => Promise.resolve("stored");
    start(): void {
      return undefined;
    }
    close(): Promise<void> {
      return Promise.resolve();
    }
  }
  const own = new Own();
  const given = (inbox: object) => () => incomingSms({ authenticate: false, inbox: inbox as Inbox });
  for (const whole of [own, Object.create(own) as object]) expect(given(whole)).not.toThrow();
  for (const [part, says] of [
    [Object.assign({}, own), "this one has no start, close."],
    [{ start: own.start, close: 1 }, "this one has no store, close."],
  ] as const) {
    expect(given(part)).toThrow(TypeError);
    expect(given(part)).toThrow(says);
  }
});
