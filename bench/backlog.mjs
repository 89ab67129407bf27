// A process that fills an inbox with messages that are due, or takes some of them out and reports how quickly.

import { incomingSms } from "express-kaleyra-sms";

import { idOf, TEXT } from "./callback.mjs";
import { openInbox } from "./inboxes.mjs";

/** Stored before it is waited for, so that they share transactions. */
const TOGETHER = 500;
/** From another thousand of numbers than the load's, and each from a subscriber of its own. */
const FIRST = 10_000_000;

const { what, kind, place, count } = JSON.parse(process.argv[2]);
const inbox = await openInbox(kind, place);
const logger = { warn: console.warn, error: console.error };

async function fill() {
  const sms = incomingSms({ inbox, logger, authenticate: false, concurrency: 0 });
  for (let n = 0; n < count; n += TOGETHER) {
    const receipts = Array.from({ length: Math.min(TOGETHER, count - n) }, (_, i) => {
      const id = FIRST + n + i;
      const fields = { id: idOf(id), source: `44${id}`, recipient: "+919812345678", message: TEXT, keyword: "SAMPLE" };
      return sms.receive({ method: "POST", body: JSON.stringify(fields) });
    });
    for (const { outcome } of await Promise.all(receipts))
      if (outcome !== "stored") throw new Error(`One was ${outcome}.`);
  }
  await sms.close();
}

async function takeOut() {
  const sms = incomingSms({ inbox, logger, authenticate: false });
  let handled = 0;
  let begun;
  const enough = new Promise((resolve) => {
    sms.on("message", () => {
      begun ??= performance.now();
      if (++handled === count) resolve();
    });
  });
  await enough;
  const perSecond = (count * 1_000) / (performance.now() - begun);
  await sms.close();
  return { perSecond };
}

process.send(what === "fill" ? (await fill(), {}) : await takeOut());
process.disconnect();
