// What the figures of a run are held against.

import { count, median, milliseconds, table } from "./figures.mjs";

const atLeast = (least) => ({ wanted: `at least ${least}`, holds: (value) => value >= least });
const atMost = (most) => ({ wanted: `at most ${most}`, holds: (value) => value <= most });
const ratio = (value) => value.toFixed(2);

/** Eight times the length costs eight times as much, sixty-four times where a reader goes back over what it has read. */
const LINEAR = 20;

/** The worst of all hostile bodies, each by its best round. */
function timesForEightTimes(hostile) {
  const best = (name, n) => Math.min(...hostile.map(({ rows }) => rows.find((row) => row.name === name).ms[n]));
  const last = hostile[0].lengths.length - 1;
  return Math.max(...hostile[0].rows.map(({ name }) => best(name, last) / best(name, 0)));
}

/** Room for what a collection leaves behind. */
const SAME = 1.02;

/** @returns a Markdown table; a target whose rows were left out of the run is left out too */
export function targetTable({ perSecond, registeredMs, startups, loaded, memory, hostile }) {
  const over = (id, other) => perSecond[id] && perSecond[other] && median(perSecond[id]) / median(perSecond[other]);
  const overNothing = (name) => startups && median(startups[name]) - median(startups.nothing);
  const targets = [
    ["Express 5, POST: of the handler by hand", over("ours-express-post", "by-hand"), ratio, atLeast(1.2)],
    ["Express 5, POST: of the empty handler", over("ours-express-post", "empty"), ratio, atLeast(0.78)],
    ["Express 5, POST, every option: of the handler by hand", over("ours-express-all", "by-hand"), ratio, atLeast(1.2)],
    ["Express 5, POST, every option: of the empty handler", over("ours-express-all", "empty"), ratio, atLeast(0.78)],
    ["`node:http`, POST: of `JSON.parse`", over("ours-http-post", "json"), ratio, atLeast(0.65)],
    ["`node:http`, POST, every option: of `JSON.parse`", over("ours-http-all", "json"), ratio, atLeast(0.65)],
    ["`node:http`, POST: of @octokit/webhooks", over("ours-http-post", "octokit"), ratio, atLeast(1.05)],
    ["Express 5: GET of POST", over("ours-express-get", "ours-express-post"), ratio, atLeast(1)],
    [
      "Express 5, POST: a text that is not escaped of one that is",
      over("ours-express-pasted", "ours-express-post"),
      ratio,
      atLeast(0.85),
    ],
    ["the time of a hostile body that is eight times as long", hostile && timesForEightTimes(hostile), ratio, atMost(LINEAR)],
    ["100,000 keywords: of one keyword", over("100000-keywords", "1-keyword"), ratio, atLeast(0.9)],
    ["registering 100,000 keywords, ms", registeredMs && median(registeredMs), count, atMost(1_000)],
    ["`require` of the package over an empty process, ms", overNothing("ours"), milliseconds, atMost(60)],
    ["of Express, body-parser and Ajv, loaded by it", loaded?.length, count, atMost(0)],
    [
      "memory after 1.2 million keys of after the 1 million that are remembered",
      memory && median(memory.map(({ full, beyond }) => beyond.used / full.used)),
      ratio,
      atMost(SAME),
    ],
  ];
  const rows = targets
    .filter(([, value]) => value !== undefined)
    .map(([label, value, format, target]) => [
      label,
      format(value),
      target.wanted,
      target.holds(value) ? "met" : "missed",
    ]);
  return table(["target", "measured", "wanted", ""], rows);
}
