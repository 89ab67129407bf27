// What a backlog of an inbox costs: receiving beside it, and taking out of it.

import { median, middle, rounded } from "./figures.mjs";
import { inTurn, measurePairs } from "./pairs.mjs";
import { resultOf } from "./process.mjs";

const PATIENCE_MS = 600_000;

/**
 * @param kind - one of inboxes.mjs
 * @param newPlace - makes a place for it
 * @param plan - that of `measurePairs`, with one launch, since the load sends the same messages in each; `backlog`, and
 * how many are `taken` in a measure
 */
export async function measureBacklog(kind, newPlace, plan, cores) {
  const { backlog, taken, pairs } = plan;
  const ask = (what, place, count) =>
    resultOf(cores.server, ["backlog.mjs", JSON.stringify({ what, kind, place, count })], PATIENCE_MS);
  const filled = async (count) => {
    const { place } = await newPlace();
    await ask("fill", place, count);
    return place;
  };
  const full = await filled(backlog);
  const receiving = (place) => ({ server: "inbox", options: { inbox: kind, concurrency: 0, ...place } });
  const makeSides = async () => [receiving(full), receiving((await newPlace()).place)];
  const receives = await measurePairs(makeSides, plan, cores);
  const fromFull = async () => (await ask("take", full, taken)).perSecond;
  const fromSmall = async () => (await ask("take", await filled(2 * taken), taken)).perSecond;
  const taking = await inTurn([fromFull, fromSmall], pairs, (take) => take());
  return {
    receives,
    takes: {
      ratio: middle(taking.map(([a, b]) => a / b)),
      sides: [0, 1].map((side) => ({ perSecond: rounded(median(taking.map((pair) => pair[side]))) })),
    },
  };
}
