// Which keys are remembered, in any mixture of keys and times, and how much memory they take.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, expect, it, jest } from "@jest/globals";

import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";

afterEach(() => {
  jest.restoreAllMocks();
});

/** Numbers from 0 to 1, the same in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

it.each([
  ["a few", 20, 200],
  ["more than a page of the queue", 3_000, 9_000],
])("are the last max ones whose window is not over, in any mixture: %s", async (_, max, ids) => {
  const random = randomFrom(max);
  const windowMs = 20 * max;
  const { sms } = recorder({ deduplicate: { windowMs, max } });
  const clock = jest.spyOn(performance, "now");
  const sent = Array.from({ length: ids }, () => post());
  /** The same in a few lines: the oldest first. */
  const remembered = new Map<number, number>();
  const differences: unknown[] = [];
  let now = 1_000;
  for (let n = 0; n < 4 * ids; n++) {
    now += Math.floor(random() * 20);
    // Now and then, most windows end together.
    if (n % ids === 0) now += windowMs - 100;
    clock.mockReturnValue(now);
    // Old ones come again, and so do those of a moment ago.
    const id = random() < 0.5 ? Math.floor(random() * ids) : Math.floor(n / 2) % ids;
    const expected = (remembered.get(id) ?? 0) > now ? "duplicate" : "handled";
    const { outcome } = await sms.receive(sent[id] ?? post());
    if (outcome !== expected) differences.push({ n, id, expected, outcome });
    if (expected === "duplicate") continue;
    remembered.delete(id);
    remembered.set(id, now + windowMs);
    const [oldest] = remembered.keys();
    if (remembered.size > max && oldest !== undefined) remembered.delete(oldest);
  }
  expect(differences).toEqual([]);
});

it("are forgotten without garbage outside of the heap", async () => {
  const { sms } = recorder({ deduplicate: { max: 2_000 } });
  const send = async (count: number): Promise<number> => {
    for (let n = 0; n < count; n++) await sms.receive(post());
    return process.memoryUsage().arrayBuffers;
  };
  const before = await send(5_000);
  // Forty bytes for each of them, if they were not used again.
  expect((await send(15_000)) - before).toBeLessThan(15_000 * 10);
});

it("take at most 60 bytes each, and little if there are few of them or their windows are over", async () => {
  const script = `
    const { incomingSms } = require("express-kaleyra-sms");
    let now = 0;
    performance.now = () => now;
    const logger = { warn() {}, error() {} };
    const options = { authenticate: false, logger, deduplicate: { windowMs: 1_000, max: 1_000_000 } };
    const create = () => incomingSms(options).on("message", () => undefined);
    let sent = 0;
    const send = async (sms, count) => {
      for (let n = 0; n < count; n++) {
        const query = { id: "id-" + ++sent, source: "919876543210", recipient: "5050", keyword: "STOP" };
        await sms.receive({ method: "GET", query });
      }
      // The first collection frees buffers in the background, for which the second one waits.
      gc();
      gc();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    (async () => {
      const before = await send(create(), 10_000);
      const sms = create();
      const few = (await send(sms, 100)) - before;
      const many = (await send(sms, 100_000)) - before;
      now = 1_000;
      const after = (await send(sms, 2_000)) - before;
      console.log(JSON.stringify({ few, many, after }));
      sms.health();
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "-e", script]);
  const { few, many, after } = JSON.parse(stdout) as Record<"few" | "many" | "after", number>;
  expect(few).toBeLessThan(200_000);
  expect(many).toBeLessThan(60 * 100_000);
  // What finds them does not become smaller.
  expect(after).toBeLessThan(20 * 100_000);
}, 60_000);
