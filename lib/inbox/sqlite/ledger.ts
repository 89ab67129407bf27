// The steps of a message through the table: stored, taken, ended. Each step must run in a transaction of the caller.

import { randomBytes } from "node:crypto";

import type { SmsMessage } from "../../callback/message.js";
import { CUT_SHORT } from "../attempt.js";
import { storedSource } from "../stored-message.js";
import type { Arrival } from "./batch.js";
import { text, type Row } from "./driver.js";
import { messageOf } from "./rows.js";
import { STATE } from "./sql.js";
import type { Statements } from "./statements.js";

/** A message that a process has taken. `seq` is the number of its row. */
export interface Taken {
  readonly seq: number;
  readonly message: SmsMessage;
  /** The number of attempts, this one included. */
  readonly attempts: number;
}

/** A taken message that is to run now, or is held to run next. */
export interface HeldOrRunning extends Taken {
  readonly isHeld: boolean;
}

/** The result of storing a message. */
export type Stored =
  { readonly as: "running" | "held"; readonly seq: number } | { readonly as: "waiting" | "behind" | "duplicate" };

export class Ledger {
  readonly #statements: Statements;
  /** The last key that was looked at. The first one is any: a process that is often restarted would see no others. */
  #prunedTo = randomBytes(32).toString("base64url");

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /**
   * Stores messages in their order. The owner may take a message at once if no earlier one of its source is live.
   *
   * @param claim - called for each such message: how the owner takes it, or `waiting` if the owner takes no more
   * @param keptSince - a message whose key was kept before that instant is a new one
   * @returns one result for each message
   */
  store(
    messages: readonly Arrival[],
    claim: () => "running" | "held" | "waiting",
    owner: number,
    now: number,
    keptSince: number,
  ): Stored[] {
    if (messages.length === 0) return [];
    const known = this.#known(
      messages.map(({ key }) => key),
      keptSince,
    );
    const keys = new Set<string>();
    const sources = this.#liveSources(messages.map(({ source }) => storedSource(source)));
    const insert = this.#statements.get("insert");
    return messages.map((message) => {
      const { key } = message;
      const source = storedSource(message.source);
      if (keys.has(key)) return { as: "duplicate" };
      keys.add(key);
      const found = known.get(key);
      if (found !== undefined) {
        if (found.revivable === undefined) return { as: "duplicate" };
        sources.add(source);
        this.#statements.run("revive", now, source, message.text, source, found.revivable);
        return { as: "waiting" };
      }
      const as = sources.has(source) ? "behind" : claim();
      sources.add(source);
      const isTaken = as === "running" || as === "held";
      const { lastInsertRowid } = insert.run(
        ...[key, source, message.text, STATE[as], as === "running" ? 1 : 0, now, isTaken ? owner : null],
      );
      return isTaken ? { as, seq: Number(lastInsertRowid) } : { as };
    });
  }

  /** @returns the sources with a message that has not ended */
  #liveSources(sources: readonly string[]): Set<string> {
    return new Set(this.#statements.rows("liveSources", JSON.stringify(sources)).map(({ source }) => String(source)));
  }

  /** @returns the keys that exist, with the row of a dead letter or an unreadable row: its message is handled again */
  #known(keys: readonly string[], keptSince: number): ReadonlyMap<string, { readonly revivable: number | undefined }> {
    const wanted = JSON.stringify(keys);
    return new Map(
      this.#statements
        .rows("known", wanted, wanted, keptSince)
        .map(({ key, seq, revivable }) => [
          String(key),
          { revivable: Number(revivable) === 1 ? Number(seq) : undefined },
        ]),
    );
  }

  /**
   * Takes the messages that are due, the oldest first: up to `free` to run, and up to `spare` more to hold. A message
   * is held only for its first attempt: if it keeps ending the process, every later attempt must count.
   */
  take(free: number, spare: number, owner: number, now: number): { taken: HeldOrRunning[]; hasUnreadable: boolean } {
    const due = this.#statements.rows("due", now, free + spare);
    const taken: HeldOrRunning[] = [];
    const unreadable: Row[] = [];
    let readable = 0;
    for (const one of due) {
      const read = takenOf(one);
      if (read === undefined) unreadable.push(one);
      else {
        const isHeld = readable++ >= free;
        if (!isHeld || read.attempts === 1) taken.push({ ...read, isHeld });
      }
    }
    if (unreadable.length > 0) this.#setAside(unreadable, now);
    const seqs = (isHeld: boolean): number[] => taken.filter((one) => one.isHeld === isHeld).map(({ seq }) => seq);
    if (taken.length > 0) this.start(seqs(false), owner, now);
    if (taken.length > free) this.#statements.run("hold", owner, JSON.stringify(seqs(true)));
    return { taken, hasUnreadable: unreadable.length > 0 };
  }

  /** Sets unreadable rows aside, so that they do not block their source. */
  #setAside(rows: readonly Row[], now: number): void {
    this.#statements.run("setAside", now, JSON.stringify(rows.map(({ seq }) => Number(seq))));
    this.#statements.run("promoteAll");
  }

  /** Marks taken or held messages as running. */
  start(seqs: readonly number[], owner: number, now: number): void {
    this.#statements.run("start", now, owner, JSON.stringify(seqs));
  }

  /** Deletes handled or forgotten messages, and keeps their keys. */
  markDone(seqs: readonly number[], owner: number, now: number): void {
    const rows = JSON.stringify(seqs);
    this.#statements.run("keepKeys", now, owner, rows);
    this.#statements.run("remove", owner, rows);
  }

  /**
   * Makes a message wait again, until `at`, in milliseconds since the epoch.
   *
   * @param attempts - the number of attempts that count
   * @returns `false` if the message was forgotten, or another process has it
   */
  requeue(seq: number, owner: number, attempts: number, at: number): boolean {
    return this.#statements.run("requeue", at, attempts, owner, seq) === 1;
  }

  /** Makes a message wait that has not started. @returns as `requeue` */
  release(seq: number, owner: number, attempts: number, now: number): boolean {
    return this.#statements.run("release", now, attempts, owner, seq) === 1;
  }

  /** Makes a message a dead letter. @returns `false` if the message was forgotten, or another process has it */
  markDead(seq: number, owner: number, attempts: number, reason: string, now: number): boolean {
    return this.#statements.run("bury", now, attempts, reason, owner, seq) === 1;
  }

  /**
   * Makes the next message of each source wait, after an earlier one has ended. It waits behind those that wait already.
   *
   * @returns whether there was a next message
   */
  promote(sources: ReadonlySet<string>, now: number): boolean {
    if (sources.size === 0 || Number(this.#statements.row("anyBehind").any) === 0) return false;
    return this.#statements.run("promote", now, JSON.stringify(Array.from(sources, storedSource))) > 0;
  }

  /**
   * Looks through the next keys, at most `limit`, and removes those that were kept before an instant, in milliseconds
   * since the epoch.
   *
   * @returns whether there was one
   */
  prune(before: number, limit: number): boolean {
    const from = this.#prunedTo;
    const { count, last } = this.#statements.row("keysAfter", from, limit);
    const to = text(last);
    const hasRemoved = to !== undefined && this.#statements.run("prune", from, to, before) > 0;
    const isEnd = Number(count) < limit;
    this.#prunedTo = (isEnd ? undefined : to) ?? "";
    return (isEnd && from !== "" && this.prune(before, limit - Number(count))) || hasRemoved;
  }

  /**
   * Releases the messages of a dead process. A running message has used its attempt: after its last one, it becomes a
   * dead letter. A held message may have run, too: that counts as its first attempt, unless it has only one.
   *
   * @returns the new dead letters
   */
  takeOver(owner: number, attempts: number, now: number): Taken[] {
    const deadLetters: Taken[] = [];
    for (const row of this.#statements.rows("ofOwner", owner)) {
      const seq = Number(row.seq);
      const made = Number(row.attempts);
      const taken = takenOf(row);
      if (Number(row.state) === STATE.held) this.requeue(seq, owner, Math.min(1, attempts - 1), now);
      else if (row.body === null) this.markDone([seq], owner, now);
      // An unreadable row is set aside and reported when it is taken.
      else if (taken === undefined || made < attempts) this.requeue(seq, owner, made, now);
      else if (this.markDead(seq, owner, made, CUT_SHORT, now)) deadLetters.push(taken);
    }
    this.#statements.run("promoteAll");
    return deadLetters;
  }

  /** Releases the messages that the process owns in the file, and does not know of. */
  releaseUnknown(owner: number, known: readonly number[], now: number): void {
    this.#statements.run("releaseUnknown", now, owner, JSON.stringify(known));
  }

  /** The rows that the process owns in the file, and may start. */
  startable(owner: number): ReadonlySet<number> {
    return new Set(this.#statements.rows("startable", owner).map(({ seq }) => Number(seq)));
  }

  /** Corrects due times that are too late: they were written before the clock was set back. */
  clampTimes(backoffMs: number, now: number): void {
    this.#statements.run("clamp", now, now, backoffMs);
  }
}

/** `undefined` if the row is unreadable, or its message was forgotten while it ran. */
function takenOf(row: Row): Taken | undefined {
  const message = messageOf(row);
  return message && { seq: Number(row.seq), message, attempts: Number(row.attempts) };
}
