// The groups of measures, in the order of the page: each gives a result for each of its rows.

import { measureBacklog } from "./backlogs.mjs";
import { rounded } from "./figures.mjs";
import { BACKLOGS, HANDLERS, INBOXES, ROUTES } from "./inbox-rows.mjs";
import { findNode } from "./nodes.mjs";
import { measureOtherRoute } from "./other-route.mjs";
import { measurePairs } from "./pairs.mjs";
import { resultOf, startProcess } from "./process.mjs";
import { COSTS, MAIN, NODE_VERSIONS, PEERS, REQUESTS } from "./rows.mjs";
import { measureSoak } from "./soak.mjs";
import { timeStartups } from "./startup.mjs";
import { measureToHandler } from "./to-handler.mjs";

const PATIENCE_MS = 600_000;

const REQUEST_PLAN = {
  whole: { launches: 3, warmUpMs: 1_500, pairs: 10, sliceMs: 100 },
  short: { launches: 1, warmUpMs: 300, pairs: 3, sliceMs: 50 },
};

/** Clients sleep while they wait: the disk, Redis and PostgreSQL need the core of the load. */
const INBOX_PLAN = {
  whole: { launches: 2, warmUpMs: 1_500, pairs: 5, sliceMs: 500, isSleepless: false },
  short: { launches: 1, warmUpMs: 300, pairs: 2, sliceMs: 150, isSleepless: false },
};

const servers = (rows, plans = REQUEST_PLAN) => ({
  rows,
  plans,
  measure: ({ sides }, plan, { cores }) => measurePairs(() => sides, plan, cores),
});

/** A server with an inbox, on a new place. */
async function withInbox(places, kind, options = {}, fsyncMs = 0) {
  const { missing, place, env } = await places.make(kind, fsyncMs);
  return missing === undefined ? { server: "inbox", options: { inbox: kind, ...options, ...place }, env } : { missing };
}

async function measureInbox({ kind, other = "none", options, isUnpinned }, plan, { cores, places }) {
  const { missing } = await places.make(kind);
  if (missing !== undefined) return { missing };
  const makeSides = () => Promise.all([withInbox(places, kind, options), withInbox(places, other)]);
  return measurePairs(makeSides, { ...plan, isUnpinned }, cores);
}

async function measureRoute({ kind, fsyncMs }, plan, { cores, places }) {
  const side = await withInbox(places, kind, {}, fsyncMs);
  return side.missing === undefined ? measureOtherRoute([side, await withInbox(places, "none")], plan, cores) : side;
}

async function measureHandler({ kind, isElsewhere }, plan, { cores, places }) {
  const side = await withInbox(places, kind);
  return side.missing === undefined ? measureToHandler(side, isElsewhere, plan, cores) : side;
}

async function measureBacklogOf({ id }, plan, { cores, places }) {
  const { missing } = await places.make(id);
  return missing === undefined ? measureBacklog(id, () => places.make(id), plan, cores) : { missing };
}

async function measureNode({ id }, plan, { cores }) {
  const { missing, node, version } = findNode(id);
  if (missing !== undefined) return { missing };
  return {
    version,
    ...(await measurePairs(() => MAIN.sides.map((side) => ({ ...side, node })), plan, cores)),
  };
}

async function measureMemory() {
  const { keys, before, full, beyond } = await resultOf([], ["--expose-gc", "memory.mjs"], PATIENCE_MS);
  const aMillion = (after, what) => rounded(((after[what] - before[what]) / keys) * 1e6);
  return {
    heapBytes: aMillion(full, "used"),
    residentBytes: aMillion(full, "rss"),
    beyondBytes: aMillion(beyond, "used"),
  };
}

/** The slowest of all bodies, for each length. On any core: the collector of garbage has threads of its own. */
async function measureHostile() {
  const { lengths, rows } = await resultOf([], ["hostile.mjs"], PATIENCE_MS);
  return { lengths, slowestMs: lengths.map((_, n) => rounded(Math.max(...rows.map(({ ms }) => ms[n])))) };
}

async function measureLog(places) {
  const { place } = await places.make("sqlite");
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const start = (what) => startProcess([], ["log-growth.mjs", JSON.stringify({ what, place })], signal);
  const writer = start("write");
  await writer.next();
  const reader = start("read");
  await reader.next();
  try {
    const { aloneBytes, together, togetherBytes } = await writer.ask("measure");
    return { aloneBytes: rounded(aloneBytes), together, togetherBytes: rounded(togetherBytes) };
  } finally {
    writer.end();
    reader.end();
  }
}

const single = (id, measure, plans) => ({
  rows: [{ id }],
  measure: (_row, plan, tools) => measure(plan, tools),
  plans,
});

export const GROUPS = {
  requests: servers(REQUESTS),
  nodes: { rows: NODE_VERSIONS.map((id) => ({ id })), measure: measureNode, plans: REQUEST_PLAN },
  peers: servers(PEERS, { ...REQUEST_PLAN, whole: { ...REQUEST_PLAN.whole, launches: 2 } }),
  costs: servers(COSTS),
  inboxes: { rows: INBOXES, measure: measureInbox, plans: INBOX_PLAN },
  routes: {
    rows: ROUTES,
    measure: measureRoute,
    plans: {
      whole: { warmUpMs: 1_000, pairs: 4, sliceMs: 1_500 },
      short: { warmUpMs: 300, pairs: 2, sliceMs: 300 },
    },
  },
  handlers: {
    rows: HANDLERS,
    measure: measureHandler,
    plans: {
      whole: { warmUpMs: 1_000, slices: 5, sliceMs: 1_000 },
      short: { warmUpMs: 300, slices: 2, sliceMs: 300 },
    },
  },
  backlogs: {
    rows: BACKLOGS,
    measure: measureBacklogOf,
    plans: {
      whole: { ...INBOX_PLAN.whole, launches: 1, backlog: 1_000_000, taken: 5_000 },
      short: { ...INBOX_PLAN.short, backlog: 5_000, taken: 500 },
    },
  },
  startup: single("startup", ({ times }, { cores }) => timeStartups(cores.server, times), {
    whole: { times: 20 },
    short: { times: 3 },
  }),
  memory: single("memory", measureMemory, { whole: {}, short: {} }),
  hostile: single("hostile", measureHostile, { whole: {}, short: {} }),
  log: single("log", (_plan, { places }) => measureLog(places), { whole: {}, short: {} }),
  soak: single("soak", async (plan, { cores, places }) => measureSoak(await places.make("sqlite"), plan, cores), {
    whole: { seconds: 60 },
    short: { seconds: 5 },
  }),
};
