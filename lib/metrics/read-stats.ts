// Reads the counts of an inbox: once for all metrics of a scrape, and within a time limit.

import { codeOf } from "../base/errors.js";
import { TimeLimit } from "../base/time-limit.js";
import type { InboxStats } from "../inbox/inbox.js";

/** Resolves with `undefined` if the inbox is out of reach, late or closed. Does not reject: the scrape would fail. */
export type ReadStats = () => Promise<InboxStats | undefined>;

/** Milliseconds. A scrape of Prometheus fails after ten seconds by default. */
const LIMIT = new TimeLimit(2_000);

/** @param failed - called once for each reading that fails */
export function createReadStats(stats: () => Promise<InboxStats>, failed: () => void): ReadStats {
  const ask = async (): Promise<InboxStats | "closed" | undefined> => {
    try {
      return await stats();
    } catch (cause) {
      return codeOf(cause) === "KALEYRA_SMS_INBOX_CLOSED" ? "closed" : undefined;
    }
  };
  const read: ReadStats = async () => {
    const asking = ask();
    const answer = (await LIMIT.wait(asking)) ? await asking : undefined;
    // A router that was closed is no failure of its inbox.
    if (answer === "closed") return undefined;
    if (answer === undefined) failed();
    return answer;
  };
  let reading: ReturnType<ReadStats> | undefined;
  return () => (reading ??= read().finally(() => (reading = undefined)));
}
