// What the tables say, and every change of them. Changes are made within a transaction, which is the caller's.

import type { SmsMessage } from "../../callback/message.js";
import type { DeadLetter, InboxStats } from "../inbox.js";
import type { InboxSettings } from "../inbox-options.js";
import { CUT_SHORT } from "../cut-short.js";
import { messageOf } from "../stored-message.js";
import type { SqliteDatabase } from "./database.js";
import { Keys } from "./keys.js";
import { Statements } from "./statements.js";
import { STATE } from "./tables.js";

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

/** When there is something to do next, in milliseconds since the epoch; `undefined` where nothing waits for its time. */
export interface Next {
  readonly due: number | undefined;
  /** When another process may be dead. */
  readonly lease: number | undefined;
}

const LIVE = `state <= ${STATE.running}`;

const SQL = {
  busy: `SELECT value AS source FROM (SELECT DISTINCT value FROM json_each(?))
         WHERE EXISTS (SELECT 1 FROM message WHERE source = value AND ${LIVE})`,
  insert: "INSERT INTO message (seq, key, source, body, state, attempts, at, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  revive: `UPDATE message SET at = ?, attempts = 0, reason = NULL, state = CASE
             WHEN EXISTS (SELECT 1 FROM message AS live WHERE live.source = message.source AND live.${LIVE})
             THEN ${STATE.behind} ELSE ${STATE.waiting} END
           WHERE seq = ? AND state = ${STATE.dead}`,
  due: `SELECT seq, source, body, attempts + 1 AS attempts FROM message WHERE state = ${STATE.waiting} AND at <= ? ORDER BY at, seq LIMIT ?`,
  start: `UPDATE message SET state = ${STATE.running}, attempts = attempts + 1, at = ?, owner = ?
          WHERE seq IN (SELECT value FROM json_each(?))`,
  hold: `UPDATE message SET state = ${STATE.held}, owner = ? WHERE seq IN (SELECT value FROM json_each(?))`,
  // All these end only what is still the owner's.
  done: `UPDATE message SET state = ${STATE.done}, at = ?, source = NULL, body = NULL, reason = NULL, owner = NULL
         WHERE owner = ? AND seq IN (SELECT value FROM json_each(?))`,
  again: `UPDATE message SET state = ${STATE.waiting}, at = ?, attempts = ?, owner = NULL
          WHERE owner = ? AND seq = ? AND body IS NOT NULL`,
  dead: `UPDATE message SET state = ${STATE.dead}, at = ?, attempts = ?, reason = ?, owner = NULL
         WHERE owner = ? AND seq = ? AND body IS NOT NULL`,
  unreadable: `UPDATE message SET state = ${STATE.dead}, at = ?, reason = 'unreadable' WHERE seq IN (SELECT value FROM json_each(?))`,
  anyBehind: `SELECT EXISTS (SELECT 1 FROM message WHERE state = ${STATE.behind}) AS any`,
  // Not where its source has another that is not behind: what was to end was no longer the owner's.
  promote: `UPDATE message SET state = ${STATE.waiting}
            WHERE seq = (SELECT MIN(seq) FROM message WHERE source = ? AND state = ${STATE.behind})
              AND NOT EXISTS (SELECT 1 FROM message WHERE source = ? AND state IN (${STATE.waiting}, ${STATE.held}, ${STATE.running}))`,
  enlist: "INSERT INTO process (until) VALUES (?)",
  renew: "UPDATE process SET until = ? WHERE id = ?",
  expired: "SELECT id, until FROM process WHERE until < ? AND id <> ?",
  left: `SELECT seq, source, body, attempts, state FROM message WHERE state IN (${STATE.held}, ${STATE.running}) AND owner = ?`,
  reclaim: `UPDATE message SET attempts = attempts - (state = ${STATE.running}), state = ${STATE.waiting}, at = ?, owner = NULL
            WHERE state IN (${STATE.held}, ${STATE.running}) AND owner = ? AND seq NOT IN (SELECT value FROM json_each(?))`,
  mine: `SELECT seq FROM message WHERE state IN (${STATE.held}, ${STATE.running}) AND owner = ?`,
  version: "PRAGMA data_version",
  // A retry may be so far ahead, and a lease not nearly so far.
  early: `UPDATE message SET at = ? WHERE state = ${STATE.waiting} AND at > ? + ? * (1 << min(attempts, 30))`,
  shorten: "UPDATE process SET until = ? WHERE until > ?",
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
  oldestDead: `SELECT seq FROM message WHERE state = ${STATE.dead} AND at <= ? ORDER BY at, seq LIMIT ?`,
  forget: `UPDATE message SET state = ${STATE.done}, at = ?, source = NULL, body = NULL, reason = NULL, owner = NULL
           WHERE source = ? AND state <> ${STATE.running}`,
  // Its source stays until it has ended, for the order.
  forgetRunning: `UPDATE message SET body = NULL WHERE source = ? AND state = ${STATE.running} AND body IS NOT NULL`,
} as const;

export class Ledger {
  readonly #statements: Statements<keyof typeof SQL>;
  readonly #keys: Keys;

  constructor(database: SqliteDatabase) {
    this.#statements = new Statements(database, SQL);
    this.#keys = new Keys(database);
  }

  /**
   * Writes messages, in their order. One of which no other of its source is ahead may be the owner's at once.
   *
   * @param claim - asked for each such message how it is the owner's; `waiting` where the owner wants no more
   * @returns what each became
   */
  store(
    arrivals: ReadonlyArray<{ readonly message: SmsMessage; readonly body: string }>,
    claim: () => "running" | "held" | "waiting",
    owner: number,
    now: number,
  ): Stored[] {
    this.#keys.refresh();
    this.#keys.file();
    if (arrivals.length === 0) return [];
    const known = this.#keys.find(arrivals.map(({ message }) => message.key));
    const keys = new Set<string>();
    const sources = this.#busy(arrivals.map(({ message }) => message.source));
    const insert = this.#statements.get("insert");
    return arrivals.map(({ message: { key, source }, body }) => {
      if (keys.has(key)) return { as: "duplicate" };
      keys.add(key);
      const found = known.get(key);
      if (found !== undefined) {
        const isDead = found.state === STATE.dead;
        if (isDead) sources.add(source);
        return { as: isDead && this.#statements.run("revive", now, found.seq) === 1 ? "waiting" : "duplicate" };
      }
      const as = sources.has(source) ? "behind" : claim();
      sources.add(source);
      const isTaken = as === "running" || as === "held";
      const seq = this.#keys.add(key);
      insert.run(seq, key, source, body, STATE[as], as === "running" ? 1 : 0, now, isTaken ? owner : null);
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
    const unreadable = due.filter((one) => takenOf(one) === undefined);
    if (unreadable.length > 0) this.#setAside(unreadable, now);
    const taken = due
      .flatMap((one) => takenOf(one) ?? [])
      .map((one, n) => ({ ...one, isHeld: n >= free }))
      .filter(({ isHeld, attempts }) => !isHeld || attempts === 1);
    const seqs = (isHeld: boolean): number[] => taken.filter((one) => one.isHeld === isHeld).map(({ seq }) => seq);
    if (taken.length > 0) this.start(seqs(false), owner, now);
    if (taken.length > free) this.#statements.run("hold", owner, JSON.stringify(seqs(true)));
    return { taken, isAnyUnreadable: unreadable.length > 0 };
  }

  /** One that cannot be read stands in nobody's way. */
  #setAside(rows: ReadonlyArray<Readonly<Record<string, unknown>>>, now: number): void {
    this.#statements.run("unreadable", now, JSON.stringify(rows.map(({ seq }) => Number(seq))));
    this.promote(new Set(rows.map(({ source }) => String(source))));
  }

  /** What is taken out, or was held, runs now. */
  start(seqs: readonly number[], owner: number, now: number): void {
    this.#statements.run("start", now, owner, JSON.stringify(seqs));
  }

  done(seqs: readonly number[], owner: number, now: number): void {
    this.#statements.run("done", now, owner, JSON.stringify(seqs));
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

  /** Lets the next of each source come up, after those before it have ended. @returns whether there was any */
  promote(sources: ReadonlySet<string>): boolean {
    if (sources.size === 0 || Number(this.#statements.row("anyBehind").any) === 0) return false;
    let promoted = 0;
    for (const source of sources) promoted += this.#statements.run("promote", source, source);
    return promoted > 0;
  }

  /** Forgets keys of messages that were done before. */
  prune(before: number, limit: number): void {
    this.#keys.prune(before, limit);
  }

  /** A new process. @returns its id */
  enlist(until: number): number {
    return Number(this.#statements.get("enlist").run(until).lastInsertRowid);
  }

  /** `false` where others have found it dead, and taken over what it had. */
  renew(owner: number, until: number): boolean {
    return this.#statements.run("renew", until, owner) === 1;
  }

  /** Other processes whose lease has run out, each with until when it was. */
  expired(self: number, now: number): ReadonlyMap<number, number> {
    return new Map(this.#statements.rows("expired", now, self).map(({ id, until }) => [Number(id), Number(until)]));
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
      else if (taken === undefined) this.done([seq], owner, now);
      else if (made < attempts) this.again(seq, owner, made, now);
      else if (this.dead(seq, owner, made, CUT_SHORT, now)) over.push(taken);
      this.promote(new Set([String(left.source)]));
    }
    this.#statements.run("dismiss", owner);
    return over;
  }

  /** Frees what a process has by the file, and does not know of. */
  reclaim(owner: number, known: readonly number[], now: number): void {
    this.#statements.run("reclaim", now, owner, JSON.stringify(known));
  }

  /** Changes with every commit of another handle's. */
  version(): number {
    return Number(this.#statements.row("version").data_version);
  }

  /** The rows that a process has, by the file. */
  mine(owner: number): ReadonlySet<number> {
    return new Set(this.#statements.rows("mine", owner).map(({ seq }) => Number(seq)));
  }

  /** Once the clock may have been set back: what then lies too far ahead was written before. */
  heedClock({ backoffMs, leaseMs }: InboxSettings, now: number): void {
    this.#statements.run("early", now, now, backoffMs);
    const until = now + FAR_LEASES * leaseMs;
    this.#statements.run("shorten", until, until);
  }

  next(self: number): Next {
    const { due, lease } = this.#statements.row("next", self);
    return { due: instant(due), lease: instant(lease) };
  }

  /** How many messages are where. */
  stats(now: number): InboxStats {
    const { waiting, running, delayed, dead, ...oldest } = this.#statements.row("stats", now, now);
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
    const seq = after === undefined ? 0 : (this.#keys.seqOf(after) ?? 0);
    return this.#statements.rows("letters", seq, limit).flatMap((letter) => {
      const message = readable(letter.body);
      if (message === undefined) return [];
      return {
        key: String(letter.key),
        message,
        attempts: Number(letter.attempts),
        failedAt: new Date(Number(letter.at)).toISOString(),
        reason: String(letter.reason),
      };
    });
  }

  /** @returns whether there is a dead letter of that key */
  replay(key: string, now: number): boolean {
    const seq = this.#keys.seqOf(key);
    return seq !== undefined && this.#statements.run("revive", now, seq) === 1;
  }

  /** Those that were dead at an instant. @returns how many there were, at most `limit` */
  replaySome(limit: number, at: number, now: number): number {
    const dead = this.#statements.rows("oldestDead", at, limit);
    for (const { seq } of dead) this.#statements.run("revive", now, seq);
    return dead.length;
  }

  /** @returns how many messages of the source there were */
  forget(source: string, now: number): number {
    return this.#statements.run("forget", now, source) + this.#statements.run("forgetRunning", source);
  }
}

/** How many times as long as a lease of this process's one of another's may be. */
const FAR_LEASES = 10;

/** `undefined` where it was forgotten while it ran, or its text is none of a message. */
function takenOf({ seq, body, attempts }: Readonly<Record<string, unknown>>): Taken | undefined {
  const message = readable(body);
  return message && { seq: Number(seq), message, attempts: Number(attempts) };
}

function readable(body: unknown): SmsMessage | undefined {
  try {
    return messageOf(String(body));
  } catch {
    return undefined;
  }
}

function instant(at: unknown): number | undefined {
  return at === null || at === undefined ? undefined : Number(at);
}
