// Backlogs of few subscribers in an SQLite file: the messages of all others do not wait for them.

import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";

import { post } from "../../support/callbacks";
import { deferred, recorder } from "../../support/recorder";
import { DRIVERS, type Driver } from "../drivers";
import { separateInbox } from "../separate";
import { ended, temporary } from "../temporary";

/** As many as are stored at once without one being answered 503. */
const TOGETHER = 500;
const OTHERS = 10;
/** So slow that nothing is taken out for later. */
const HANDLER_MS = 5;
const otherSources = Array.from({ length: OTHERS }, (_, n) => `+91981234560${n}`);

/** A router on a file, as in a process of its own. */
function routerOn(file: string, driver: Driver, concurrency: number) {
  const database = driver.open(file);
  ended.push(() => database.close());
  const recorded = recorder({ inbox: separateInbox({ database }), concurrency });
  ended.push(() => recorded.sms.close());
  return recorded;
}

describe.each(DRIVERS)("with $name", (driver) => {
  it.each([
    [16, 1, 5_000],
    [1, 1, 5_000],
    [16, 50, 100],
    [1, 50, 100],
  ])(
    "with concurrency %i, ten messages of others behind %i sources of %i each wait for one message of each source",
    async (concurrency, floods, each) => {
      const file = temporary();
      const { sms } = routerOn(file, driver, 0);
      const flood = Array.from({ length: floods * each }, (_, n) => `+9199999999${10 + (n % floods)}`);
      const sources = [...flood, ...otherSources];
      for (let n = 0; n < sources.length; n += TOGETHER) {
        const stored = sources.slice(n, n + TOGETHER).map((source) => sms.receive(post({ source })));
        for (const { outcome } of await Promise.all(stored)) expect(outcome).toBe("stored");
      }

      const handler = routerOn(file, driver, concurrency);
      const handled: string[] = [];
      const whenHandled = deferred();
      let others = 0;
      handler.sms.on("message", async ({ source }) => {
        await setTimeout(HANDLER_MS);
        handled.push(source);
        if (otherSources.includes(source)) others++;
        if (others === OTHERS || handled.length > 1_000) whenHandled.resolve();
      });
      await whenHandled.promise;
      expect(others).toBe(OTHERS);
      // The others run beside the flood, of which there are as many as can run at once.
      expect(handled.length - OTHERS).toBeLessThanOrEqual(floods + OTHERS + concurrency);
    },
    60_000,
  );
});
