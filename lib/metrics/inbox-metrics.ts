// The metrics of an inbox: what waits in it, and what fails.

import type { Inbox, InboxStats } from "../inbox/inbox.js";
import { statsOf } from "../inbox/stats.js";
import type { Observer } from "../pipeline/observer.js";
import type { ClientGauge, Labels } from "./client.js";
import type { Families, Values } from "./families.js";
import { createReadStats } from "./read-stats.js";

type Operation = Parameters<NonNullable<Observer["inboxFailed"]>>[0] | "store" | "read";
type Cause = Parameters<NonNullable<Observer["deadLetter"]>>[0];
type State = Exclude<keyof InboxStats, "oldestWaitingMs">;

const OPERATIONS: Values<Operation> = { store: true, take: true, end: true, read: true };
const CAUSES: Values<Cause> = { attempts: true, "cut-short": true, unreadable: true };

/**
 * In seconds. A file on a fast disk takes less than a millisecond; the default time limit is 5 s. Steps as of
 * callbacks.
 */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function inboxMetrics(families: Families, inbox: Inbox): Pick<Observer, "store" | "inboxFailed" | "deadLetter"> {
  const stats = statsOf(inbox);
  const readStats = stats && createReadStats(stats, () => failed({ operation: "read" }));
  if (readStats !== undefined) stateMetrics(families, readStats);
  const startTimer = families.histogram(
    "inbox_store_duration_seconds",
    "Seconds that storing a message in the inbox took, whether or not it succeeded.",
    {},
    BUCKETS,
  );
  const failed = families.counter(
    "inbox_errors_total",
    "Failures to store a message (store), to take messages out (take), to write how one ended (end), or to read the counts (read).",
    { operation: OPERATIONS },
    // A failed read is counted in the scrape that it belongs to.
    readStats &&
      (async () => {
        await readStats();
      }),
  );
  const becameDead = families.counter(
    "dead_letters_total",
    "Messages that became dead letters: all attempts failed (attempts), the process ended in each (cut-short), or it is unreadable.",
    {
      cause: CAUSES,
    },
  );
  return {
    store: () => {
      const endTimer = startTimer();
      return {
        ended: (result) => {
          endTimer({});
          if ("cause" in result) failed({ operation: "store" });
        },
      };
    },
    inboxFailed: (operation) => failed({ operation }),
    deadLetter: (cause) => becameDead({ cause }),
  };
}

/** Both are left out while the inbox is out of reach: a 0 would say that all is well. */
function stateMetrics(families: Families, readStats: ReturnType<typeof createReadStats>): void {
  families.gauge(
    "inbox_messages",
    "Messages in the inbox of all processes: waiting, running, delayed or dead. Absent while it cannot be read.",
    { labelNames: ["state"], aggregator: "max" },
    async (gauge) => {
      const stats = await readStats();
      const { waiting, running, delayed, dead }: Partial<InboxStats> = stats ?? {};
      const counts: Record<State, number | undefined> = { waiting, running, delayed, dead };
      for (const [state, count] of Object.entries(counts)) setOrRemove(gauge, { state }, count);
    },
  );
  families.gauge(
    "inbox_oldest_waiting_seconds",
    "How long the oldest waiting message of the inbox has waited; 0 if none waits. Absent while it cannot be read.",
    { aggregator: "max" },
    async (gauge) => {
      const stats = await readStats();
      setOrRemove(gauge, {}, stats && stats.oldestWaitingMs / 1_000);
    },
  );
}

function setOrRemove(gauge: ClientGauge, labels: Labels, value: number | undefined): void {
  if (value === undefined) gauge.remove(labels);
  else gauge.set(labels, value);
}
