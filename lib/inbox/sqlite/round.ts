// Writes a round: one transaction with every message that came or ended since the last one.

import type { InboxSettings } from "../inbox-options.js";
import { backoffAfter } from "../retry.js";
import type { CutShort, Lease } from "../rounds/engine.js";
import type { Arrival, EndedRow, OwnRow, TakenRow } from "./batch.js";
import type { Ledger, Stored } from "./ledger.js";
import type { Processes } from "./processes.js";

/**
 * The processes whose lease has ended. `until` is its end, and `since` is when this process noticed, both in
 * milliseconds since the epoch.
 */
export type Suspects = ReadonlyMap<number, { readonly until: number; readonly since: number }>;

interface Deps {
  readonly ledger: Ledger;
  readonly processes: Processes;
}

/** What a round writes. */
export interface Todo {
  readonly arrivals: readonly Arrival[];
  readonly ended: readonly EndedRow[];
  /** Messages that the file says are held, and that run now. */
  readonly started: readonly OwnRow[];
  readonly lease: Lease;
  /** The rows of all messages of this process, given only if the file may say otherwise. */
  readonly known: readonly number[] | undefined;
  /** Whether the process has messages that others must not take. */
  readonly hasMessages: boolean;
  /** How many messages the process could run now. */
  readonly free: number;
  /** How many more it would probably run before the next round. */
  readonly spare: number;
  /** When the next message is known to be due, in milliseconds since the epoch; `Infinity` if none is. */
  readonly due: number;
  /** Whether the clock may have been set back since the last look. */
  readonly isClockSetBack: boolean;
  /** Whether to look for dead processes. */
  readonly isInspection: boolean;
  readonly suspects: Suspects;
  /** How many keys to look at, to remove those that were kept for `retentionMs`. */
  readonly pruneLimit: number;
}

/** What a round has written. */
export interface Result {
  readonly lease: Lease;
  /** One for each arrival. */
  readonly stored: readonly Stored[];
  /** The messages that this process takes, from the file or from the arrivals. */
  readonly entries: readonly TakenRow[];
  /** New dead letters: their process died in each attempt. */
  readonly deadLetters: readonly CutShort[];
  /** Whether an unreadable row was set aside. */
  readonly hasUnreadable: boolean;
  readonly due: number;
  readonly suspects: Suspects;
  /** Whether a key was removed. */
  readonly hasPruned: boolean;
}

/** Must run in a transaction. Changes only the tables: the result is valid once the transaction is committed. */
export function writeRound(deps: Deps, settings: InboxSettings, todo: Todo, now: number): Result {
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
  if (todo.known !== undefined) {
    ledger.releaseUnknown(todo.lease.owner, todo.known, now);
    isDue = true;
  }
  const { deadLetters, suspects, hasTakenOver } = todo.isInspection
    ? inspect(deps, settings, todo, now)
    : { ...todo, deadLetters: [], hasTakenOver: false };
  isDue ||= hasTakenOver;

  let { free, spare } = todo;
  const canTake = free > 0 && (isDue || todo.arrivals.length > 0);
  const lease =
    canTake || todo.hasMessages || todo.isInspection ? processes.renew(todo.lease, now, todo.isInspection) : todo.lease;
  const { owner } = lease;
  const entries: TakenRow[] = [];
  let hasUnreadable = false;
  const started = todo.started.filter((entry) => entry.owner === owner).map(({ seq }) => seq);
  if (started.length > 0) ledger.start(started, owner, now);
  if (isDue && free > 0) {
    const wanted = free + spare;
    const { taken, hasUnreadable: isAnySetAside } = ledger.take(free, spare, owner, now);
    for (const one of taken) entries.push({ ...one, owner });
    hasUnreadable = isAnySetAside;
    isDue = taken.length === wanted || hasUnreadable;
    spare -= Math.max(0, taken.length - free);
    free = Math.max(0, free - taken.length);
    // Older messages go first: no arrival is held while more are due.
    if (isDue) spare = 0;
  }

  const claim = (): "running" | "held" | "waiting" => {
    if (free > 0) return (free--, "running");
    return spare-- > 0 ? "held" : "waiting";
  };
  const keptSince = now - settings.retentionMs;
  const hasPruned = todo.pruneLimit > 0 && ledger.prune(keptSince, todo.pruneLimit);
  const stored = ledger.store(todo.arrivals, claim, owner, now, keptSince);
  for (const [n, written] of stored.entries()) {
    if (written.as === "waiting") isDue = true;
    else if (written.as === "running" || written.as === "held")
      entries.push({ seq: written.seq, message: n, attempts: 1, owner, isHeld: written.as === "held" });
  }
  const due = isDue ? now : Math.min(Infinity, ...later);
  return { lease, stored, entries, deadLetters, hasUnreadable, due, suspects, hasPruned };
}

/**
 * Takes over the messages of dead processes. The end of a lease is not enough: while nobody could write to the file,
 * its owner could not renew it. So the owner has a third of a lease more, from a moment when this process could write.
 */
function inspect(
  { ledger, processes }: Deps,
  { attempts, leaseMs }: InboxSettings,
  { lease, suspects }: Todo,
  now: number,
): Pick<Result, "deadLetters" | "suspects"> & { readonly hasTakenOver: boolean } {
  const deadLetters: CutShort[] = [];
  const remaining = new Map<number, { readonly until: number; readonly since: number }>();
  let hasTakenOver = false;
  for (const [owner, until] of processes.expired(lease.owner, now)) {
    const known = suspects.get(owner);
    const suspect = known?.until === until ? known : { until, since: now };
    if (now - suspect.since < leaseMs / 3) remaining.set(owner, suspect);
    else {
      deadLetters.push(...ledger.takeOver(owner, attempts, now));
      processes.remove(owner);
      hasTakenOver = true;
    }
  }
  return { deadLetters, suspects: remaining, hasTakenOver };
}

/** Writes the outcomes of attempts. @returns when messages become due again, in milliseconds since the epoch */
function writeEnded(ledger: Ledger, settings: InboxSettings, ended: Todo["ended"], now: number): number[] {
  const due: number[] = [];
  const done = new Map<number, number[]>();
  const sources = new Set<string>();
  /** The message was handled, or forgotten while it ran. */
  const end = ({ seq, owner, source }: EndedRow): void => {
    const seqs = done.get(owner);
    if (seqs === undefined) done.set(owner, [seq]);
    else seqs.push(seq);
    sources.add(source);
  };
  for (const entry of ended) {
    const { seq, owner, attempts, source, outcome } = entry;
    if (outcome.outcome === "released" && ledger.release(seq, owner, attempts - 1, now)) due.push(now);
    else if (outcome.outcome === "failed" && attempts < settings.attempts) {
      const at = now + backoffAfter(attempts, settings);
      if (ledger.requeue(seq, owner, attempts, at)) due.push(at);
      else end(entry);
    } else if (outcome.outcome === "failed" && ledger.markDead(seq, owner, attempts, outcome.reason, now)) {
      sources.add(source);
    } else end(entry);
  }
  for (const [owner, seqs] of done) ledger.markDone(seqs, owner, now);
  if (ledger.promote(sources, now)) due.push(now);
  return due;
}
