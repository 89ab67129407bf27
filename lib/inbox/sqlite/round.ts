// What is written in one transaction: all that came and ended since the last one.

import type { SmsMessage } from "../../callback/message.js";
import { backoffAfter, type InboxSettings } from "../inbox-options.js";
import type { Ended, Entry } from "./in-flight.js";
import type { Ledger, Stored, Taken } from "./ledger.js";
import type { Lease, Processes } from "./processes.js";

/** Processes whose lease has run out: its end, and since when this process knows, in milliseconds since the epoch. */
export type Suspects = ReadonlyMap<number, { readonly until: number; readonly since: number }>;

interface Deps {
  readonly ledger: Ledger;
  readonly processes: Processes;
}

/** What is to be written. */
export interface Todo {
  readonly arrivals: readonly SmsMessage[];
  readonly ended: readonly Ended[];
  /** What was held, and runs now. */
  readonly started: readonly Entry[];
  readonly lease: Lease | undefined;
  /** The rows of all that the process has, where it is not sure that the file says the same. */
  readonly known: readonly number[] | undefined;
  /** Whether the process has anything that others must not take. */
  readonly isHolding: boolean;
  /** How many messages the process could run now. */
  readonly free: number;
  /** How many more it would likely run before the next round. */
  readonly spare: number;
  /** From when on something is due, as far as is known; `Infinity` where it is not. */
  readonly due: number;
  /** Whether the clock may have been set back since the last look. */
  readonly isClockSetBack: boolean;
  /** Whether to look for dead processes. */
  readonly isInspection: boolean;
  readonly suspects: Suspects;
  /** Whether to remove keys whose time is over. */
  readonly isPruning: boolean;
}

/** What was written. */
export interface Written {
  readonly lease: Lease | undefined;
  /** One for each arrival. */
  readonly stored: readonly Stored[];
  /** Handed to this process: taken out, or kept from what came. */
  readonly entries: readonly Entry[];
  /** Dead letters of dead processes. */
  readonly over: readonly Taken[];
  /** Whether something was taken out that could not be read. */
  readonly isUnreadable: boolean;
  readonly due: number;
  readonly suspects: Suspects;
}

/** Keys whose time is over that are removed at once: more than come until the next time. */
const PRUNED = 16_384;

/** Within a transaction. Changes nothing but the tables: what it returns is true when they are committed. */
export function writeRound(deps: Deps, settings: InboxSettings, todo: Todo, now: number): Written {
  const { ledger, processes } = deps;
  const later: number[] = todo.due > now ? [todo.due] : [];
  let isDue = todo.due <= now;
  for (const at of writeEnded(ledger, settings, todo.ended, now)) {
    if (at > now) later.push(at);
    else isDue = true;
  }
  if (todo.isClockSetBack) {
    ledger.clampTimes(settings.backoffMs, now);
    processes.clampLeases(now);
    isDue = true;
  }
  if (todo.known !== undefined && todo.lease !== undefined) {
    ledger.reclaim(todo.lease.owner, todo.known, now);
    isDue = true;
  }
  const { over, suspects, isAnyDead } = todo.isInspection
    ? inspect(deps, settings, todo, now)
    : { ...todo, over: [], isAnyDead: false };
  isDue ||= isAnyDead;

  let { free, spare } = todo;
  const isWanting = free > 0 && (isDue || todo.arrivals.length > 0);
  const lease =
    isWanting || todo.isHolding || todo.isInspection
      ? processes.renewed(todo.lease, now, todo.isInspection)
      : todo.lease;
  const owner = lease?.owner ?? 0;
  const entries: Entry[] = [];
  let isUnreadable = false;
  const started = todo.started.filter((entry) => entry.owner === owner).map(({ seq }) => seq);
  if (started.length > 0) ledger.start(started, owner, now);
  if (isDue && free > 0) {
    const wanted = free + spare;
    const { taken, isAnyUnreadable } = ledger.take(free, spare, owner, now);
    for (const one of taken) entries.push({ ...one, owner });
    isUnreadable = isAnyUnreadable;
    isDue = taken.length === wanted || isAnyUnreadable;
    spare -= Math.max(0, taken.length - free);
    free = Math.max(0, free - taken.length);
    // What was there first goes first: nothing of what comes is kept while more is due.
    if (isDue) spare = 0;
  }

  const claim = (): "running" | "held" | "waiting" => {
    if (free > 0) return (free--, "running");
    return spare-- > 0 ? "held" : "waiting";
  };
  const stored = ledger.store(todo.arrivals, claim, owner, now);
  for (const [n, message] of todo.arrivals.entries()) {
    const written = stored[n];
    if (written?.as === "waiting") isDue = true;
    else if (written?.as === "running" || written?.as === "held")
      entries.push({ seq: written.seq, message, attempts: 1, owner, isHeld: written.as === "held" });
  }
  if (todo.isPruning) ledger.prune(now - settings.retentionMs, PRUNED);
  return { lease, stored, entries, over, isUnreadable, due: isDue ? now : Math.min(Infinity, ...later), suspects };
}

/**
 * A lease that has run out is not enough: while nobody could write, nobody could renew one. Its owner has a third of its time more, from a
 * moment on in which this process could write.
 */
function inspect(
  { ledger, processes }: Deps,
  { attempts, leaseMs }: InboxSettings,
  { lease, suspects }: Todo,
  now: number,
): Pick<Written, "over" | "suspects"> & { readonly isAnyDead: boolean } {
  const over: Taken[] = [];
  const still = new Map<number, { readonly until: number; readonly since: number }>();
  let isAnyDead = false;
  for (const [owner, until] of processes.expired(lease?.owner ?? 0, now)) {
    const known = suspects.get(owner);
    const suspect = known?.until === until ? known : { until, since: now };
    if (now - suspect.since < leaseMs / 3) still.set(owner, suspect);
    else {
      over.push(...ledger.takeOver(owner, attempts, now));
      processes.dismiss(owner);
      isAnyDead = true;
    }
  }
  return { over, suspects: still, isAnyDead };
}

/** @returns from when on something of it is due */
function writeEnded(ledger: Ledger, settings: InboxSettings, ended: Todo["ended"], now: number): number[] {
  const due: number[] = [];
  const done = new Map<number, number[]>();
  const sources = new Set<string>();
  /** Handled, or forgotten while it ran. */
  const end = ({ seq, owner, message }: Entry): void => {
    const seqs = done.get(owner);
    if (seqs === undefined) done.set(owner, [seq]);
    else seqs.push(seq);
    sources.add(message.source);
  };
  for (const { entry, outcome } of ended) {
    const { seq, owner, attempts, message } = entry;
    if (outcome.outcome === "released" && ledger.again(seq, owner, attempts - 1, now)) due.push(now);
    else if (outcome.outcome === "failed" && attempts < settings.attempts) {
      const at = now + backoffAfter(attempts, settings);
      if (ledger.again(seq, owner, attempts, at)) due.push(at);
      else end(entry);
    } else if (outcome.outcome === "failed" && ledger.dead(seq, owner, attempts, outcome.reason, now)) {
      sources.add(message.source);
    } else end(entry);
  }
  for (const [owner, seqs] of done) ledger.done(seqs, owner, now);
  if (ledger.promote(sources)) due.push(now);
  return due;
}
