// The options that every inbox takes, and what it says to what it does not.

import { expect, it } from "@jest/globals";
import { incomingSms, type Inbox } from "express-kaleyra-sms";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";
import { sqliteInbox, type SqliteInboxOptions } from "express-kaleyra-sms/sqlite";

import { DRIVERS } from "./drivers";
import { ended, temporary } from "./temporary";

const FACTORIES = {
  sqliteInbox: (options: object) => sqliteInbox(options as SqliteInboxOptions),
  bullmqInbox: (options: object) => bullmqInbox({ connection: "redis://localhost", ...options }),
};
const OPTIONS: ReadonlyArray<readonly [name: string, unit: string, least: number]> = [
  ["attempts", "attempts", 1],
  ["backoffMs", "milliseconds", 1],
  ["retentionMs", "milliseconds", 1],
  ["leaseMs", "milliseconds", 100],
];

it.each(OPTIONS)("%s takes a whole number of %s, at least %d, and the error says so", (name, unit, least) => {
  for (const [factory, make] of Object.entries(FACTORIES)) {
    const says = `options.${name} of ${factory} takes a whole number of ${unit}, at least ${least}.`;
    for (const wrong of [least - 1, -least, least + 0.5, Infinity, NaN, 2 ** 53, `${least}`, null, [least]]) {
      const thrown = expect(() => make({ [name]: wrong }));
      thrown.toThrow(TypeError);
      thrown.toThrow(says);
    }
  }
});

it.each(DRIVERS)("each may be the least, the most and undefined, with $name", ({ open }) => {
  const database = open(temporary());
  ended.push(() => database.close());
  for (const [name, , least] of OPTIONS)
    for (const value of [least, Number.MAX_SAFE_INTEGER, undefined])
      expect(() => sqliteInbox({ database, [name]: value })).not.toThrow();
});

it.each(Object.entries(FACTORIES))("%s names an option that does not exist, and those that do", (factory, make) => {
  const wrong = () => make({ lease: 1_000 });
  expect(wrong).toThrow(TypeError);
  expect(wrong).toThrow(`options.lease is not an option of ${factory}. The options are `);
  expect(wrong).toThrow(OPTIONS.map(([name]) => name).join(", "));
});

it.each([undefined, null, "inbox.db", [], () => undefined])(
  "sqliteInbox takes an object of options, not %p",
  (given) => {
    const make = () => sqliteInbox(given as never);
    expect(make).toThrow(TypeError);
    expect(make).toThrow("sqliteInbox takes an object of options: database, name, attempts, ");
  },
);

it("is refused by the router when methods are missing, which the error names", () => {
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
