// Sends to an inbox for long, as much as it takes: what becomes of the server's memory, and of the file.

import { statSync } from "node:fs";

import { rounded } from "./figures.mjs";
import { startProcess } from "./process.mjs";
import { startServer } from "./pairs.mjs";

const WARM_UP_MS = 5_000;
const LOOKS = 10;
const PATIENCE_MS = 60_000;

/** @param place - of an inbox of SQLite */
export async function measureSoak({ place }, { seconds }, cores) {
  const signal = AbortSignal.timeout(seconds * 2_000 + WARM_UP_MS + PATIENCE_MS);
  const side = { server: "inbox", options: { inbox: "sqlite", ...place } };
  const server = await startServer(side, cores.server, signal, ["--expose-gc"]);
  const load = startProcess(cores.load, ["load.mjs", JSON.stringify({ isSleepless: false })], signal);
  try {
    let answered = 0;
    const look = async (ms) => {
      answered += (await load.ask({ port: server.port, ...side, ms })).answered;
      await server.process.ask({ what: "handled", count: answered });
      return server.process.ask({ what: "memory" });
    };
    await look(WARM_UP_MS);
    const looks = [];
    for (let n = 0; n < LOOKS; n++) looks.push(await look((seconds * 1_000) / LOOKS));
    const { handled } = looks.at(-1);
    return {
      seconds,
      handled,
      heapBytes: looks.map(({ used }) => rounded(used)),
      fileBytes: statSync(place.file).size,
      bytesAMessage: rounded(statSync(place.file).size / handled),
    };
  } finally {
    load.end();
    server.process.end();
  }
}
