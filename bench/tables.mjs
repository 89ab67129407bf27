// The table of each group of measures, in Markdown, from its results.

import { count, kilobytes, megabytes, milliseconds, ratio, table } from "./figures.mjs";
import { BACKLOGS, HANDLERS, INBOXES, ROUTES } from "./inbox-rows.mjs";
import { COSTS, NODE_VERSIONS, PEERS, REQUESTS } from "./rows.mjs";

/** A ratio, and what half of the pairs lie between. */
export const spread = ({ median, low, high }) => `${ratio(median)} (${ratio(low)} to ${ratio(high)})`;
const between = ({ low, high }) => `${ratio(low)} to ${ratio(high)}`;
const both = (sides, format) => sides.map(format).join(" / ");
const millisecondsSpread = ({ median, low, high }) =>
  `${milliseconds(median)} (${low.toFixed(1)} to ${high.toFixed(1)})`;

const PAIR_HEAD = ["", "ratio", "half of the pairs", "a second", "CPU of a callback, µs", "CPU in use"];
const rateCells = ({ ratio: found, sides }) => [
  ratio(found.median),
  between(found),
  both(sides, ({ perSecond }) => count(perSecond)),
];
const pairCells = ({ ratio: found, sides }) => [
  ...rateCells({ ratio: found, sides }),
  both(sides, ({ micros }) => count(micros)),
  `${both(sides, ({ perSecond, micros }) => count((perSecond * micros) / 1e4))} %`,
];

const pairs = (rows) => ({ rows, head: PAIR_HEAD, lines: ({ label }, result) => [[label, ...pairCells(result)]] });

const TABLES = {
  requests: pairs(REQUESTS),
  nodes: {
    rows: NODE_VERSIONS.map((id) => ({ id, label: `Node ${id}` })),
    head: PAIR_HEAD,
    lines: (_row, result) => [[`Node ${result.version}`, ...pairCells(result)]],
  },
  peers: pairs(PEERS),
  costs: {
    ...pairs(COSTS),
    lines: ({ label, sides }, result) => [
      [label, ...pairCells(result)],
      ...(sides[0].options?.keywords === undefined
        ? []
        : [
            [
              `registering ${count(sides[0].options.keywords)} keywords`,
              milliseconds(result.registeredMs),
              "",
              "",
              "",
              "",
            ],
          ]),
    ],
  },
  inboxes: pairs(INBOXES),
  routes: {
    rows: ROUTES.map((row) => ({ ...row, label: `${row.label}, ${fsync(row.fsyncMs)}` })),
    head: ["", "p50, ms", "of no inbox", "p99, ms", "of no inbox"],
    lines: ({ label }, { p50, p99 }) => [
      [label, ...[p50, p99].flatMap((one) => [both(one.sides, (ms) => ms.toFixed(2)), spread(one.ratio)])],
    ],
  },
  handlers: {
    rows: HANDLERS,
    head: ["", "p50 (half of the seconds)", "p99 (half of the seconds)"],
    lines: ({ label }, { p50, p99 }) => [[label, millisecondsSpread(p50), millisecondsSpread(p99)]],
  },
  backlogs: {
    rows: BACKLOGS,
    head: ["", "ratio", "half of the pairs", "a second"],
    lines: ({ label }, { receives, takes }) => [
      [`${label}, receiving beside a backlog: of receiving with none`, ...rateCells(receives)],
      [`${label}, taking out of a backlog: of taking out of a small one`, ...rateCells(takes)],
    ],
  },
  startup: {
    rows: [{ id: "startup" }],
    head: ["", "over an empty process", "half of the pairs"],
    lines: (_row, { nothing, ours, express, both: all }) => [
      ["`node -e ''`, the whole process", milliseconds(nothing.median), ""],
      ...[
        ['`require("express-kaleyra-sms")`', ours],
        ['`require("express")`', express],
        ["both", all],
      ].map(([label, { median, low, high }]) => [
        label,
        `+${milliseconds(median)}`,
        `${low.toFixed(0)} to ${high.toFixed(0)} ms`,
      ]),
    ],
  },
  memory: {
    rows: [{ id: "memory" }],
    head: ["a million remembered keys", ""],
    lines: (_row, { heapBytes, residentBytes, beyondBytes }) => [
      ["heap and buffers, after a collection", megabytes(heapBytes)],
      ["the same after 1.2 million, of which a million are remembered", megabytes(beyondBytes)],
      ["resident size of the process", megabytes(residentBytes)],
    ],
  },
  hostile: {
    rows: [{ id: "hostile" }],
    head: ["the slowest body that imitates the template", ""],
    lines: (_row, { lengths, slowestMs }) =>
      lengths.map((length, n) => [`${count(length)} characters`, milliseconds(slowestMs[n])]),
  },
  log: {
    rows: [{ id: "log" }],
    head: ["the log of `sqliteInbox`, while something else reads an old state of the file", ""],
    lines: (_row, { aloneBytes, together, togetherBytes }) => [
      ["for a message that comes alone", kilobytes(aloneBytes)],
      [`for each of ${together} messages that come at once`, kilobytes(togetherBytes)],
    ],
  },
  soak: {
    rows: [{ id: "soak" }],
    head: ["`sqliteInbox`, as much as it takes", ""],
    lines: (_row, { seconds, handled, heapBytes, bytesAMessage }) => [
      ["seconds", count(seconds)],
      ["messages handled", count(handled)],
      [
        "heap and buffers after a collection, at ten moments",
        heapBytes.map((bytes) => (bytes / 1e6).toFixed(1)).join(", ") + " MB",
      ],
      ["the file at the end, whose keys are kept, for each message handled", `${count(bytesAMessage)} bytes`],
    ],
  },
};

function fsync(ms) {
  return ms === 0 ? "the disk as it is" : `\`fsync\` +${ms} ms`;
}

/**
 * @param only - the rows whose id holds this; without it, each row of the group must have a result
 */
export function tableOf(name, { rows: results }, only) {
  const { rows, head, lines } = TABLES[name];
  const shown = rows.filter(({ id }) => only === undefined || String(id).includes(only));
  return table(
    head,
    shown.flatMap((row) => {
      const result = results[row.id];
      if (result === undefined)
        throw new Error(`No result of ${name} ${row.id}: node bench/run.mjs --only ${name} --write`);
      if (result.missing === undefined) return lines(row, result);
      return [[row.label, `not measured: ${result.missing}`, ...head.slice(2).map(() => "")]];
    }),
  );
}

/** How its rows were measured, as a sentence. */
export function planOf(name, { plan }) {
  const { launches, pairs: number, sliceMs, slices, warmUpMs, times } = plan;
  const warmUp = `${warmUpMs} ms of warming up`;
  const starts = `${number} after each of ${launches} starts of both servers`;
  if (launches > 1) return `${launches * number} pairs of ${sliceMs} ms: ${starts}, and ${warmUp}.`;
  if (number !== undefined) return `${number} pairs of ${sliceMs} ms, after ${warmUp}.`;
  if (slices !== undefined) return `${slices} times ${sliceMs} ms, after ${warmUp}.`;
  return times === undefined ? "" : `${times} pairs of processes.`;
}
