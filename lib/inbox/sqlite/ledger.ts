// The way of messages through the table, step by step. Each step is taken within a transaction, which is the caller's.

import type { SmsMessage } from "../../callback/message.js";
import { CUT_SHORT } from "../attempt.js";
import { storedSource, textOf } from "../stored-message.js";
import type { Row, SqliteDatabase } from "./driver.js";
import type { Keys } from "./keys.js";
import { at, ATTEMPTS, MESSAGE, messageOf } from "./rows.js";
import { Statements } from "./statements.js";
import { LIVE, PROMOTE_ALL, STATE } from "./tables.js";

/** A message that was taken out. `seq` is its row. */
export interface Taken {
  readonly seq: number;
  readonly message: SmsMessage;
  /** How many attempts there were, this one included. */
  readonly attempts: number;
}

/** One that is to run now, or next. */
export interface HeldOrRunning extends Taken {
  readonly isHeld: boolean;
}

/** What `store` made of a message. */
export type Stored =
  { readonly as: "running" | "held"; readonly seq: number } | { readonly as: "waiting" | "behind" | "duplicate" };

const SQL = {
  busy: `SELECT value AS source FROM (SELECT DISTINCT value FROM json_each(?))
         WHERE EXISTS (SELECT 1 FROM message WHERE source = value AND ${LIVE})`,
  insert: "INSERT INTO message (seq, key, source, body, state, attempts, at, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  // As it came first, where that can be read.
  revive: `UPDATE message SET at = ?, attempts = 0, reason = NULL, source = ?,
             body = CASE state WHEN ${STATE.dead} THEN body ELSE ? END,
             state = CASE WHEN EXISTS (SELECT 1 FROM message AS live WHERE live.source = ? AND live.${LIVE})
               THEN ${STATE.behind} ELSE ${STATE.waiting} END
           WHERE seq = ? AND state IN (${STATE.dead}, ${STATE.unreadable})`,
  due: `SELECT seq, ${MESSAGE}, ${ATTEMPTS} + 1 AS attempts FROM message WHERE state = ${STATE.waiting} AND at <= ? ORDER BY at, seq LIMIT ?`,
  start: `UPDATE message SET state = ${STATE.running}, attempts = ${ATTEMPTS} + 1, at = ?, owner = ?
          WHERE seq IN (SELECT value FROM json_each(?))`,
  hold: `UPDATE message SET state = ${STATE.held}, owner = ? WHERE seq IN (SELECT value FROM json_each(?))`,
  // All these end only what is still the owner's.
  keepKey: `INSERT INTO done (seq, key, at) SELECT seq, key, ? FROM message WHERE owner = ? AND seq IN (SELECT value FROM json_each(?))`,
  done: "DELETE FROM message WHERE owner = ? AND seq IN (SELECT value FROM json_each(?))",
  again: `UPDATE message SET state = ${STATE.waiting}, at = ?, attempts = ?, owner = NULL
          WHERE owner = ? AND seq = ? AND body IS NOT NULL`,
  dead: `UPDATE message SET state = ${STATE.dead}, at = ?, attempts = ?, reason = ?, owner = NULL
         WHERE owner = ? AND seq = ? AND body IS NOT NULL`,
  setAside: `UPDATE message SET state = ${STATE.unreadable}, at = ? WHERE seq IN (SELECT value FROM json_each(?))`,
  anyBehind: `SELECT EXISTS (SELECT 1 FROM message WHERE state = ${STATE.behind}) AS any`,
  // Not where its source has another that is not behind: what was to end was no longer the owner's.
  promote: `UPDATE message SET state = ${STATE.waiting} WHERE seq IN (
              SELECT (SELECT MIN(seq) FROM message WHERE source = value AND state = ${STATE.behind}) FROM json_each(?)
              WHERE NOT EXISTS (SELECT 1 FROM message
                WHERE source = value AND state IN (${STATE.waiting}, ${STATE.held}, ${STATE.running})))`,
  // Of all sources: a row that cannot be read need not say which it is of.
  promoteAll: PROMOTE_ALL,
  left: `SELECT seq, ${MESSAGE}, ${ATTEMPTS} AS attempts, state FROM message WHERE state IN (${STATE.held}, ${STATE.running}) AND owner = ?`,
  reclaim: `UPDATE message SET attempts = ${ATTEMPTS} - (state = ${STATE.running}), state = ${STATE.waiting}, at = ?, owner = NULL
            WHERE state IN (${STATE.held}, ${STATE.running}) AND owner = ? AND seq NOT IN (SELECT value FROM json_each(?))`,
  // Not what was forgotten.
  mine: `SELECT seq FROM message WHERE state IN (${STATE.held}, ${STATE.running}) AND owner = ? AND body IS NOT NULL`,
  // A retry may be so far ahead.
  early: `UPDATE message SET at = ? WHERE state = ${STATE.waiting} AND at > ? + ? * (1 << min(attempts, 30))`,
  next: `SELECT ${at("MIN(at)")} AS due FROM message WHERE state = ${STATE.waiting}`,
} as const;

export class Ledger {
  readonly #statements: Statements<keyof typeof SQL>;
  readonly #keys: Keys;

  constructor(database: SqliteDatabase, keys: Keys) {
    this.#statements = new Statements(database, SQL);
    this.#keys = keys;
  }

  /**
   * Writes messages, in their order. One of which no other of its source is ahead may be the owner's at once.
   *
   * @param claim - asked for each such message how it is the owner's; `waiting` where the owner wants no more
   * @returns what each became
   */
  store(
    messages: readonly SmsMessage[],
    claim: () => "running" | "held" | "waiting",
    owner: number,
    now: number,
  ): Stored[] {
    this.#keys.refresh();
    this.#keys.file();
    if (messages.length === 0) return [];
    const known = this.#keys.find(messages.map(({ key }) => key));
    const keys = new Set<string>();
    const sources = this.#busy(messages.map(({ source }) => storedSource(source)));
    const insert = this.#statements.get("insert");
    return messages.map((message) => {
      const { key } = message;
      const source = storedSource(message.source);
      if (keys.has(key)) return { as: "duplicate" };
      keys.add(key);
      const found = known.get(key);
      if (found !== undefined) {
        if (!found.isAside) return { as: "duplicate" };
        sources.add(source);
        this.#statements.run("revive", now, source, textOf(message), source, found.seq);
        return { as: "waiting" };
      }
      const as = sources.has(source) ? "behind" : claim();
      sources.add(source);
      const isTaken = as === "running" || as === "held";
      const seq = this.#keys.add(key);
      insert.run(seq, key, source, textOf(message), STATE[as], as === "running" ? 1 : 0, now, isTaken ? owner : null);
      return isTaken ? { as, seq } : { as };
    });
  }

  /** @returns those that have a message which has not ended */
  #busy(sources: readonly string[]): Set<string> {
    return new Set(this.#statements.rows("busy", JSON.stringify(sources)).map(({ source }) => String(source)));
  }

  /** What was stored is committed. */
  committed(): void {
    this.#keys.committed();
  }

  /**
   * Takes out what is due, the oldest first: as many to run as are `free`, and up to `spare` more to hold. Only a first attempt is held, so
   * that a message which ends the process, again and again, counts from its second attempt on.
   */
  take(free: number, spare: number, owner: number, now: number): { taken: HeldOrRunning[]; isAnyUnreadable: boolean } {
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
    return { taken, isAnyUnreadable: unreadable.length > 0 };
  }

  /** One that cannot be read stands in nobody's way. */
  #setAside(rows: readonly Row[], now: number): void {
    this.#statements.run("setAside", now, JSON.stringify(rows.map(({ seq }) => Number(seq))));
    this.#statements.run("promoteAll");
  }

  /** What is taken out, or was held, runs now. */
  start(seqs: readonly number[], owner: number, now: number): void {
    this.#statements.run("start", now, owner, JSON.stringify(seqs));
  }

  done(seqs: readonly number[], owner: number, now: number): void {
    const rows = JSON.stringify(seqs);
    this.#statements.run("keepKey", now, owner, rows);
    this.#statements.run("done", owner, rows);
  }

  /**
   * To be taken out again from `at` on.
   *
   * @param attempts - how many there were that count
   * @returns `false` where it was forgotten, or is another's
   */
  again(seq: number, owner: number, attempts: number, at: number): boolean {
    return this.#statements.run("again", at, attempts, owner, seq) === 1;
  }

  /** @returns `false` where it was forgotten, or is another's */
  dead(seq: number, owner: number, attempts: number, reason: string, now: number): boolean {
    return this.#statements.run("dead", now, attempts, reason, owner, seq) === 1;
  }

  /**
   * The first that is behind waits to be taken out now, of each source of which a message has ended.
   *
   * @returns whether there was one
   */
  promote(sources: ReadonlySet<string>): boolean {
    if (sources.size === 0 || Number(this.#statements.row("anyBehind").any) === 0) return false;
    return this.#statements.run("promote", JSON.stringify(Array.from(sources, storedSource))) > 0;
  }

  /** Forgets keys of messages that were done before. */
  prune(before: number, limit: number): void {
    this.#keys.prune(before, limit);
  }

  /**
   * Frees what a dead process had. What ran had its attempt; where that was the last, it is a dead letter. What was held may have run, and has
   * the rest of its attempts, one at least.
   *
   * @returns the dead letters
   */
  takeOver(owner: number, attempts: number, now: number): Taken[] {
    const over: Taken[] = [];
    for (const left of this.#statements.rows("left", owner)) {
      const seq = Number(left.seq);
      const made = Number(left.attempts);
      const taken = takenOf(left);
      if (Number(left.state) === STATE.held) this.again(seq, owner, Math.min(1, attempts - 1), now);
      else if (left.body === null) this.done([seq], owner, now);
      // What cannot be read is set aside, and told, when it is taken out.
      else if (taken === undefined || made < attempts) this.again(seq, owner, made, now);
      else if (this.dead(seq, owner, made, CUT_SHORT, now)) over.push(taken);
    }
    this.#statements.run("promoteAll");
    return over;
  }

  /** Frees what a process has by the file, and does not know of. */
  reclaim(owner: number, known: readonly number[], now: number): void {
    this.#statements.run("reclaim", now, owner, JSON.stringify(known));
  }

  /** The rows that a process has, by the file, and may start. */
  mine(owner: number): ReadonlySet<number> {
    return new Set(this.#statements.rows("mine", owner).map(({ seq }) => Number(seq)));
  }

  /** Once the clock may have been set back: what then waits for too long was written before. */
  clampTimes(backoffMs: number, now: number): void {
    this.#statements.run("early", now, now, backoffMs);
  }

  /** When the next message is due, in milliseconds since the epoch; `Infinity` where none waits. */
  nextDue(): number {
    return Number(this.#statements.row("next").due ?? Infinity);
  }
}

/** `undefined` where the row is no message, or was forgotten while it ran. */
function takenOf(row: Row): Taken | undefined {
  const message = messageOf(row);
  return message && { seq: Number(row.seq), message, attempts: Number(row.attempts) };
}
