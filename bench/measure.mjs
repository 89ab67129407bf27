// One measure of one server: starts it and the load, each a process of its own on a core of its own, and checks the counts.

import { startProcess } from "./process.mjs";

/** In which the server's code is compiled and its heap finds its size. */
const WARM_UP_MS = 2_000;
/** Beyond what a measure takes: for starting, signing and the last answers. */
const PATIENCE_MS = 60_000;

/**
 * Resolves with requests per second and how busy both sides were; rejects where a request was refused, lost or done twice.
 *
 * @param isSleepless - whether the load keeps its core for itself also while it waits; how busy it was is known only then
 */
export async function measure({ server, options }, cores, measureMs, isSleepless = true) {
  const signal = AbortSignal.timeout(WARM_UP_MS + measureMs + PATIENCE_MS);
  const serving = startProcess(cores.server, ["serve.mjs", JSON.stringify({ server, options })], signal);
  const processes = [serving];
  try {
    const { port, registeredMs } = await serving.next();
    const parameters = { server, options, port, warmUpMs: WARM_UP_MS, measureMs, isSleepless };
    const loading = startProcess(cores.load, ["load.mjs", JSON.stringify(parameters)], signal);
    processes.push(loading);
    for (const moment of ["begun", "over"]) {
      await loading.next();
      serving.send(moment);
    }
    const load = await loading.next();
    serving.send(load.answered);
    const report = await serving.next();
    check(server, options, load, report);
    return { perSecond: load.perSecond, loadShare: load.busyShare, serverShare: report.busyShare, registeredMs };
  } finally {
    for (const one of processes) one.end();
  }
}

function check(server, { concurrency }, { answered, refused }, { handled, repeated, keywords }) {
  const expected = concurrency === 0 ? 0 : answered;
  const isComplete = handled === expected && repeated === 0 && (keywords === 0 || keywords === answered);
  if (refused === 0 && isComplete) return;
  throw new Error(
    `${server}: of ${answered} requests ${refused} were refused, ${handled} handled, ${repeated} twice, ${keywords} with a keyword.`,
  );
}
