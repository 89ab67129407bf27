// Floods: what one subscriber sends, or one callback sent again and again, leaves room for all others.

import { afterEach, describe, expect, it } from "@jest/globals";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { closeServers, deferred, listen, recorder } from "../support/recorder";

afterEach(closeServers);

const FLOOD = 1_500;
/** A quarter of the default of maxInFlight. */
const OF_ONE_SOURCE = 250;
const OTHERS = 20;

describe.each(EXPRESS)("in %s", (_, express) => {
  /** A router whose handlers take their time for one source. */
  const flooded = async () => {
    const recorded = recorder();
    const handled = deferred();
    recorded.sms.on("message", ({ source }) => (source === "+919876543210" ? handled.promise : undefined));
    const port = await listen(express().use("/sms", recorded.sms));
    const send = async (fields: Record<string, unknown>): Promise<number> => {
      const { status } = await fetch(`http://127.0.0.1:${port}/sms`, {
        method: "POST",
        body: JSON.stringify(callback(fields)),
        headers: { "Content-Type": "application/json" },
      });
      return status;
    };
    const sendOthers = () =>
      Promise.all(Array.from({ length: OTHERS }, (_, n) => send({ source: `9198123456${10 + n}` })));
    return { ...recorded, handled, send, sendOthers };
  };

  it("1,500 callbacks of one source at once: others are acknowledged, and only the flood gets a 503", async () => {
    const { busy, messages, handled, send, sendOthers } = await flooded();
    const flood = Array.from({ length: FLOOD }, () => send({ source: "919876543210" }));
    const atOnce = sendOthers();
    while (busy.length < FLOOD - OF_ONE_SOURCE) await new Promise(setImmediate);
    const others = [...(await atOnce), ...(await sendOthers())];
    expect(others).toEqual(Array(2 * OTHERS).fill(200));
    handled.resolve();
    const statuses = await Promise.all(flood);
    expect(statuses.filter((status) => status === 200)).toHaveLength(OF_ONE_SOURCE);
    expect(statuses.filter((status) => status === 503)).toHaveLength(FLOOD - OF_ONE_SOURCE);
    expect(new Set(busy.map(({ reason, message }) => `${reason} ${message?.source}`))).toEqual(
      new Set(["source +919876543210"]),
    );
    expect(messages).toHaveLength(OF_ONE_SOURCE + 2 * OTHERS);
  }, 60_000);

  it("a thousand duplicates of a message that is handled: other sources are acknowledged meanwhile", async () => {
    const { busy, messages, duplicates, handled, send, sendOthers } = await flooded();
    const repeated = callback({ source: "919876543210" });
    const first = send(repeated);
    while (messages.length < 1) await new Promise(setImmediate);
    // As many duplicates as maxInFlight wait: one more is answered 503.
    const more = Array.from({ length: 1_001 }, () => send(repeated));
    while (busy.length < 1) await new Promise(setImmediate);
    expect(await sendOthers()).toEqual(Array(OTHERS).fill(200));
    handled.resolve();
    const statuses = await Promise.all(more);
    expect([await first, ...statuses].filter((status) => status === 200)).toHaveLength(1_001);
    expect(statuses.filter((status) => status === 503)).toHaveLength(1);
    expect(busy).toMatchObject([{ reason: "capacity" }]);
    expect([messages.length, duplicates.length]).toEqual([1 + OTHERS, 1_000]);
  }, 60_000);
});
