// The process of one server: listens, and tells the runner what reached its handlers and how busy it was.

import { createServer } from "node:http";

import { Handled } from "./handled.mjs";

/** @slack/bolt answers before its handlers have run. */
const LAST_HANDLERS_MS = 100;

const { server, options } = JSON.parse(process.argv[2]);
const { start } = await import(`./servers/${server}.mjs`);

const handled = new Handled();
const listener = createServer(await start(handled, options)).listen(0, "127.0.0.1", () => {
  process.send({ port: listener.address().port, registeredMs: handled.registeredMs });
});

let begun;
let busyShare;

/** Of the time since `begun`, the share in which this process kept its core busy. */
function busyShareSince({ ms, cpu }) {
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1_000 / (performance.now() - ms);
}

process.on("message", (message) => {
  if (message === "begun") begun = { ms: performance.now(), cpu: process.cpuUsage() };
  if (message === "over") busyShare = busyShareSince(begun);
  if (message === "report") setTimeout(() => process.send({ ...handled.report, busyShare }), LAST_HANDLERS_MS);
});
process.on("disconnect", () => process.exit());
