// Compares two builds without HTTP, on a machine that is not quiet: both in one process, in turn, for some milliseconds
// at a time. README.md says how.

import { EventEmitter } from "node:events";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";

import { callbackGet, callbackPost } from "./callback.mjs";
import { chooseCores } from "./cores.mjs";
import { count, median, table } from "./figures.mjs";
import { Handled } from "./handled.mjs";
import { startProcess } from "./process.mjs";
import { router } from "./servers/package-router.mjs";

const BLOCK = 300;
const BLOCKS = 1_000;
const WARM_UP_BLOCKS = 200;
const PATIENCE_MS = 120_000;

/** A request as node:http gives it. It has a body when `arrive` is called. */
class Request extends EventEmitter {
  socket = { remoteAddress: "127.0.0.1" };
  httpVersionMajor = 1;
  complete = true;
  destroyed = false;
  readableDidRead = false;
  readableEnded = false;
  readableFlowing = null;

  constructor(text) {
    super();
    const [head, body] = text.split("\r\n\r\n");
    [this.method, this.url] = head.split(" ", 2);
    this.headers = { "content-type": "application/json", "content-length": String(body.length) };
    this.body = undefined;
    this.bytes = Buffer.from(body);
  }

  arrive() {
    this.emit("data", this.bytes);
    this.readableEnded = true;
    this.emit("end");
  }
}

class Response extends EventEmitter {
  headersSent = false;
  setHeader() {}
  writeHead() {
    return this;
  }
  end() {}
}

/** Nanoseconds of a callback, of each build. */
async function measure({ entries, method }) {
  const requestOf = (n) => new Request(method === "GET" ? callbackGet(n) : callbackPost(n));
  const sides = await Promise.all(
    entries.map(async (entry) => {
      const handled = new Handled();
      return { handled, sms: await router(handled, { entry, path: "/sms" }), sent: 0, nanos: [] };
    }),
  );
  const block = (side, isMeasured) => {
    const requests = Array.from({ length: BLOCK }, () => requestOf(side.sent++));
    const begun = process.hrtime.bigint();
    for (const request of requests) {
      side.sms(request, new Response());
      if (method === "POST") request.arrive();
    }
    if (isMeasured) side.nanos.push(Number(process.hrtime.bigint() - begun) / BLOCK);
  };
  for (let n = 0; n < WARM_UP_BLOCKS + BLOCKS; n++)
    for (const side of n % 2 === 0 ? sides : sides.toReversed()) block(side, n >= WARM_UP_BLOCKS);
  for (const { handled, sent } of sides)
    if (handled.report.handled !== sent) throw new Error(`Of ${sent}, ${handled.report.handled} were handled.`);
  // The blocks in which nothing else had the core.
  return sides.map(({ nanos }) => nanos.toSorted((a, b) => a - b)[BLOCKS / 10]);
}

if (process.send === undefined) {
  const { values: given } = parseArgs({
    options: {
      a: { type: "string", default: "../dist" },
      b: { type: "string", default: "../dist" },
      rounds: { type: "string", default: "10" },
    },
  });
  const [a, b] = [given.a, given.b].map((folder) => pathToFileURL(join(resolve(folder), "index.js")).href);
  const cores = chooseCores();
  const measured = async (entries, method) => {
    const child = startProcess(
      cores.server,
      ["blocks.mjs", JSON.stringify({ entries, method })],
      AbortSignal.timeout(PATIENCE_MS),
    );
    try {
      return await child.next();
    } finally {
      child.end();
    }
  };
  const rows = { POST: [], GET: [] };
  for (let round = 0; round < Number(given.rounds); round++) {
    for (const [method, row] of Object.entries(rows)) {
      // What is loaded second is slower by some nanoseconds, whichever it is.
      const first = await measured([a, b], method);
      const second = (await measured([b, a], method)).reverse();
      row.push({ nanos: (first[0] + second[0]) / 2, more: (first[1] - first[0] + second[1] - second[0]) / 2 });
    }
  }
  console.log(`${cores.note}; Node ${process.versions.node}; ${given.rounds} rounds`);
  console.log(
    table(
      ["a callback without HTTP", "ns of A", "ns more of B", "lowest to highest"],
      Object.entries(rows).map(([method, row]) => {
        const more = row.map((one) => one.more);
        return [
          method,
          count(median(row.map(({ nanos }) => nanos))),
          count(median(more)),
          `${count(Math.min(...more))} to ${count(Math.max(...more))}`,
        ];
      }),
    ),
  );
} else {
  process.send(await measure(JSON.parse(process.argv[2])));
  process.disconnect();
}
