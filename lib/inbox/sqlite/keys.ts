// Finds the row of a key. Keys are digests: in an index, each new key changes a page of its own, which is most of the
// cost of its message. So a new key is only in its row, and each process keeps it in memory. Later it is filed in the
// index, together with many neighbours.

import { text, type SqliteDatabase } from "./driver.js";
import { Statements } from "./statements.js";
import { STATE } from "./tables.js";

/** A row that has a key. */
export interface KeyedRow {
  readonly seq: number;
  /** Whether the message is handled again when its callback comes again: a dead letter, or an unreadable row. */
  readonly isRevivable: boolean;
}

/**
 * The first characters of keys. Each is a slice: its keys are neighbours in the index. A key that is not a digest is in
 * the first slice.
 */
const FIRST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SLICES = FIRST.length;
/**
 * The slices take turns. Turn `n` files all keys of slice `n % SLICES` up to row `n * STEP`, as soon as that row
 * exists. So the number of turns says which keys are filed.
 *
 * At most 32,768 rows are not filed, and half as many on average. They take some megabytes of memory, and a tenth of a
 * second to read when a process starts.
 */
export const STEP = 512;

/** The first 48 bits of a key. Several keys may have the same head. */
const HEAD = "substr(key, 1, 8)";
/** All rows that have a key. */
const KEYED = "(SELECT seq, key FROM message UNION ALL SELECT seq, key FROM done)";
export const LAST_SEQ = "max((SELECT coalesce(MAX(seq), 0) FROM message), (SELECT coalesce(MAX(seq), 0) FROM done))";
// The newest row stays, so that its number is not used again: processes recognize new rows by their numbers.
const EXPIRED = `SELECT seq FROM done WHERE at < ? AND seq < ${LAST_SEQ} ORDER BY at, seq LIMIT ?`;

const SQL = {
  reach: `SELECT ${LAST_SEQ} AS last, (SELECT turns FROM filing) AS turns`,
  since: `SELECT CAST(key AS BLOB) AS key, seq FROM ${KEYED} WHERE seq > ?`,
  filed: `SELECT seq FROM (SELECT value AS key FROM json_each(?)) CROSS JOIN filed_key
          WHERE head = ${HEAD} AND seq BETWEEN 1 AND ${LAST_SEQ}`,
  rows: `WITH wanted AS (SELECT value AS seq FROM json_each(?))
         SELECT CAST(key AS BLOB) AS key, seq, state IN (${STATE.dead}, ${STATE.unreadable}) AS revivable
         FROM message WHERE seq IN wanted
         UNION ALL SELECT CAST(key AS BLOB), seq, FALSE FROM done WHERE seq IN wanted`,
  unfiled: `SELECT seq FROM ${KEYED} WHERE seq > (SELECT (turns - ${SLICES - 1}) * ${STEP} FROM filing) AND key = ?`,
  file: `INSERT OR IGNORE INTO filed_key (head, seq)
         SELECT ${HEAD} AS head, seq FROM ${KEYED} WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY head, seq`,
  turn: "UPDATE filing SET turns = ?",
  unfile: `DELETE FROM filed_key WHERE (head, seq) IN (SELECT ${HEAD}, seq FROM done WHERE seq IN (${EXPIRED}))`,
  prune: `DELETE FROM done WHERE seq IN (${EXPIRED})`,
} as const;

export class Keys {
  readonly #statements: Statements<keyof typeof SQL>;
  /** The rows of the keys that are not filed, by slice. Read up to row `#last`, after `#turns` turns. */
  readonly #unfiled: ReadonlyArray<Map<string, number>> = Array.from(
    { length: SLICES },
    () => new Map<string, number>(),
  );
  #last = 0;
  #turns = 0;
  /** The keys that the transaction adds, in the rows after `#last`. */
  #added: string[] = [];

  constructor(database: SqliteDatabase) {
    this.#statements = new Statements(database, SQL);
  }

  /**
   * Reads what other processes have added and filed. Must be the first step of a transaction that finds or adds keys.
   */
  refresh(): void {
    this.#added = [];
    const reach = this.#statements.row("reach");
    this.#dropFiled(Number(reach.turns));
    const last = Number(reach.last);
    if (last === this.#last) return;
    const from = Math.max(this.#last, (this.#turns - SLICES + 1) * STEP);
    for (const { key, seq } of this.#statements.rows("since", from)) this.#remember(text(key), Number(seq));
    this.#last = last;
  }

  /** @returns the rows of the keys that exist */
  find(keys: readonly string[]): ReadonlyMap<string, KeyedRow> {
    const unfiled = keys.flatMap((key) => this.#unfiled[sliceOf(key)]?.get(key) ?? []);
    return this.#read([...unfiled, ...this.#filed(keys)]);
  }

  /** @returns the number of the row to write the key in */
  add(key: string): number {
    return this.#last + this.#added.push(key);
  }

  /** Files the keys of each slice whose turn it is, except those that the transaction adds. */
  file(): void {
    const turns = Math.floor(this.#last / STEP);
    for (const turn of turnsAfter(this.#turns, turns)) {
      const seqs = Array.from(this.#unfiled[turn % SLICES]?.values() ?? []).filter((seq) => seq <= turn * STEP);
      this.#statements.run("file", JSON.stringify(seqs));
    }
    if (turns > this.#turns) this.#statements.run("turn", turns);
  }

  /**
   * To be called when the transaction is committed. If it is not called, the added keys are read from the file again.
   */
  committed(): void {
    for (const key of this.#added) this.#remember(key, ++this.#last);
    this.#added = [];
  }

  /** Removes the keys of messages that were done before an instant, in milliseconds since the epoch. */
  prune(before: number, limit: number): void {
    this.#statements.run("unfile", before, limit);
    this.#statements.run("prune", before, limit);
  }

  /** Finds the row of a key without the memory of this process. Scans all rows that are not filed. */
  seqOf(key: string): number | undefined {
    const filed = this.#read(this.#filed([key])).get(key);
    return filed?.seq ?? this.#statements.rows("unfiled", key).map(({ seq }) => Number(seq))[0];
  }

  /** The rows of the keys that are filed, and of other keys with the same head. */
  #filed(keys: readonly string[]): number[] {
    return this.#statements.rows("filed", JSON.stringify(keys)).map(({ seq }) => Number(seq));
  }

  #read(seqs: readonly number[]): ReadonlyMap<string, KeyedRow> {
    if (seqs.length === 0) return new Map();
    const rows = this.#statements.rows("rows", JSON.stringify(seqs));
    return new Map(
      rows.map(({ key, seq, revivable }) => [
        text(key) ?? "",
        { seq: Number(seq), isRevivable: Number(revivable) === 1 },
      ]),
    );
  }

  /** @param key - `undefined` if it cannot be read: it is not the key of any message */
  #remember(key: string | undefined, seq: number): void {
    if (key === undefined) return;
    const slice = sliceOf(key);
    // The last turn of this slice.
    const turn = this.#turns - ((this.#turns - slice + SLICES) % SLICES);
    if (seq > turn * STEP) this.#unfiled[slice]?.set(key, seq);
  }

  #dropFiled(turns: number): void {
    for (const turn of turnsAfter(this.#turns, turns)) {
      const slice = this.#unfiled[turn % SLICES];
      slice?.forEach((seq, key) => {
        if (seq <= turn * STEP) slice.delete(key);
      });
    }
    this.#turns = turns;
  }
}

/** The turns after `done`, up to `turns`: of each slice only the last one, which includes the earlier ones. */
function turnsAfter(done: number, turns: number): number[] {
  const count = Math.max(0, Math.min(turns - done, SLICES));
  return Array.from({ length: count }, (_, n) => turns - count + 1 + n);
}

function sliceOf(key: string): number {
  return Math.max(0, FIRST.indexOf(key.charAt(0)));
}
