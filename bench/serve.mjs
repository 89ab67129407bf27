// The process of one server: listens, and tells the runner what reached its handlers and how busy it was.

import { createServer } from "node:http";

import { Handled } from "./handled.mjs";

/** Some answer before their handlers have run: how long they have for it, and for what comes twice, in milliseconds. */
const LAST_HANDLERS_MS = 20_000;
const TWICE_MS = 100;

const { server, options } = JSON.parse(process.argv[2]);
if (options.subscriber !== undefined) await import(`./subscribers/${options.subscriber}.mjs`);
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
  if (message === "memory") process.send(memory());
  if (message === "cpu") process.send(process.cpuUsage());
  if (typeof message === "number") report(message);
});

function memory() {
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss, handled: handled.report.handled };
}

/** @param answered - how many requests were */
async function report(answered) {
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const end = performance.now() + (options.concurrency === 0 ? 0 : LAST_HANDLERS_MS);
  while (handled.report.handled < answered && performance.now() < end) await wait(10);
  await wait(TWICE_MS);
  process.send({ ...handled.report, busyShare });
}

process.on("disconnect", () => process.exit());
