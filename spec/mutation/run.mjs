// `npm run mutation -- --seed 7 --count 200`: changes the build in one place after another, and sees whether a spec fails.
//
// --room inbox/sqlite               only there; a room is a folder of dist/, or of dist/inbox/
// --only dist/inbox/work.js:12      all mutants of that line, not a draw
// --jobs 2                          so many at a time
// --all                             with the specs that are left out because they are slow, or not about the code

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

import { filesBelow, isIn, measure } from "./coverage.mjs";
import { mutantsOf, mutated } from "./mutants.mjs";
import { Workplace } from "./workplace.mjs";

const AIM = 0.95;
const LIMIT = { times: 4, leastMs: 20_000 };
/** Lists, what is made when the package is built, and what only makes it. */
const NOT_MUTATED = /\b(?:index|validators|schema|compile-schema)\.js$/;
const SLOW_OR_NOT_ABOUT_CODE = /\/(?:fuzz\/.*|readme|package|[^/]*-kill|[^/]*-processes)\.spec\.ts$/;
/** Lines for whoever looks for a mistake: nobody is promised what they say. */
const DEBUG = /\bdebug[.(]/;
const LIST = join(import.meta.dirname, "without-effect.json");

const { values: given } = parseArgs({
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    count: { type: "string", default: "200" },
    jobs: { type: "string", default: "1" },
    room: { type: "string" },
    only: { type: "string" },
    all: { type: "boolean", default: false },
  },
});

const workplaces = Array.from({ length: Number(given.jobs) }, () => new Workplace());
const clear = () => workplaces.forEach((workplace) => workplace.remove());
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    clear();
    process.exit(130);
  });
try {
  await main();
} finally {
  clear();
}

async function main() {
  const { root } = workplaces[0];
  const listed = JSON.parse(readFileSync(LIST, "utf8"));
  const specs = filesBelow(root, "spec").filter((name) => name.endsWith(".spec.ts"));
  const chosen = specs.filter((name) => given.all || !SLOW_OR_NOT_ABOUT_CODE.test(name));
  const leftOut = specs.filter((name) => !chosen.includes(name));
  if (leftOut.length > 0) console.log(`Left out, unless --all: ${leftOut.join(", ")}`);

  const mutants = filesBelow(root, "dist")
    .filter((file) => file.endsWith(".js") && !NOT_MUTATED.test(file))
    .flatMap((file) => {
      const code = readFileSync(join(root, file), "utf8");
      return mutantsOf(code).map((mutant) => ({ ...mutant, file, code, room: roomOf(file) }));
    });
  for (const entry of listed)
    if (!mutants.some((mutant) => isEntryOf(entry, mutant)))
      console.log(`without-effect.json has what is no mutant any more: ${JSON.stringify(entry)}`);

  const drawn = draw(mutants);
  const measured = await measure(chosen, workplaces[0]);
  const options = ["room", "only"].filter((name) => given[name]).map((name) => ` --${name} ${given[name]}`);
  console.log(
    `${drawn.length} of ${mutants.length} mutants, seed ${given.seed}; the same again: ` +
      `npm run mutation -- --seed ${given.seed} --count ${given.count}${options.join("")}${given.all ? " --all" : ""}`,
  );

  const queue = drawn.entries();
  await Promise.all(
    workplaces.map(async (workplace) => {
      for (const [at, mutant] of queue) {
        const begun = performance.now();
        Object.assign(mutant, await tryOut(mutant, measured, workplace));
        const entry = listed.find((one) => isEntryOf(one, mutant));
        const isWithoutEffect = entry !== undefined || DEBUG.test(mutant.before);
        if (isWithoutEffect && mutant.outcome === "survived") mutant.outcome = "without effect";
        else if (entry !== undefined) console.log(`without-effect.json has what has one: ${JSON.stringify(entry)}`);
        const seconds = ((performance.now() - begun) / 1000).toFixed(1);
        const by = mutant.spec ? ` (${mutant.spec})` : "";
        console.log(`${at + 1}. ${mutant.file}:${mutant.line} ${mutant.outcome}${by}, ${seconds} s`);
      }
    }),
  );
  report(drawn);
}

/** A folder of `dist/`, or of its `inbox/`. */
function roomOf(file) {
  const [first = "root", second] = dirname(file).split("/").slice(1);
  return first === "inbox" && second !== undefined ? `${first}/${second}` : first;
}

/** By the file's name alone: a folder may be moved. */
function isEntryOf(entry, { file, where, before, after }) {
  return entry.file === basename(file) && entry.where === where && entry.before === before && entry.after === after;
}

/** One of each room in turn, so that a big room does not stand for all. The same seed draws the same of the same build. */
function draw(mutants) {
  if (given.only !== undefined) return mutants.filter(({ file, line }) => `${file}:${line}` === given.only);
  const lotOf = ({ file, start, end, text }) =>
    createHash("sha256").update(`${given.seed} ${file} ${start} ${end} ${text}`).digest("hex");
  const rooms = new Map();
  for (const mutant of mutants.filter(({ room }) => given.room === undefined || room === given.room))
    rooms.set(mutant.room, [...(rooms.get(mutant.room) ?? []), { ...mutant, lot: lotOf(mutant) }]);
  return [...rooms.values()]
    .flatMap((room) =>
      room.toSorted((one, other) => (one.lot < other.lot ? -1 : 1)).map((mutant, turn) => ({ mutant, turn })),
    )
    .toSorted((one, other) => one.turn - other.turn)
    .slice(0, Number(given.count))
    .map(({ mutant }) => mutant);
}

/** Runs the specs that come by, the quickest first. */
async function tryOut(mutant, measured, workplace) {
  const msOf = (spec) => measured.get(spec).ms;
  const specs = [...measured.keys()]
    .filter((spec) => isIn(measured.get(spec).executes[mutant.file] ?? [], mutant.runsAt))
    .toSorted((one, other) => msOf(one) - msOf(other));
  if (specs.length === 0) return { outcome: "survived", specs };
  const path = join(workplace.root, mutant.file);
  writeFileSync(path, mutated(mutant.code, mutant));
  const ended = await workplace.run(specs, (spec) => Math.max(LIMIT.leastMs, LIMIT.times * msOf(spec)));
  writeFileSync(path, mutant.code);
  return { ...ended, specs };
}

function report(drawn) {
  const OUTCOMES = ["killed", "timed out", "without effect", "survived"];
  const rowOf = (room, mutants) => {
    const counts = OUTCOMES.map((outcome) => mutants.filter((mutant) => mutant.outcome === outcome).length);
    return [room, mutants.length, ...counts, `${(100 * noticedOf(mutants)).toFixed(1)} %`];
  };
  const rows = [
    ["room", "drawn", ...OUTCOMES, "of those with an effect"],
    ...[...new Set(drawn.map(({ room }) => room))].map((name) =>
      rowOf(
        name,
        drawn.filter(({ room }) => room === name),
      ),
    ),
    rowOf("all", drawn),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => `${row[column]}`.length)));
  console.log();
  for (const [name, ...cells] of rows)
    console.log([name.padEnd(widths[0]), ...cells.map((cell, at) => `${cell}`.padStart(widths[at + 1]))].join("  "));
  for (const { file, line, where, before, after, specs } of drawn.filter(({ outcome }) => outcome === "survived"))
    console.log(
      `\n${file}:${line} in ${where || "the file"}, ${specs.length === 0 ? "which no spec runs" : `${specs.length} specs passed`}\n- ${before}\n+ ${after}`,
    );
  if (noticedOf(drawn) < AIM) process.exitCode = 1;
}

/** The share of the mutants with an effect that a spec noticed. */
function noticedOf(mutants) {
  const withEffect = mutants.filter(({ outcome }) => outcome !== "without effect");
  return withEffect.length === 0
    ? 1
    : withEffect.filter(({ outcome }) => outcome !== "survived").length / withEffect.length;
}
