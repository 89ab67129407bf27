// Prints what was measured: the machine, one table of everything, and the targets.

import { readFileSync } from "node:fs";
import { cpus } from "node:os";

import { count, median, megabytes, milliseconds, percent, spread, table } from "./figures.mjs";
import { SHORT } from "./rows.mjs";
import { heavyPackagesLoaded } from "./startup.mjs";
import { targetTable } from "./targets.mjs";

/** Above it, a figure may be the load's and not the server's. */
const BUSY_LOAD = 0.9;

export function printReport({ rows, measures, startups, memory, hostile }) {
  const perSecond = Object.fromEntries(rows.map(({ id }) => [id, measures[id].map((one) => one.perSecond)]));
  const registeredMs = measures["100000-keywords"]?.map((one) => one.registeredMs);
  const isWhole = memory.length > 0;

  console.log(`${machine()}\n`);
  console.log(
    table(
      ["", "median", "lowest to highest", "compared", "server busy", "load busy"],
      [
        ...rows.map((row) => serverRow(row, measures[row.id], perSecond)),
        ...(registeredMs === undefined ? [] : [otherRow("registering 100,000 keywords", registeredMs, milliseconds)]),
        ...(isWhole ? [...startupRows(startups), ...memoryRows(memory), ...hostileRows(hostile)] : []),
      ],
    ),
  );
  const busy = rows.filter(({ id }) => measures[id].some(({ loadShare }) => loadShare > BUSY_LOAD));
  if (busy.length > 0) {
    console.log(
      `\nThe load was as busy as the server, which may be faster than shown: ${busy.map(({ id }) => id).join(", ")}.`,
    );
  }
  const others = isWhole ? { startups, memory, hostile, loaded: heavyPackagesLoaded() } : {};
  console.log(`\n${targetTable({ perSecond, registeredMs, ...others })}`);
}

function machine() {
  const [{ model }] = cpus();
  const date = new Date().toISOString().slice(0, 10);
  return `${model.trim()}, ${cpus().length} cores; Node ${process.versions.node}, Express ${versionOf("express")}; ${date}`;
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
}

function serverRow({ id, label, peer, against }, measured, perSecond) {
  const ratio = perSecond[against] && median(perSecond[id]) / median(perSecond[against]);
  return [
    peer === undefined ? label : label.replace(peer, `${peer} ${versionOf(peer)}`),
    ...spread(perSecond[id], (value) => `${count(value)}/s`),
    ratio === undefined ? "" : `${ratio.toFixed(2)} of ${SHORT[against]}`,
    percent(median(measured.map(({ serverShare }) => serverShare))),
    percent(median(measured.map(({ loadShare }) => loadShare))),
  ];
}

function otherRow(label, values, format, compared = "") {
  return [label, ...spread(values, format), compared, "", ""];
}

function startupRows(startups) {
  const nothing = median(startups.nothing);
  const row = (label, name) =>
    otherRow(label, startups[name], milliseconds, `+${milliseconds(median(startups[name]) - nothing)}`);
  return [
    otherRow('an empty process, `node -e ""`', startups.nothing, milliseconds),
    row("a process that loads express-kaleyra-sms", "ours"),
    row("a process that loads express", "express"),
    row("a process that loads both", "both"),
  ];
}

function memoryRows(memory) {
  const row = (label, bytesOf, compared) => otherRow(label, memory.map(bytesOf), megabytes, compared);
  const aKey = median(memory.map(({ keys, before, full }) => (full.used - before.used) / keys));
  return [
    row("1,000,000 remembered keys, heap", ({ before, full }) => full.used - before.used, `${count(aKey)} bytes a key`),
    row("the same after 1,200,000", ({ before, beyond }) => beyond.used - before.used),
    row("1,000,000 remembered keys, resident size of the process", ({ full }) => full.rss),
    row("the same after 1,200,000", ({ beyond }) => beyond.rss),
  ];
}

/** The slowest of all hostile bodies, for each length. */
function hostileRows(hostile) {
  const [{ lengths }] = hostile;
  return lengths.map((length, n) =>
    otherRow(
      `the slowest body of ${count(length)} characters that imitates the template`,
      hostile.map(({ rows }) => Math.max(...rows.map(({ ms }) => ms[n]))),
      milliseconds,
    ),
  );
}
