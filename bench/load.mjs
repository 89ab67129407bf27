// The process that sends the requests: warms the server up, measures, waits for what is still out, and tells the runner.

import { keepSending } from "./connection.mjs";

const CONNECTIONS = 64;

const { server, options, port, warmUpMs, measureMs, isSleepless } = JSON.parse(process.argv[2]);
const { request, signedPerSecond } = await import(`./servers/${server}.mjs`);

let sent = 0;
let answered = 0;
let refused = 0;
let isOver = false;

const next = signedPerSecond === undefined ? () => request(sent++, options) : nextSigned();

/** Signing costs more than sending, so that it is done before the clock starts. */
function nextSigned() {
  const most = Math.ceil((signedPerSecond * (warmUpMs + measureMs)) / 1_000);
  const requests = Array.from({ length: most }, (_, n) => request(n, options));
  return () => {
    if (sent === most) throw new Error(`servers/${server}.mjs signs too few requests a second for this machine.`);
    return requests[sent++];
  };
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const connections = Array.from({ length: CONNECTIONS }, () =>
  keepSending(
    port,
    () => (isOver ? undefined : next()),
    (status) => {
      answered++;
      if (status < 200 || status > 299) refused++;
    },
  ),
);
const ended = Promise.all(connections);

let idleMs = 0;
let seen = 0;
let turnBegun = performance.now();

/** Never lets this process sleep: the server would pay for waking it, on a virtual machine more than for answering. */
function turn() {
  const now = performance.now();
  if (answered === seen) idleMs += now - turnBegun;
  seen = answered;
  turnBegun = now;
  if (!isOver) setImmediate(turn);
}
if (isSleepless) turn();

await Promise.race([ended, wait(warmUpMs)]);
const before = { answered, idleMs, ms: performance.now() };
process.send("begun");

await Promise.race([ended, wait(measureMs)]);
const ms = performance.now() - before.ms;
const perSecond = ((answered - before.answered) * 1_000) / ms;
const busyShare = isSleepless ? 1 - (idleMs - before.idleMs) / ms : undefined;
process.send("over");

isOver = true;
await ended;
process.send({ perSecond, busyShare, answered, refused });
process.disconnect();
