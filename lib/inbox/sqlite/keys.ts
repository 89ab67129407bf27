// Which row a key is of. Keys are digests: in an index, each new one would change a page of its own, which is most of what its message
// costs. So the newest are only in their rows, which each process knows by heart, and are filed in the index later, many that are
// neighbours there at once.

import { text, type SqliteDatabase } from "./driver.js";
import { Statements } from "./statements.js";
import { STATE } from "./tables.js";

/** A row that has a key. */
export interface KeyedRow {
  readonly seq: number;
  /** Whether its message is to be handled again when it comes again. */
  readonly isAside: boolean;
}

/** The keys in slices, by how they begin: neighbours in the index. What is no digest is in the first one. */
const FIRST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SLICES = FIRST.length;
/**
 * The slices take turns: turn `n` files all keys of slice `n % SLICES` up to row `n * STEP`, as soon as there is that row. So the number of
 * turns says what is filed. Not filed are 32,768 rows at the most, half of them on average: some megabytes of memory, and a tenth of a
 * second to read them when a process starts.
 */
export const STEP = 512;

/** A head has 48 bits, and may be of several keys. */
const HEAD = "substr(key, 1, 8)";
/** All rows that have a key. */
const KEYED = "(SELECT seq, key FROM message UNION ALL SELECT seq, key FROM done)";
export const LAST = "max((SELECT coalesce(MAX(seq), 0) FROM message), (SELECT coalesce(MAX(seq), 0) FROM done))";
// The newest row stays, so that its number is not given again: rows are told to be new by their numbers.
const EXPIRED = `SELECT seq FROM done WHERE at < ? AND seq < ${LAST} ORDER BY at, seq LIMIT ?`;

const SQL = {
  reach: `SELECT ${LAST} AS last, (SELECT turns FROM filing) AS turns`,
  since: `SELECT CAST(key AS BLOB) AS key, seq FROM ${KEYED} WHERE seq > ?`,
  filed: `SELECT seq FROM (SELECT value AS key FROM json_each(?)) CROSS JOIN filed_key WHERE head = ${HEAD} AND seq BETWEEN 1 AND ${LAST}`,
  rows: `WITH asked AS (SELECT value AS seq FROM json_each(?))
         SELECT CAST(key AS BLOB) AS key, seq, state IN (${STATE.dead}, ${STATE.unreadable}) AS aside FROM message WHERE seq IN asked
         UNION ALL SELECT CAST(key AS BLOB), seq, FALSE FROM done WHERE seq IN asked`,
  unfiled: `SELECT seq FROM ${KEYED} WHERE seq > (SELECT (turns - ${SLICES - 1}) * ${STEP} FROM filing) AND key = ?`,
  file: `INSERT OR IGNORE INTO filed_key (head, seq)
         SELECT ${HEAD} AS head, seq FROM ${KEYED} WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY head, seq`,
  turn: "UPDATE filing SET turns = ?",
  unfile: `DELETE FROM filed_key WHERE (head, seq) IN (SELECT ${HEAD}, seq FROM done WHERE seq IN (${EXPIRED}))`,
  prune: `DELETE FROM done WHERE seq IN (${EXPIRED})`,
} as const;

export class Keys {
  readonly #statements: Statements<keyof typeof SQL>;
  /** The rows of keys that are not filed, by slice, as far as this process has read: up to row `last`, after so many `turns`. */
  readonly #unfiled: ReadonlyArray<Map<string, number>> = Array.from(
    { length: SLICES },
    () => new Map<string, number>(),
  );
  #last = 0;
  #turns = 0;
  /** What the transaction adds: the rows after `last`. */
  #added: string[] = [];

  constructor(database: SqliteDatabase) {
    this.#statements = new Statements(database, SQL);
  }

  /** Reads what others have added and filed. The first step of a transaction that finds or adds keys. */
  refresh(): void {
    this.#added = [];
    const reach = this.#statements.row("reach");
    this.#dropFiled(Number(reach.turns));
    const last = Number(reach.last);
    if (last === this.#last) return;
    const from = Math.max(this.#last, (this.#turns - SLICES + 1) * STEP);
    for (const { key, seq } of this.#statements.rows("since", from)) this.#know(text(key), Number(seq));
    this.#last = last;
  }

  /** @returns the rows of those keys that are there */
  find(keys: readonly string[]): ReadonlyMap<string, KeyedRow> {
    const unfiled = keys.flatMap((key) => this.#unfiled[sliceOf(key)]?.get(key) ?? []);
    return this.#read([...unfiled, ...this.#filed(keys)]);
  }

  /** @returns the row that the key is to be written in */
  add(key: string): number {
    return this.#last + this.#added.push(key);
  }

  /** Files keys that were there before the transaction, where it is a slice's turn. */
  file(): void {
    const turns = Math.floor(this.#last / STEP);
    for (const turn of turnsAfter(this.#turns, turns)) {
      const seqs = Array.from(this.#unfiled[turn % SLICES]?.values() ?? []).filter((seq) => seq <= turn * STEP);
      this.#statements.run("file", JSON.stringify(seqs));
    }
    if (turns > this.#turns) this.#statements.run("turn", turns);
  }

  /** What the transaction added is committed. Where this is not called, it is read again. */
  committed(): void {
    for (const key of this.#added) this.#know(key, ++this.#last);
    this.#added = [];
  }

  /** Forgets keys of messages that were done before. */
  prune(before: number, limit: number): void {
    this.#statements.run("unfile", before, limit);
    this.#statements.run("prune", before, limit);
  }

  /** By the file alone: it takes a look at each row that is not filed. */
  seqOf(key: string): number | undefined {
    const filed = this.#read(this.#filed([key])).get(key);
    return filed?.seq ?? this.#statements.rows("unfiled", key).map(({ seq }) => Number(seq))[0];
  }

  /** The rows of keys that are filed, and of others with the same head. */
  #filed(keys: readonly string[]): number[] {
    return this.#statements.rows("filed", JSON.stringify(keys)).map(({ seq }) => Number(seq));
  }

  #read(seqs: readonly number[]): ReadonlyMap<string, KeyedRow> {
    if (seqs.length === 0) return new Map();
    const rows = this.#statements.rows("rows", JSON.stringify(seqs));
    return new Map(
      rows.map(({ key, seq, aside }) => [text(key) ?? "", { seq: Number(seq), isAside: Number(aside) === 1 }]),
    );
  }

  /** @param key - `undefined` where it cannot be read: no message has it */
  #know(key: string | undefined, seq: number): void {
    if (key === undefined) return;
    const slice = sliceOf(key);
    // The turn in which it was filed last.
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

/** The turns after so many, up to another number of them: of each slice the last one, which does for those before it. */
function turnsAfter(done: number, turns: number): number[] {
  const count = Math.max(0, Math.min(turns - done, SLICES));
  return Array.from({ length: count }, (_, n) => turns - count + 1 + n);
}

function sliceOf(key: string): number {
  return Math.max(0, FIRST.indexOf(key.charAt(0)));
}
