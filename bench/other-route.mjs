// Another route of the app while callbacks come, with an inbox and without one, side by side.

import { median, middle, quantile, rounded } from "./figures.mjs";
import { allHandled, check, inTurn, startServer } from "./pairs.mjs";
import { startProcess } from "./process.mjs";

const PACE = { callbacksPerSecond: 500, othersPerSecond: 400 };
const PATIENCE_MS = 120_000;

/** @param sides - the server with the inbox, and the one without */
export async function measureOtherRoute(sides, { warmUpMs, pairs, sliceMs }, cores) {
  const signal = AbortSignal.timeout(2 * warmUpMs + 4 * pairs * sliceMs + PATIENCE_MS);
  const load = startProcess(cores.load, ["paced.mjs"], signal);
  const servers = [];
  try {
    for (const side of sides) servers.push(await startServer(side, cores.server, signal));
    const slice = async (server, ms) => {
      const { port, side } = server;
      const { answered, refused, others } = await load.ask({
        port,
        server: side.server,
        options: side.options,
        ms,
        ...PACE,
      });
      if (refused > 0) throw new Error(`${side.options.inbox}: ${refused} requests were refused.`);
      server.answered += answered;
      await allHandled(server);
      return { p50: quantile(others, 0.5), p99: quantile(others, 0.99) };
    };
    for (const server of servers) await slice(server, warmUpMs);
    const measured = await inTurn(servers, pairs, (server) => slice(server, sliceMs));
    for (const server of servers) await check(server);
    const of = (name) => ({
      ratio: middle(measured.map(([a, b]) => a[name] / b[name])),
      sides: [0, 1].map((side) => rounded(median(measured.map((pair) => pair[side][name])))),
    });
    return { p50: of("p50"), p99: of("p99") };
  } finally {
    load.end();
    for (const server of servers) server.process.end();
  }
}
