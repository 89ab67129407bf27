// The process of one server: listens, and answers what the runner asks of it.

import { createServer } from "node:http";

import { Handled } from "./handled.mjs";

/** Some answer before their handlers have run: how long they have for it, and for what comes twice, in milliseconds. */
const LAST_HANDLERS_MS = 20_000;
const TWICE_MS = 100;
/** A connection rests while the other server is sent to. */
const KEEP_ALIVE_MS = 300_000;

const { server, options } = JSON.parse(process.argv[2]);
if (options.subscriber !== undefined) await import(`./subscribers/${options.subscriber}.mjs`);
const { start } = await import(`./servers/${server}.mjs`);

const handled = new Handled();
const listening = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, await start(handled, options));
listening.listen(0, "127.0.0.1", () => {
  process.send({ port: listening.address().port, registeredMs: handled.registeredMs });
});

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const ANSWERS = {
  cpu: () => process.cpuUsage(),
  memory: () => {
    globalThis.gc();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { used: heapUsed + external, rss, handled: handled.report.handled };
  },
  /** When so many were handled, or too much time has passed. */
  handled: async ({ count }) => {
    const begun = performance.now();
    while (handled.report.handled < count && performance.now() < begun + LAST_HANDLERS_MS) await wait(2);
    return handled.report;
  },
  report: async () => {
    await wait(TWICE_MS);
    return handled.report;
  },
  times: () => handled.takeTimes(),
};

process.on("message", async (question) => process.send(await ANSWERS[question.what](question)));
process.on("disconnect", () => process.exit());
