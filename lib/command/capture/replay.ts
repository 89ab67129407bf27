// Sends the callbacks that came through a router with the options that are printed.

import { setImmediate } from "node:timers/promises";

import type { Receipt } from "../../answer/receipt.js";
import { callbackOf, inflated } from "../../provider/as-callback.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import { incomingSms } from "../../router.js";
import type { Fit } from "./fitting.js";

const AT_A_TIME = 25;

const SILENT = { warn: () => undefined, error: () => undefined };

/** @returns the receipts, in the order of the callbacks */
export async function replay(options: Fit["options"], callbacks: readonly SavedCallback[]): Promise<Receipt[]> {
  const emitWarning = process.emitWarning.bind(process);
  // A router that is only tried warns of what the findings say.
  process.emitWarning = () => undefined;
  try {
    // Who calls is no question here: the bytes are those that came.
    const sms = incomingSms({ ...options, authenticate: false, deduplicate: false, logger: SILENT });
    sms.on("message", () => undefined);
    const receipts: Receipt[] = [];
    for (const callback of callbacks) {
      // Many are replayed while others come, which want their answers.
      if (receipts.length % AT_A_TIME === 0) await setImmediate();
      receipts.push(await sms.receive(callbackOf({ ...callback, body: bytes(callback) })));
    }
    await sms.close();
    return receipts;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** As they came if they cannot be inflated: then the receipt says what they are. */
function bytes(callback: SavedCallback): Uint8Array {
  try {
    return inflated(callback);
  } catch {
    return callback.body;
  }
}
