// What the tables say, and every change of them. Changes are made within a transaction, which is the caller's.

import type { SmsMessage } from "../../callback/message.js";
import type { DeadLetter, InboxStats } from "../inbox.js";
import { messageOf } from "../stored-message.js";
import { row, type SqliteDatabase, type SqliteStatement } from "./database.js";
import { STATE } from "./tables.js";

/** A message that was taken out. `seq` is its row. */
export interface Taken {
  readonly seq: number;
  readonly message: SmsMessage;
  /** How many attempts there were, this one included. */
  readonly attempts: number;
}

/** What `store` made of a message. */
export type Stored =
  { readonly as: "running" | "held"; readonly seq: number } | { readonly as: "waiting" | "behind" | "duplicate" };

/** When there is something to do next, in milliseconds since the epoch; `undefined` where nothing waits for its time. */
export interface Next {
  readonly due: number | undefined;
  /** When another process may be dead. */
  readonly lease: number | undefined;
}

const LIVE = `state <= ${STATE.running}`;

const SQL = {
  known: `SELECT (SELECT seq FROM message WHERE key = ?) AS seq, (SELECT state FROM message WHERE key = ?) AS state,
            EXISTS (SELECT 1 FROM message WHERE source = ? AND ${LIVE}) AS behind`,
  insert: "INSERT INTO message (key, source, body, state, attempts, at, owner) VALUES (?, ?, ?, ?, ?, ?, ?)",
  revive: `UPDATE message SET at = ?, attempts = 0, reason = NULL, state = CASE
             WHEN EXISTS (SELECT 1 FROM message AS live WHERE live.source = message.source AND live.${LIVE})
             THEN ${STATE.behind} ELSE ${STATE.waiting} END
           WHERE seq = ? AND state = ${STATE.dead}`,
  due: `SELECT seq, body, attempts + 1 AS attempts FROM message WHERE state = ${STATE.waiting} AND at <= ? ORDER BY at, seq LIMIT ?`,
  take: `UPDATE message SET state = ${STATE.running}, attempts = attempts + 1, at = ?, owner = ?
         WHERE seq IN (SELECT value FROM json_each(?))`,
  // All these end only what is still the owner's.
  done: `UPDATE message SET state = ${STATE.done}, at = ?, source = NULL, body = NULL, reason = NULL, owner = NULL
         WHERE owner = ? AND seq IN (SELECT value FROM json_each(?))`,
  again: `UPDATE message SET state = ${STATE.waiting}, at = ?, attempts = ?, owner = NULL WHERE owner = ? AND seq = ?`,
  dead: `UPDATE message SET state = ${STATE.dead}, at = ?, attempts = ?, reason = ?, owner = NULL WHERE owner = ? AND seq = ?`,
  anyBehind: `SELECT EXISTS (SELECT 1 FROM message WHERE state = ${STATE.behind}) AS any`,
  // Not where its source has another that is not behind: what was to end was no longer the owner's.
  promote: `UPDATE message SET state = ${STATE.waiting}
            WHERE seq = (SELECT MIN(seq) FROM message WHERE source = ? AND state = ${STATE.behind})
              AND NOT EXISTS (SELECT 1 FROM message WHERE source = ? AND ${LIVE} AND state <> ${STATE.behind})`,
  prune: `DELETE FROM message WHERE seq IN (SELECT seq FROM message WHERE state = ${STATE.done} AND at < ? ORDER BY at LIMIT ?)`,
  enlist: "INSERT INTO process (until) VALUES (?)",
  renew: "UPDATE process SET until = ? WHERE id = ?",
  expired: "SELECT id, until FROM process WHERE until < ? AND id <> ?",
  left: `SELECT seq, body, attempts FROM message WHERE state IN (${STATE.held}, ${STATE.running}) AND owner = ?`,
  dismiss: "DELETE FROM process WHERE id = ?",
  next: `SELECT (SELECT MIN(at) FROM message WHERE state = ${STATE.waiting}) AS due,
           (SELECT MIN(until) FROM process WHERE id <> ?) AS lease`,
  stats: `SELECT (SELECT COUNT(*) FROM message WHERE state = ${STATE.waiting} AND at <= ?)
             + (SELECT COUNT(*) FROM message WHERE state IN (${STATE.behind}, ${STATE.held})) AS waiting,
            (SELECT COUNT(*) FROM message WHERE state = ${STATE.running}) AS running,
            (SELECT COUNT(*) FROM message WHERE state = ${STATE.waiting} AND at > ?) AS delayed,
            (SELECT COUNT(*) FROM message WHERE state = ${STATE.dead}) AS dead,
            (SELECT MIN(at) FROM message WHERE state = ${STATE.waiting}) AS oldestDue,
            (SELECT MIN(at) FROM message WHERE state = ${STATE.behind}) AS oldestBehind,
            (SELECT MIN(at) FROM message WHERE state = ${STATE.held}) AS oldestHeld`,
  // By arrival, so that a page has its place also after the one before was replayed.
  letters: `SELECT key, body, attempts, at, reason FROM message INDEXED BY message_state
            WHERE state = ${STATE.dead} AND seq > ? ORDER BY seq LIMIT ?`,
  oldestDead: `SELECT seq FROM message WHERE state = ${STATE.dead} ORDER BY at, seq LIMIT ?`,
  seqOf: "SELECT (SELECT seq FROM message WHERE key = ?) AS seq",
  forget: `UPDATE message SET state = ${STATE.done}, at = ?, source = NULL, body = NULL, reason = NULL, owner = NULL WHERE source = ?`,
} as const;

type Name = keyof typeof SQL;

export class Ledger {
  readonly #database: SqliteDatabase;
  readonly #prepared = new Map<Name, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /**
   * Writes a message. Where none of its source is ahead of it, it is the owner's at once, as `as` says.
   *
   * @param as - how it is the owner's; `waiting` where the owner wants no more
   */
  store(
    { key, source }: SmsMessage,
    body: string,
    as: "running" | "held" | "waiting",
    owner: number,
    now: number,
  ): Stored {
    const known = this.#row("known", key, key, source);
    if (known.seq !== null) {
      const revived = Number(known.state) === STATE.dead ? this.#run("revive", now, known.seq) : 0;
      return { as: revived === 0 ? "duplicate" : "waiting" };
    }
    const isBehind = Number(known.behind) === 1;
    const state = isBehind ? STATE.behind : STATE[as];
    const isTaken = !isBehind && as !== "waiting";
    const attempts = state === STATE.running ? 1 : 0;
    const inserted = this.#statement("insert").run(key, source, body, state, attempts, now, isTaken ? owner : null);
    return isTaken ? { as, seq: Number(inserted.lastInsertRowid) } : { as: isBehind ? "behind" : "waiting" };
  }

  /** Takes out what is due, the oldest first. */
  take(limit: number, owner: number, now: number): Taken[] {
    const taken = this.#rows("due", now, limit).map(takenOf);
    if (taken.length > 0) this.#run("take", now, owner, JSON.stringify(taken.map(({ seq }) => seq)));
    return taken;
  }

  /** What was held runs now. */
  start(seqs: readonly number[], owner: number, now: number): void {
    this.#run("take", now, owner, JSON.stringify(seqs));
  }

  done(seqs: readonly number[], owner: number, now: number): void {
    this.#run("done", now, owner, JSON.stringify(seqs));
  }

  /** To be taken out again from `at` on. @param attempts - how many there were that count */
  again(seq: number, owner: number, attempts: number, at: number): void {
    this.#run("again", at, attempts, owner, seq);
  }

  dead(seq: number, owner: number, attempts: number, reason: string, now: number): void {
    this.#run("dead", now, attempts, reason, owner, seq);
  }

  /** Lets the next of each source come up, after those before it have ended. @returns whether there was any */
  promote(sources: ReadonlySet<string>): boolean {
    if (sources.size === 0 || Number(this.#row("anyBehind").any) === 0) return false;
    let promoted = 0;
    for (const source of sources) promoted += this.#run("promote", source, source);
    return promoted > 0;
  }

  /** Forgets keys of messages that were done before. @returns how many */
  prune(before: number, limit: number): number {
    return this.#run("prune", before, limit);
  }

  /** A new process. @returns its id */
  enlist(until: number): number {
    return Number(this.#statement("enlist").run(until).lastInsertRowid);
  }

  /** `false` where others have found it dead, and taken over what it had. */
  renew(owner: number, until: number): boolean {
    return this.#run("renew", until, owner) === 1;
  }

  /** Other processes whose lease has run out, each with until when it was. */
  expired(self: number, now: number): ReadonlyMap<number, number> {
    return new Map(this.#rows("expired", now, self).map(({ id, until }) => [Number(id), Number(until)]));
  }

  /**
   * Frees what a process had that is dead, or leaves. What ran had its attempt; where that was the last, it is a dead letter.
   *
   * @returns the dead letters
   */
  takeOver(owner: number, attempts: number, now: number): Taken[] {
    const over: Taken[] = [];
    for (const left of this.#rows("left", owner)) {
      const taken = takenOf(left);
      if (taken.attempts < attempts) this.again(taken.seq, owner, taken.attempts, now);
      else {
        this.dead(taken.seq, owner, taken.attempts, CUT_SHORT, now);
        this.promote(new Set([taken.message.source]));
        over.push(taken);
      }
    }
    this.dismiss(owner);
    return over;
  }

  dismiss(owner: number): void {
    this.#run("dismiss", owner);
  }

  next(self: number): Next {
    const { due, lease } = this.#row("next", self);
    return { due: instant(due), lease: instant(lease) };
  }

  /** How many messages are where. */
  stats(now: number): InboxStats {
    const { waiting, running, delayed, dead, ...oldest } = this.#row("stats", now, now);
    const since = Object.values(oldest).filter((at) => at !== null && Number(at) <= now);
    return {
      waiting: Number(waiting),
      running: Number(running),
      delayed: Number(delayed),
      dead: Number(dead),
      oldestWaitingMs: since.length === 0 ? 0 : now - Math.min(...since.map(Number)),
    };
  }

  deadLetters(limit: number, after: string | undefined): DeadLetter[] {
    const seq = after === undefined ? 0 : (this.#row("seqOf", after).seq ?? 0);
    return this.#rows("letters", seq, limit).map((letter) => ({
      key: String(letter.key),
      message: messageOf(String(letter.body)),
      attempts: Number(letter.attempts),
      failedAt: new Date(Number(letter.at)).toISOString(),
      reason: String(letter.reason),
    }));
  }

  /** @returns whether there is a dead letter of that key */
  replay(key: string, now: number): boolean {
    const { seq } = this.#row("seqOf", key);
    return this.#run("revive", now, seq) === 1;
  }

  /** @returns how many dead letters there were, at most `limit` */
  replaySome(limit: number, now: number): number {
    const dead = this.#rows("oldestDead", limit);
    for (const { seq } of dead) this.#run("revive", now, seq);
    return dead.length;
  }

  /** @returns how many messages of the source there were */
  forget(source: string, now: number): number {
    return this.#run("forget", now, source);
  }

  #statement(name: Name): SqliteStatement {
    let statement = this.#prepared.get(name);
    if (statement === undefined) this.#prepared.set(name, (statement = this.#database.prepare(SQL[name])));
    return statement;
  }

  /** @returns how many rows it changed */
  #run(name: Name, ...values: unknown[]): number {
    return Number(this.#statement(name).run(...values).changes);
  }

  #row(name: Name, ...values: unknown[]): Readonly<Record<string, unknown>> {
    return row(this.#statement(name).get(...values));
  }

  #rows(name: Name, ...values: unknown[]): Array<Readonly<Record<string, unknown>>> {
    return this.#statement(name)
      .all(...values)
      .map(row);
  }
}

const CUT_SHORT = "the process ended in each attempt";

function takenOf({ seq, body, attempts }: Readonly<Record<string, unknown>>): Taken {
  return { seq: Number(seq), message: messageOf(String(body)), attempts: Number(attempts) };
}

function instant(at: unknown): number | undefined {
  return at === null || at === undefined ? undefined : Number(at);
}
