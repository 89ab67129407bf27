// Compares two builds, B and A, in pairs over HTTP: what a change costs. README.md has the options.

import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import { chooseCores } from "./cores.mjs";
import { count, table } from "./figures.mjs";
import { measurePairs } from "./pairs.mjs";

const PLAN = { warmUpMs: 1_000, pairs: 20, sliceMs: 50 };

const { values: given } = parseArgs({
  options: {
    a: { type: "string" },
    b: { type: "string", default: "../dist" },
    launches: { type: "string", default: "10" },
    only: { type: "string", default: "" },
  },
});
if (given.a === undefined)
  throw new Error("--a takes the folder of another build, and --b, by default ../dist, that of this one.");

const rows = ["http", "express"]
  .flatMap((kind) => ["POST", "GET"].map((method) => ({ id: `${kind}-${method}`, server: `package-${kind}`, method })))
  .filter(({ id }) => id.includes(given.only));
const entryOf = (folder) => pathToFileURL(join(resolve(folder), "index.js")).href;
const cores = chooseCores();
const spread = ({ median, low, high }) => [median.toFixed(3), `${low.toFixed(3)} to ${high.toFixed(3)}`];

const lines = [];
for (const { id, server, method } of rows) {
  process.stderr.write(`${id}\n`);
  const sides = [given.b, given.a].map((folder) => ({ server, options: { method, entry: entryOf(folder) } }));
  const {
    ratio,
    cpu,
    sides: of,
  } = await measurePairs(() => sides, { ...PLAN, launches: Number(given.launches) }, cores);
  lines.push([id, ...spread(ratio), ...spread(cpu), of.map(({ micros }) => count(micros)).join(" / ")]);
}

console.log(`${cores.note}; Node ${process.versions.node}\n`);
console.log(
  table(
    [
      "B of A, above 1 is faster",
      "callbacks a second",
      "half of the pairs",
      "by CPU time",
      "half of the pairs",
      "µs of B / A",
    ],
    lines,
  ),
);
