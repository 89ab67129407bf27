// Measures what an inbox costs, each measure beside the one that it is compared with, and prints one table. README.md says how to make it shorter.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import { chooseCores } from "./cores.mjs";
import { count, median, table } from "./figures.mjs";
import { measure } from "./measure.mjs";
import { startProcess } from "./process.mjs";
import { startRedis } from "./redis.mjs";

const PATIENCE_MS = 600_000;
/** How many are taken out of a backlog in a measure. */
const TAKEN = 30_000;

const { values: given } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "5" },
    backlog: { type: "string", default: "1000000" },
    only: { type: "string", default: "" },
    sleepless: { type: "boolean", default: false },
  },
});
const rounds = Number(given.rounds);
const measureMs = Math.round(Number(given.seconds) * 1_000);
const backlog = Number(given.backlog);
const cores = chooseCores();
const folder = mkdtempSync(join(tmpdir(), "bench-inbox-"));
const redis = await startRedis(folder, cores.load);
let files = 0;
const newFile = () => join(folder, `${files++}.db`);

const served = (options) => async () => {
  // A queue of its own as well: the requests of every measure are the same.
  const file = options.file ?? newFile();
  const place = { file, port: redis?.port, name: basename(newFile()) };
  const measured = { server: "inbox", options: { ...place, ...options } };
  return (await measure(measured, cores, measureMs, given.sleepless)).perSecond;
};

async function resultOf(what, file, number) {
  const args = ["backlog.mjs", JSON.stringify({ what, file, count: number })];
  const process = startProcess(cores.server, args, AbortSignal.timeout(PATIENCE_MS));
  try {
    return await process.next();
  } finally {
    process.end();
  }
}

async function filled(number) {
  const file = newFile();
  await resultOf("fill", file, number);
  return file;
}

const none = served({ inbox: "none" });
const sqlite = served({ inbox: "sqlite" });

/** Each: what is measured, beside what, and how many times that it should be. */
const PAIRS = [
  { id: "sqlite", label: "`sqliteInbox`, of no inbox", one: sqlite, other: none, wanted: 0.85 },
  {
    id: "sqlite-each",
    label: "`sqliteInbox`, of one transaction for each callback",
    one: sqlite,
    other: served({ inbox: "sqlite-each" }),
    wanted: 2,
  },
  ...(redis === undefined
    ? []
    : [
        {
          id: "bullmq",
          label: "`bullmqInbox`, receiving and handling in one process, of no inbox",
          one: served({ inbox: "bullmq" }),
          other: none,
          wanted: 0.5,
        },
        {
          id: "bullmq-receives",
          label: "`bullmqInbox`, receiving only, of no inbox",
          one: served({ inbox: "bullmq", concurrency: 0 }),
          other: none,
          wanted: 0.5,
        },
      ]),
].filter(({ id }) => id.includes(given.only));

if ("backlog".includes(given.only)) {
  process.stderr.write(`filling a file with ${count(backlog)} messages\n`);
  const full = await filled(backlog);
  PAIRS.push(
    {
      id: "backlog-receives",
      label: `receiving with a backlog of ${count(backlog)} due messages, of receiving with none`,
      one: served({ inbox: "sqlite", concurrency: 0, file: full }),
      other: served({ inbox: "sqlite", concurrency: 0 }),
      wanted: 0.9,
    },
    {
      id: "backlog-takes",
      label: `taking out of a backlog of ${count(backlog)}, of one of ${count(2 * TAKEN)}`,
      one: async () => (await resultOf("take", full, TAKEN)).perSecond,
      other: async () => (await resultOf("take", await filled(2 * TAKEN), TAKEN)).perSecond,
      wanted: 0.9,
    },
  );
}

const measured = new Map(PAIRS.map(({ id }) => [id, []]));
for (let round = 1; round <= rounds; round++) {
  for (const { id, one, other } of PAIRS) {
    process.stderr.write(`round ${round} of ${rounds}: ${id}\n`);
    // Whichever is first, so that neither gains by it.
    const [a, b] = round % 2 === 1 ? [await one(), await other()] : [await other(), await one()].reverse();
    measured.get(id).push({ one: a, other: b, ratio: a / b });
  }
}

const load = given.sleepless ? "a load that never sleeps" : "a load that sleeps while it waits";
console.log(`${cores.note}; Node ${process.versions.node}; ${rounds} rounds of ${given.seconds} s, ${load}`);
if (redis === undefined) console.log("redis-server is not installed: the rows of bullmqInbox are left out.");
console.log(
  table(
    ["", "a second", "compared with", "ratio", "lowest to highest", "wanted"],
    PAIRS.map(({ id, label, wanted }) => {
      const of = (what) => measured.get(id).map((pair) => pair[what]);
      const ratios = of("ratio");
      return [
        label,
        count(median(of("one"))),
        count(median(of("other"))),
        median(ratios).toFixed(2),
        `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
        wanted.toFixed(2),
      ];
    }),
  ),
);
redis?.stop();
rmSync(folder, { recursive: true });
