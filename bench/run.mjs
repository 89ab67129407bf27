// Measures everything, or a part, and prints the tables; --write puts them into docs/speed.md. Options: README.md.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { chooseCores } from "./cores.mjs";
import { describeMachine, versionOf } from "./machine.mjs";
import { GROUPS } from "./measures.mjs";
import { Places } from "./places.mjs";
import { PEERS } from "./rows.mjs";
import { tableOf } from "./tables.mjs";

const RESULTS = join(import.meta.dirname, "results.json");
const PAGE = join(import.meta.dirname, "..", "docs", "speed.mjs");

const { values: given } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(GROUPS).join() },
    row: { type: "string" },
    short: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
if (given.write && given.row !== undefined) throw new Error("--write takes whole groups: leave --row out.");
const names = given.only.split(",");
const unknown = names.filter((name) => GROUPS[name] === undefined);
if (unknown.length > 0) throw new Error(`--only takes some of ${Object.keys(GROUPS).join()}.`);

const cores = chooseCores();
const places = new Places(cores.load);
console.log(`Node ${process.versions.node}; ${cores.note}\n`);
const begun = performance.now();
const measured = {};
// Databases end with this process, also when it is interrupted.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** A second time if the first one fails: nobody is there to begin again. */
async function resultOf(measure, ...args) {
  for (const attempt of [1, 2]) {
    try {
      return await measure(...args);
    } catch (error) {
      console.error(`attempt ${attempt}:`, error);
    }
  }
  process.exitCode = 1;
  return { missing: "it failed" };
}

try {
  for (const name of names) {
    const { rows, measure, plans } = GROUPS[name];
    const plan = given.short ? plans.short : plans.whole;
    const results = {};
    for (const row of rows.filter(({ id }) => String(id).includes(given.row ?? ""))) {
      const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
      process.stderr.write(`${minutes} min: ${name} ${row.id}\n`);
      results[row.id] = await resultOf(measure, row, plan, { cores, places });
    }
    measured[name] = { about: about(), plan, rows: results };
  }
} finally {
  await places.remove();
}

function about() {
  return { date: new Date().toISOString().slice(0, 10), node: process.versions.node, isShort: given.short };
}

for (const [name, group] of Object.entries(measured)) console.log(`${name}\n\n${tableOf(name, group, given.row)}\n`);

if (given.write) {
  const isWhole = names.length === Object.keys(GROUPS).length;
  const kept = isWhole ? {} : JSON.parse(readFileSync(RESULTS, "utf8"));
  const minutes = isWhole ? Math.ceil((performance.now() - begun) / 60_000) : kept.minutes;
  const versions = Object.fromEntries(
    ["express", ...PEERS.map(({ peer }) => peer)].map((peer) => [peer, versionOf(peer)]),
  );
  const results = {
    machine: { ...describeMachine(), pinned: cores.note },
    minutes,
    versions,
    groups: { ...kept.groups, ...measured },
  };
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  process.exitCode ||= spawnSync(process.execPath, [PAGE, "--write"], { stdio: "inherit" }).status;
}
