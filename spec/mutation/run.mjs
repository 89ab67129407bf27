// `npm run mutation -- --seed 7 --count 200`: changes the build in one place at a time, and checks that a spec fails.
//
// --room inbox/sqlite               only in that folder of dist/, or of dist/inbox/
// --only dist/inbox/inbox.js:12     all mutants of that line, instead of a random choice
// --jobs 2                          two mutants at a time
// --all                             also runs specs that are slow, or that check the package rather than its code
//
// Add a survivor that no spec can detect to without-effect.json, with the reason.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

import { filesBelow, isRun, measure } from "./coverage.mjs";
import { mutantsOf, mutated } from "./mutants.mjs";
import { Workplace } from "./workplace.mjs";

const AIM = 0.95;
const LIMIT = { times: 4, leastMs: 20_000 };
/** Lists of exports, the code that Ajv generates, and its generator. */
const NOT_MUTATED = /\/(?:index|validators|schema|compile-schema)\.js$/;
const SLOW_OR_NOT_ABOUT_CODE = /\/(?:fuzz\/.*|readme|package|[^/]*-kill|[^/]*-processes)\.spec\.ts$/;
/** Debug lines are not part of the API, so no spec needs to check them. */
const DEBUG = /\bdebug[.(]/;
const OUTCOMES = ["killed", "timed out", "without effect", "survived"];

const { values: given } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    count: { type: "string", default: "200" },
    room: { type: "string" },
    only: { type: "string" },
    jobs: { type: "string", default: "1" },
    all: { type: "boolean", default: false },
  },
});
/** Mutants that behave like the build, as found by hand. */
const withoutEffect = JSON.parse(readFileSync(join(import.meta.dirname, "without-effect.json"), "utf8"));
const workplaces = Array.from({ length: Number(given.jobs) }, () => new Workplace());
const removeAll = () => workplaces.forEach((workplace) => workplace.remove());
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    removeAll();
    process.exit(130);
  });
try {
  await main(workplaces[0].root);
} finally {
  removeAll();
}

async function main(root) {
  const specs = filesBelow(root, "spec").filter((name) => name.endsWith(".spec.ts"));
  const leftOut = specs.filter((name) => !given.all && SLOW_OR_NOT_ABOUT_CODE.test(name));
  console.log(`Specs left out: ${leftOut.join(", ") || "none"}`);
  const mutants = filesBelow(root, "dist")
    .filter((file) => file.endsWith(".js") && !NOT_MUTATED.test(file))
    .flatMap((file) => {
      const code = readFileSync(join(root, file), "utf8");
      return mutantsOf(code).map((mutant) => ({ ...mutant, file, code, room: roomOf(file) }));
    });
  for (const entry of withoutEffect.filter((one) => !mutants.some((mutant) => isEntryOf(one, mutant))))
    console.log(`In without-effect.json, but no mutant any more: ${JSON.stringify(entry)}`);

  const measured = await measure(
    specs.filter((name) => !leftOut.includes(name)),
    workplaces[0],
  );
  const drawn = draw(mutants);
  const again = ["seed", "count", "room", "only"]
    .filter((name) => given[name])
    .map((name) => `--${name} ${given[name]}`);
  console.log(`${drawn.length} of ${mutants.length} mutants; the same again: npm run mutation -- ${again.join(" ")}`);
  const queue = drawn.entries();
  await Promise.all(
    workplaces.map(async (workplace) => {
      for (const [at, mutant] of queue) {
        const begun = performance.now();
        Object.assign(mutant, await tryOut(mutant, measured, workplace));
        const seconds = ((performance.now() - begun) / 1000).toFixed(1);
        const by = mutant.spec ? ` (${mutant.spec})` : "";
        console.log(`${at + 1}. ${mutant.file}:${mutant.line} ${mutant.outcome}${by}, ${seconds} s`);
      }
    }),
  );
  report(drawn);
}

/** The folder of a file in `dist/`, or in `dist/inbox/`. */
function roomOf(file) {
  const [first = "root", second] = dirname(file).split("/").slice(1);
  return first === "inbox" && second !== undefined ? `${first}/${second}` : first;
}

/** Compares the file's name without its folder, since files may be moved. */
function isEntryOf(entry, { file, where, before, after }) {
  return entry.file === basename(file) && entry.where === where && entry.before === before && entry.after === after;
}

/** Draws from each room in turn, so that a big room does not dominate. The same build and seed give the same draw. */
function draw(mutants) {
  if (given.only !== undefined) return mutants.filter(({ file, line }) => `${file}:${line}` === given.only);
  const lotOf = ({ file, start, end, text }) =>
    createHash("sha256").update(`${given.seed} ${file} ${start} ${end} ${text}`).digest("hex");
  const turns = new Map();
  return mutants
    .filter(({ room }) => given.room === undefined || room === given.room)
    .map((mutant) => ({ mutant, lot: lotOf(mutant) }))
    .toSorted((one, other) => (one.lot < other.lot ? -1 : 1))
    .map(({ mutant }) => {
      const turn = turns.get(mutant.room) ?? 0;
      turns.set(mutant.room, turn + 1);
      return { mutant, turn };
    })
    .toSorted((one, other) => one.turn - other.turn)
    .slice(0, Number(given.count))
    .map(({ mutant }) => mutant);
}

/** Runs the specs that execute the mutant, the fastest first. */
async function tryOut(mutant, measured, workplace) {
  const msOf = (spec) => measured.get(spec).ms;
  const specs = [...measured.keys()]
    .filter((spec) => isRun(mutant.runsAt, measured.get(spec).runs[mutant.file]))
    .toSorted((one, other) => msOf(one) - msOf(other));
  let ended = { outcome: "survived" };
  if (specs.length > 0) {
    const path = join(workplace.root, mutant.file);
    writeFileSync(path, mutated(mutant.code, mutant));
    ended = await workplace.run(specs, (spec) => Math.max(LIMIT.leastMs, LIMIT.times * msOf(spec)));
    writeFileSync(path, mutant.code);
  }
  const isEqual = DEBUG.test(mutant.before) || withoutEffect.some((entry) => isEntryOf(entry, mutant));
  return ended.outcome === "survived" && isEqual ? { outcome: "without effect" } : { ...ended, specs };
}

function report(drawn) {
  const rowOf = (name, mutants) => {
    const counts = OUTCOMES.map((outcome) => mutants.filter((mutant) => mutant.outcome === outcome).length);
    return [name, mutants.length, ...counts, `${(100 * detectedShare(mutants)).toFixed(1)} %`];
  };
  const rooms = [...new Set(drawn.map(({ room }) => room))];
  const rows = [
    ["room", "drawn", ...OUTCOMES, "of those with an effect"],
    ...rooms.map((name) =>
      rowOf(
        name,
        drawn.filter(({ room }) => room === name),
      ),
    ),
    rowOf("all", drawn),
  ];
  console.log();
  for (const [name, ...cells] of rows)
    console.log(name.padEnd(16) + cells.map((cell, at) => `${cell}`.padStart(rows[0][at + 1].length + 2)).join(""));
  for (const { file, line, where, before, after, specs } of drawn.filter(({ outcome }) => outcome === "survived"))
    console.log(`\n${file}:${line} in ${where || "the file"}, run by ${specs.length} specs\n- ${before}\n+ ${after}`);
  if (detectedShare(drawn) < AIM) process.exitCode = 1;
}

/** The share of the mutants with an effect that a spec detects. */
function detectedShare(mutants) {
  const withEffect = mutants.filter(({ outcome }) => outcome !== "without effect");
  return withEffect.length === 0
    ? 1
    : withEffect.filter(({ outcome }) => outcome !== "survived").length / withEffect.length;
}
