// Measures everything, round by round, and prints the tables. README.md says how to make it shorter.

import { parseArgs } from "node:util";

import { chooseCores } from "./cores.mjs";
import { measure } from "./measure.mjs";
import { startProcess } from "./process.mjs";
import { printReport } from "./report.mjs";
import { ROWS } from "./rows.mjs";
import { timeStartups } from "./startup.mjs";

const STARTUPS_A_ROUND = 7;
const PATIENCE_MS = 300_000;

const { values: given } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
  },
});
const rounds = Number(given.rounds);
const measureMs = Math.round(Number(given.seconds) * 1_000);
const rows = ROWS.filter(({ id }) => id.includes(given.only));
const cores = chooseCores();

const measures = Object.fromEntries(rows.map(({ id }) => [id, []]));
const startups = {};
const memory = [];
const hostile = [];

/** What a process of its own tells that measures something without a server. */
async function resultOf(pinned, args) {
  const process = startProcess(pinned, args, AbortSignal.timeout(PATIENCE_MS));
  try {
    return await process.next();
  } finally {
    process.end();
  }
}

for (let round = 1; round <= rounds; round++) {
  const tell = (what) => process.stderr.write(`round ${round} of ${rounds}: ${what}\n`);
  for (const row of rows) {
    tell(row.id);
    measures[row.id].push(await measure(row, cores, measureMs));
  }
  if (given.only !== "") continue;
  tell("starting");
  for (const [name, ms] of Object.entries(timeStartups(cores.server, STARTUPS_A_ROUND))) {
    startups[name] = [...(startups[name] ?? []), ...ms];
  }
  tell("memory");
  memory.push(await resultOf(cores.server, ["--expose-gc", "memory.mjs"]));
  tell("hostile bodies");
  // On any core: the collector of garbage has threads of its own.
  hostile.push(await resultOf([], ["hostile.mjs"]));
}

console.log(`${cores.note}; ${rounds} rounds of ${given.seconds} s`);
printReport({ rows, measures, startups, memory, hostile });
