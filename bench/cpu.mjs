// CPU of a callback in one process, without sockets: steady on a busy machine. Also which room of lib/ takes how much.

import { createServer } from "node:http";
import { Session } from "node:inspector/promises";
import { Duplex } from "node:stream";
import { parseArgs } from "node:util";

import { count, median, table } from "./figures.mjs";
import { Handled } from "./handled.mjs";

const CONNECTIONS = 16;
const ROUNDS = 15;

const { values: given } = parseArgs({
  options: {
    server: { type: "string", default: "package-express" },
    options: { type: "string", default: '{"method":"POST"}' },
    callbacks: { type: "string", default: "20000" },
    profile: { type: "boolean", default: false },
  },
});
const options = JSON.parse(given.options);
const callbacks = Number(given.callbacks);

/** A socket in memory: what is written to it is an answer. */
class Connection extends Duplex {
  remoteAddress = "127.0.0.1";
  #whenAnswered;

  ask(request, whenAnswered) {
    this.#whenAnswered = whenAnswered;
    this.push(Buffer.from(request, "latin1"));
  }

  _read() {}

  _write(chunk, encoding, done) {
    done();
    const answered = this.#whenAnswered;
    this.#whenAnswered = undefined;
    // A next request in this turn would be one that came together with the last one.
    if (answered !== undefined) setImmediate(answered);
  }

  setTimeout() {
    return this;
  }

  destroySoon() {}
}

const handled = new Handled();
const { request, start } = await import(`./servers/${given.server}.mjs`);
const server = createServer({ keepAliveTimeout: 300_000 }, await start(handled, options));
const connections = Array.from({ length: CONNECTIONS }, () => {
  const connection = new Connection();
  server.emit("connection", connection);
  return connection;
});

let sent = 0;

/** Resolves with microseconds of CPU a callback. */
async function round() {
  const before = process.cpuUsage();
  const last = sent + callbacks;
  await Promise.all(
    connections.map(
      (connection) =>
        new Promise((resolve) => {
          const next = () => (sent === last ? resolve() : connection.ask(request(sent++, options), next));
          next();
        }),
    ),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / callbacks;
}

/** Whose a frame is. `undefined`: whose it is that called it, such as a hash, a timer or the garbage of it. */
function ownerOf(url) {
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (name !== undefined) return name;
  const [, room] = /\/dist\/(?:(.+)\/)?[^/]+$/.exec(url) ?? [];
  if (url.includes("/dist/")) return room === undefined ? "lib" : `lib/${room}`;
  if (url.startsWith("file:")) return "bench";
  return /^node:(_http|net|internal\/streams)/.test(url) ? "node:http" : undefined;
}

function sharesOf({ nodes, samples, timeDeltas }) {
  const times = new Map();
  samples.forEach((id, n) => times.set(id, (times.get(id) ?? 0) + timeDeltas[n]));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const shares = new Map();
  const visit = (node, inherited) => {
    const owner = ownerOf(node.callFrame.url) ?? inherited;
    shares.set(owner, (shares.get(owner) ?? 0) + (times.get(node.id) ?? 0));
    for (const child of node.children ?? []) visit(byId.get(child), owner);
  };
  visit(nodes[0], "Node.js otherwise");
  const all = [...shares.values()].reduce((sum, time) => sum + time, 0);
  return [...shares].map(([owner, time]) => [owner, time / all]).sort(([, a], [, b]) => b - a);
}

for (let n = 0; n < 3; n++) await round();
let session;
if (given.profile) {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
}
const rounds = [];
for (let n = 0; n < ROUNDS; n++) rounds.push(await round());
if (handled.report.handled !== sent || handled.report.repeated > 0) throw new Error("Not each was handled once.");
const micros = median(rounds);
console.log(
  `${given.server}: ${micros.toFixed(1)} µs of CPU a callback, median of ${ROUNDS} rounds, ` +
    `${Math.min(...rounds).toFixed(1)} at the least; ${count(ROUNDS * callbacks)} callbacks; Node ${process.version}`,
);
if (session !== undefined) {
  const { profile } = await session.post("Profiler.stop");
  const rows = sharesOf(profile).filter(([, share]) => share >= 0.004);
  console.log(
    table(
      ["where", "µs"],
      rows.map(([owner, share]) => [owner, (share * micros).toFixed(1)]),
    ),
  );
}
process.exit();
