// Compares two builds, or one build without and with a subscriber, in short measures side by side. README.md says how.

import { parseArgs } from "node:util";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { chooseCores } from "./cores.mjs";
import { count, median, table } from "./figures.mjs";
import { startProcess } from "./process.mjs";

/** In which the code of both servers is compiled. */
const WARM_UP_MS = 1_000;
const PATIENCE_MS = 60_000;

const { values: given } = parseArgs({
  options: {
    a: { type: "string", default: "../dist" },
    b: { type: "string", default: "../dist" },
    "subscriber-a": { type: "string" },
    "subscriber-b": { type: "string" },
    pairs: { type: "string", default: "20" },
    slices: { type: "string", default: "40" },
    "slice-ms": { type: "string", default: "50" },
    only: { type: "string", default: "" },
  },
});
const pairs = Number(given.pairs);
const sliceMs = Number(given["slice-ms"]);

const sideOf = (folder, subscriber) => ({ entry: pathToFileURL(join(resolve(folder), "index.js")).href, subscriber });
const SIDES = [sideOf(given.a, given["subscriber-a"]), sideOf(given.b, given["subscriber-b"])];

const ROWS = ["http", "express"]
  .flatMap((kind) => ["POST", "GET"].map((method) => ({ id: `${kind}-${method}`, server: `package-${kind}`, method })))
  .filter(({ id }) => id.includes(given.only));

const cores = chooseCores();

/** One pair: both servers run on one core, and are sent to in turn. Each slice is compared with its neighbour. */
async function measurePair({ server, method }, isReversed) {
  const signal = AbortSignal.timeout(4 * WARM_UP_MS + 4 * Number(given.slices) * sliceMs + PATIENCE_MS);
  const start = (pinned, args) => startProcess(pinned, args, signal);
  const load = start(cores.load, ["alternate.mjs", JSON.stringify({ server, options: { method } })]);
  const processes = [load];
  try {
    const sides = [];
    for (const own of SIDES) {
      const serving = start(cores.server, ["serve.mjs", JSON.stringify({ server, options: { method, ...own } })]);
      processes.push(serving);
      sides.push({ serving, ...(await serving.next()), answered: 0, slices: [] });
    }
    const cpuOf = async ({ serving }) => {
      serving.send("cpu");
      const { user, system } = await serving.next();
      return user + system;
    };
    const slice = async (side, ms, isMeasured) => {
      const before = await cpuOf(side);
      load.send({ port: side.port, ms });
      const { answered, refused, perSecond } = await load.next();
      if (refused > 0) throw new Error(`${server}: ${refused} requests were refused.`);
      side.answered += answered;
      if (isMeasured) side.slices.push({ perSecond, micros: ((await cpuOf(side)) - before) / answered });
    };
    const order = isReversed ? sides.toReversed() : sides;
    for (const side of order) await slice(side, WARM_UP_MS, false);
    // A B B A: whatever grows over time hits both.
    for (let n = 0; n < Number(given.slices); n++)
      for (const side of n % 2 === 0 ? order : order.toReversed()) await slice(side, sliceMs, true);
    for (const { serving, answered } of sides) {
      serving.send(answered);
      const { handled, repeated } = await serving.next();
      if (handled !== answered || repeated > 0) throw new Error(`${server}: of ${answered}, ${handled} were handled.`);
    }
    const [a, b] = sides.map(({ slices }) => slices);
    return {
      micros: median(a.map(({ micros }) => micros)),
      cpu: median(a.map(({ micros }, n) => b[n].micros / micros)),
      time: median(a.map(({ perSecond }, n) => perSecond / b[n].perSecond)),
    };
  } finally {
    for (const one of processes) one.end();
  }
}

const cost = (ratio) => `${((ratio - 1) * 100).toFixed(1)} %`;
/** The median, and what half of the pairs lie between. */
function middle(ratios) {
  const sorted = ratios.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return [cost(median(sorted)), `${cost(at(0.25))} to ${cost(at(0.75))}`];
}

const measured = new Map(ROWS.map(({ id }) => [id, []]));
for (let pair = 1; pair <= pairs; pair++) {
  for (const row of ROWS) {
    process.stderr.write(`pair ${pair} of ${pairs}: ${row.id}\n`);
    measured.get(row.id).push(await measurePair(row, pair % 2 === 0));
  }
}

console.log(`${cores.note}; Node ${process.versions.node}; ${pairs} pairs of ${given.slices} slices of ${sliceMs} ms`);
console.log(
  table(
    [
      "what B costs over A",
      "µs of A",
      "CPU of a callback",
      "half of the pairs",
      "time of a callback",
      "half of the pairs",
    ],
    ROWS.map(({ id }) => {
      const all = measured.get(id);
      return [
        id,
        count(median(all.map(({ micros }) => micros))),
        ...middle(all.map(({ cpu }) => cpu)),
        ...middle(all.map(({ time }) => time)),
      ];
    }),
  ),
);
