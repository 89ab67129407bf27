// Two servers side by side: each is sent to for a moment in turn, and each moment is compared with its neighbour.

import { median, middle, rounded } from "./figures.mjs";
import { startProcess } from "./process.mjs";

const PATIENCE_MS = 60_000;

/**
 * @param makeSides - makes both for a launch: an inbox needs a new place each time. Each has `server`, a file of
 * `servers/`, and its `options`; perhaps `node`, an executable, and `env`
 * @param plan - `launches` of both servers, and in each, after `warmUpMs`, so many `pairs` of moments of `sliceMs`
 * @param cores - both servers are on one core, or wherever they like with `isUnpinned`
 * @returns the ratio of what the first side answers in a second to what the second one does
 */
export async function measurePairs(makeSides, plan, cores) {
  const pairs = [];
  let registeredMs;
  for (let launch = 0; launch < plan.launches; launch++) {
    const launched = await measureLaunch(await makeSides(), plan, cores, launch % 2 === 1);
    pairs.push(...launched.pairs);
    registeredMs = launched.registeredMs;
  }
  const of = (side) => ({
    perSecond: rounded(median(pairs.map((pair) => pair[side].perSecond))),
    micros: rounded(median(pairs.map((pair) => pair[side].micros))),
  });
  return {
    ratio: middle(pairs.map(([a, b]) => a.perSecond / b.perSecond)),
    cpu: middle(pairs.map(([a, b]) => b.micros / a.micros)),
    sides: [of(0), of(1)],
    ...(registeredMs === undefined ? {} : { registeredMs: rounded(registeredMs) }),
  };
}

async function measureLaunch(sides, plan, cores, isReversed) {
  const { warmUpMs, pairs, sliceMs, isSleepless = true, isUnpinned = false } = plan;
  const signal = AbortSignal.timeout(2 * warmUpMs + 4 * pairs * sliceMs + PATIENCE_MS);
  const load = startProcess(cores.load, ["load.mjs", JSON.stringify({ isSleepless })], signal);
  const servers = [];
  try {
    for (const side of sides) servers.push(await startServer(side, isUnpinned ? [] : cores.server, signal));
    const slice = async (server, ms) => {
      const before = await cpuOf(server);
      const { port, side } = server;
      const { perSecond, answered, refused } = await load.ask({ port, server: side.server, options: side.options, ms });
      if (refused > 0) throw new Error(`${side.server}: ${refused} requests were refused.`);
      server.answered += answered;
      await allHandled(server);
      return { perSecond, micros: ((await cpuOf(server)) - before) / answered };
    };
    const order = isReversed ? servers.toReversed() : servers;
    for (const server of order) await slice(server, warmUpMs);
    const measured = await inTurn(order, pairs, (server) => slice(server, sliceMs));
    for (const server of servers) await check(server);
    return {
      pairs: isReversed ? measured.map((pair) => pair.toReversed()) : measured,
      registeredMs: servers[0].registeredMs,
    };
  } finally {
    load.end();
    for (const server of servers) server.process.end();
  }
}

/** What `slice` gives for both servers, in pairs. A B B A: whatever grows over time hits both. */
export async function inTurn([a, b], pairs, slice) {
  const measured = [];
  for (let n = 0; n < pairs; n++) {
    if (n % 2 === 0) measured.push([await slice(a), await slice(b)]);
    else measured.push([await slice(b), await slice(a)].reverse());
  }
  return measured;
}

/**
 * Starts the process of a server.
 *
 * @param flags - of node
 */
export async function startServer(side, pinned, signal, flags = []) {
  const { server, options = {}, node, env } = side;
  const args = [...flags, "serve.mjs", JSON.stringify({ server, options })];
  const started = startProcess(pinned, args, signal, { node, env });
  return { side: { ...side, options }, process: started, answered: 0, ...(await started.next()) };
}

const handles = ({ side }) => side.options.concurrency !== 0;

async function cpuOf(server) {
  const { user, system } = await server.process.ask({ what: "cpu" });
  return user + system;
}

/** Resolves when all that was answered is handled. */
export async function allHandled(server) {
  const { answered, side } = server;
  if (!handles(server)) return;
  const { handled } = await server.process.ask({ what: "handled", count: answered });
  if (handled < answered)
    throw new Error(`${side.server} ${side.options.inbox}: of ${answered}, ${handled} were handled.`);
}

/** Every request was handled once, and every text's keyword was found or none was. */
export async function check(server) {
  const { answered, side } = server;
  const { handled, repeated, keywords } = await server.process.ask({ what: "report" });
  const expected = handles(server) ? answered : 0;
  if (handled === expected && repeated === 0 && (keywords === 0 || keywords === answered)) return;
  throw new Error(
    `${side.server}: of ${answered} requests ${handled} were handled, ${repeated} twice, ${keywords} with a keyword.`,
  );
}
