// Random operations through several inboxes on one place, as in several processes: no message is lost or handled twice,
// and the order is kept. The spec of each inbox calls `itHandlesMixtures`.

import { setTimeout } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import fc from "fast-check";

import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";
import type { Place } from "./conformance";
import { ended } from "./temporary";
import { until } from "./waiting";

const HANDLES = 3;
const ATTEMPTS = 3;
const SOURCES = 4;

/** A message: how often its handler fails before it succeeds, and how long it takes, in milliseconds. */
interface Sent {
  readonly source: number;
  readonly fails: number;
  readonly ms: number;
}

const sent: fc.Arbitrary<Sent> = fc.record({
  source: fc.nat(SOURCES - 1),
  // As many failures as attempts, or more, make a dead letter, until it is replayed or comes again.
  fails: fc.constantFrom(0, 0, 0, 0, 1, 2, ATTEMPTS, ATTEMPTS + 1),
  ms: fc.constantFrom(0, 0, 1, 5),
});
const step = fc.record({
  by: fc.nat(HANDLES - 1),
  operation: fc.oneof(
    { weight: 6, arbitrary: fc.array(sent, { minLength: 1, maxLength: 20 }) },
    { weight: 3, arbitrary: fc.constant("resend" as const) },
    { weight: 1, arbitrary: fc.constant("replay" as const) },
    { weight: 1, arbitrary: fc.record({ forget: fc.nat(SOURCES - 1) }) },
  ),
  pauseMs: fc.constantFrom(0, 0, 2, 30),
});

/** One fixed seed; with MIXTURE_SEEDS=100, a hundred random ones. The title of each spec names its seed. */
const seeds = (): number[] => {
  const drawn = Number(process.env.MIXTURE_SEEDS ?? 0);
  return drawn > 0 ? Array.from({ length: drawn }, () => Math.trunc(Math.random() * 2 ** 31)) : [20_261_125];
};

const sourceOf = (n: number): string => `9198000000${n}`;

/** @param openerOfNew - makes an empty place, and returns what opens an inbox on it. The spec cleans up by `ended` */
export function itHandlesMixtures(openerOfNew: () => Place["open"]): void {
  it.each(seeds())(
    "handles each message to its end once, and those of a source one at a time, in order (seed %d)",
    async (seed) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          const open = openerOfNew();
          const messages: Sent[] = [];
          const isForgotten: boolean[] = [];
          /** How often each message was begun, and how often it succeeded. */
          const attempts: number[] = [];
          const handled: number[] = [];
          const isRunning = new Set<string>();
          const firsts = new Map<string, number[]>();
          let most = 0;
          const handles = Array.from({ length: HANDLES }, () => {
            const inbox = open({ attempts: ATTEMPTS, backoffMs: 1 });
            const { sms } = recorder({ inbox });
            ended.push(() => sms.close());
            sms.on("message", async ({ id, source }) => {
              const n = Number(id);
              most = Math.max(most, isRunning.has(source) ? 2 : 1);
              isRunning.add(source);
              const attempt = (attempts[n] = (attempts[n] ?? 0) + 1);
              if (attempt === 1) firsts.set(source, [...(firsts.get(source) ?? []), n]);
              await setTimeout(messages[n]?.ms);
              isRunning.delete(source);
              if (attempt <= (messages[n]?.fails ?? 0)) throw new Error("as it should");
              handled[n] = (handled[n] ?? 0) + 1;
            });
            return { inbox, sms };
          });

          const [first] = handles as [(typeof handles)[number]];
          for (const { by, operation, pauseMs } of steps) {
            const { inbox, sms } = handles[by] ?? first;
            const send = (n: number) => sms.receive(post({ id: `${n}`, source: sourceOf(messages[n]?.source ?? 0) }));
            if (operation === "replay") await inbox.replayAll();
            else if (operation === "resend") await Promise.all(messages.map((_, n) => send(n)));
            else if (Array.isArray(operation)) {
              const before = messages.length;
              messages.push(...operation);
              await Promise.all(operation.map((_, n) => send(before + n)));
            } else {
              messages.forEach(({ source }, n) => (isForgotten[n] ||= source === operation.forget));
              await inbox.forget(`+${sourceOf(operation.forget)}`);
            }
            await setTimeout(pauseMs);
          }
          await until(async () => {
            const { waiting, running, delayed, dead } = await first.inbox.stats();
            if (dead > 0) await first.inbox.replayAll();
            return waiting + running + delayed + dead === 0;
          }, 20_000);

          expect(most).toBeLessThan(2);
          for (const numbers of firsts.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
          for (const n of messages.keys()) {
            if (isForgotten[n]) expect(handled[n] ?? 0).toBeLessThanOrEqual(1);
            else expect([n, handled[n]]).toEqual([n, 1]);
          }
          for (const end of ended.splice(0).reverse()) await end();
        }),
        { seed, numRuns: 12, endOnFailure: true },
      );
    },
    120_000,
  );
}
