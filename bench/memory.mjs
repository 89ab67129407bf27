// The process that remembers a million keys and more, and tells how much memory they take. Run with --expose-gc.

import { incomingSms } from "express-kaleyra-sms";

import { idOf, sourceOf, TEXT } from "./callback.mjs";

/** After so many the code is compiled, so that what is counted from there on is keys. */
const COMPILED = 10_000;
const MAX = 1_000_000;
const BEYOND = 1_200_000;

const sms = incomingSms({ authenticate: false, deduplicate: { max: MAX } }).on("message", () => undefined);
let received = 0;

async function receiveUpTo(count) {
  while (received < count) {
    const n = received++;
    const fields = { id: idOf(n), source: sourceOf(n), recipient: "+919812345678", message: TEXT, keyword: "SAMPLE" };
    const { outcome } = await sms.receive({ method: "POST", body: JSON.stringify(fields) });
    if (outcome !== "handled") throw new Error(`Callback ${n} was ${outcome}.`);
  }
}

function memory() {
  // The first collection frees buffers in the background, for which the second one waits.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss };
}

await receiveUpTo(COMPILED);
const before = memory();
await receiveUpTo(MAX);
const full = memory();
await receiveUpTo(BEYOND);
const beyond = memory();

process.send({ keys: MAX - COMPILED, before, full, beyond });
process.disconnect();
