// Makes docs/speed.md from bench/results.json, and renews the figures that other pages quote of it, between markers:
// `npm run docs` does both (`--write`). Without `--write`, it names the pages that differ, and ends with 1: a spec runs that.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";

import { count, kilobytes, milliseconds, ratio, table } from "../bench/figures.mjs";
import { planOf, spread, tableOf } from "../bench/tables.mjs";

const ROOT = join(import.meta.dirname, "..");
const { machine, minutes, versions, groups } = JSON.parse(readFileSync(join(ROOT, "bench", "results.json"), "utf8"));

/** A group's table, and how it was measured. */
function section(name) {
  const { about } = groups[name];
  const short = about.isShort ? " A short run, to try the benchmark: its figures say little." : "";
  const plan = planOf(name, groups[name]);
  return `${tableOf(name, groups[name])}\n\n${plan}${plan === "" ? "" : "\n"}Node ${about.node}, ${about.date}.${short}`;
}

const installed = (name, version) => (version === undefined ? [] : [`${name} ${version}`]);
const software = [
  ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
  ...installed("Redis", machine.redis),
  ...installed("PostgreSQL", machine.postgres),
];

const page = `<!-- Made by \`npm run docs\` from bench/results.json: measure with \`npm run bench\`. -->

# Speed

What the package costs, beside what it is compared with, and what an inbox costs.
Above all, look at the ratios: they say more of your machine than any number of requests a second.

## How it was measured

- On ${machine.cpu}, ${machine.cores} cores, ${count(machine.memoryBytes / 2 ** 30)} GiB of memory, ${machine.system}: ${machine.pinned}.
- With these versions:
${software.map((one) => `  - ${one}`).join("\n")}
- In pairs: two servers run side by side on one core, and a load on another core sends to each for a moment in turn, A B B A.
  Each moment is compared with its neighbour, so that what disturbs the machine disturbs both.
- A ratio is the median of all pairs, and half of the pairs lie between the two figures beside it.
  Where two figures stand side by side, the first one is of this package, or with the inbox.
- CPU is that of the server's process. In use it is near 100 % of a core unless the server waits: for an inbox, for other programs, or for a load that is slower than the server.
- 64 connections on 127.0.0.1 are kept alive, with one request at a time on each.
- Every request has an id of its own, and comes from one of a thousand subscribers. Every answer must be 2xx, and every request must be handled exactly once, or the run fails.
- "By hand" is what users write without the package: \`express.json()\`, Ajv, a \`switch\`, \`res.send\`. It knows no duplicates, no unescaped text, no order and no failures.

## Repeat it

\`\`\`sh
npm run bench                        # everything, unattended, ${minutes} minutes on this machine; writes this page
npx -y -p node@24 npm run bench      # the same under another version of Node
npm run bench:short                  # each measure in a moment: to try whether everything runs
npm run bench -- --only inboxes,routes
\`\`\`

In a clone of the repository. The servers and the load run under the Node that starts the benchmark.
\`bench/README.md\` says which row is which script.

## Callbacks

Callbacks that are handled by the time they are answered, without an inbox: how many a second, of how many.

${section("requests")}

## Versions of Node

Express, POST, of a handler written by hand, both under each version.

${section("nodes")}

## Other packages

Each gets its own provider's payload of about the same size, with a valid signature if the provider signs.
They do different things for different providers: this says what a callback costs, and not which package is better.

${section("peers")}

## What options and ways of use cost

${section("costs")}

## Inboxes

Acknowledged callbacks a second: each is stored on the disk before its answer.
Everything is in Express.
The load sleeps while it waits for answers, as clients do, and Redis (\`appendfsync always\`) and PostgreSQL (\`synchronous_commit = on\`) share its core.
What an inbox has left at the end of a moment is handled before the next one begins; the CPU is that of the whole way, in the server's process only.

${section("inboxes")}

## Another route of the app

An app gets 500 callbacks a second, and 400 requests a second to another route, whose answer says only a few words.
This is how long that route's answers take, with an inbox and without one.
A slow disk is made by a library that delays \`fsync\` and \`fdatasync\`, in the process that writes the inbox: the app itself, Redis or PostgreSQL.

${section("routes")}

## From arrival to handler

At 200 callbacks a second: from the moment at which the callback is sent, over the network and the inbox, to the start of its handler.

${section("handlers")}

## A backlog

With ${count(groups.backlogs.plan.backlog)} messages that wait, each of a subscriber of its own.

${section("backlogs")}

## Loading and memory

${section("startup")}

${section("memory")}

## Hostile bodies

A text that is not escaped is read back by the template of the body.
A sender who knows the template can make this slow, but only in proportion to the length.

${section("hostile")}

## For long

${section("soak")}

${section("log")}

## What the figures do not say

- What your handlers take. Beside a query of a database, all of this is little.
- What a network, TLS, a proxy and a log cost. All servers are spared these alike.
- How many callbacks a second your machine takes: the server had one core, and a virtual machine's neighbours come and go.
- How another disk behaves. An inbox waits for \`fsync\`, which takes from microseconds to tens of milliseconds.
- How a figure moves from start to start: compilers decide differently each time. A difference below a few percent is none.
`;

const of = (group, id) => groups[group].rows[id];
/** What `cell` says of a row, if it was measured. */
const quoted = (group, id, cell) => (of(group, id).missing === undefined ? cell(of(group, id)) : "not measured");
const pair = (group, id) => quoted(group, id, (row) => spread(row.ratio));

const nodes = Object.entries(groups.nodes.rows).filter(([, { missing }]) => missing === undefined);

const inboxes = ["sqlite-one-core", "postgres", "bullmq"]; // each receives and handles, on one core

const summary = table(
  ["what", "measured"],
  [
    ["Express, POST, of a handler written by hand", pair("requests", "express-post")],
    [
      `the same under Node ${nodes.map(([version]) => version).join(", ")}`,
      nodes.map(([, { ratio: found }]) => ratio(found.median)).join(", "),
    ],
    [
      "the same with `sqliteInbox`, `postgresInbox`, `bullmqInbox`, of no inbox",
      inboxes.map((id) => quoted("inboxes", id, (row) => ratio(row.ratio.median))).join(", "),
    ],
  ],
);

const { about } = groups.requests;
const SUMMARY = `Each figure compares callbacks a second: 1.00 is as fast as what is named, 0.50 half as fast.
From a run on ${about.date} under Node ${about.node}, on ${machine.cores} cores of ${machine.cpu}${about.isShort ? " (a short run, to try the benchmark)" : ""}.
The range in brackets holds the middle half of the measurements.
[Speed](docs/speed.md) has all figures, how they were measured, and what they do not say.

${summary}`;

/** What a page may quote, by the name in its markers: `<!-- speed: NAME -->` and `<!-- /speed -->`. */
const QUOTES = {
  summary: `\n\n${SUMMARY}\n\n`,
  "async-handlers": pair("costs", "async-handlers"),
  "log-alone": quoted("log", "log", ({ aloneBytes }) => kilobytes(aloneBytes)),
  "log-together": quoted("log", "log", ({ togetherBytes }) => kilobytes(togetherBytes)),
  "log-full": quoted("log", "log", ({ aloneBytes }) => `${Math.floor(2 ** 30 / (200 * aloneBytes))} seconds`),
  "hostile-body": quoted("hostile", "hostile", ({ slowestMs }) => milliseconds(slowestMs.at(-1))),
};

function withQuotes(text) {
  return text.replace(/<!-- speed: (\S+) -->[^]*?<!-- \/speed -->/g, (_all, name) => {
    if (QUOTES[name] === undefined) throw new Error(`docs/speed.mjs has no quote "${name}".`);
    return `<!-- speed: ${name} -->${QUOTES[name]}<!-- /speed -->`;
  });
}

const read = (path) => readFileSync(join(ROOT, path), "utf8");
const QUOTING = ["README.md", "docs/limits.md", "docs/decisions/promises.md", "docs/decisions/template-as-grammar.md"];
const pages = { "docs/speed.md": page, ...Object.fromEntries(QUOTING.map((path) => [path, withQuotes(read(path))])) };

for (const [path, text] of Object.entries(pages)) {
  const wanted = await format(text, { parser: "markdown", printWidth: 120 });
  if (process.argv.includes("--write")) {
    writeFileSync(join(ROOT, path), wanted);
  } else if (read(path) !== wanted) {
    console.log(`${path} differs: run \`npm run docs\`.`);
    process.exitCode = 1;
  }
}
