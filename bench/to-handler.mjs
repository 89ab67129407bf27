// How long a text takes from its arrival to its handler, in the process that received it or in another one.

import { middle, quantile } from "./figures.mjs";
import { allHandled, check, startServer } from "./pairs.mjs";
import { startProcess } from "./process.mjs";

const PACE = { callbacksPerSecond: 200, othersPerSecond: 0 };
const PATIENCE_MS = 120_000;

/** @param side - the server with the inbox; `isElsewhere`: it only receives, and another one handles */
export async function measureToHandler({ server, options, env }, isElsewhere, { warmUpMs, slices, sliceMs }, cores) {
  const signal = AbortSignal.timeout(warmUpMs + 2 * slices * sliceMs + PATIENCE_MS);
  const load = startProcess(cores.load, ["paced.mjs"], signal);
  const servers = [];
  try {
    const start = async (own) => {
      servers.push(
        await startServer({ server, options: { ...options, isTimed: true, ...own }, env }, cores.server, signal),
      );
      return servers.at(-1);
    };
    const receiver = await start(isElsewhere ? { concurrency: 0 } : {});
    const handler = isElsewhere ? await start({}) : receiver;
    const slice = async (ms) => {
      const { answered, refused, times } = await load.ask({ port: receiver.port, server, options, ms, ...PACE });
      if (refused > 0) throw new Error(`${options.inbox}: ${refused} requests were refused.`);
      handler.answered += answered;
      await allHandled(handler);
      const sentAt = new Map(times);
      const handled = await handler.process.ask({ what: "times" });
      return handled.map(([n, at]) => at - sentAt.get(n));
    };
    await slice(warmUpMs);
    const measured = [];
    for (let n = 0; n < slices; n++) measured.push(await slice(sliceMs));
    await check(handler);
    return {
      p50: middle(measured.map((took) => quantile(took, 0.5))),
      p99: middle(measured.map((took) => quantile(took, 0.99))),
    };
  } finally {
    load.end();
    for (const one of servers) one.process.end();
  }
}
