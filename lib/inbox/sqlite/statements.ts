// The statements of a database by name. Each is prepared when it is first used.

import { row, type Row, type SqliteDatabase, type SqliteStatement } from "./driver.js";

export class Statements<Name extends string> {
  readonly #database: SqliteDatabase;
  readonly #sql: Readonly<Record<Name, string>>;
  readonly #prepared = new Map<Name, SqliteStatement>();

  constructor(database: SqliteDatabase, sql: Readonly<Record<Name, string>>) {
    this.#database = database;
    this.#sql = sql;
  }

  get(name: Name): SqliteStatement {
    let statement = this.#prepared.get(name);
    if (statement === undefined) this.#prepared.set(name, (statement = this.#database.prepare(this.#sql[name])));
    return statement;
  }

  /** @returns the number of changed rows */
  run(name: Name, ...values: unknown[]): number {
    return Number(this.get(name).run(...values).changes);
  }

  /** For queries that always return a row. */
  row(name: Name, ...values: unknown[]): Row {
    return row(this.get(name).get(...values));
  }

  rows(name: Name, ...values: unknown[]): Row[] {
    return this.get(name)
      .all(...values)
      .map(row);
  }
}
