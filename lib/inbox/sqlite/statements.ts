// The statements on the tables by name. Each is prepared when it is first used.

import { row, type Row, type SqliteDatabase, type SqliteStatement } from "./driver.js";
import { SQL } from "./sql.js";

type Name = keyof typeof SQL;

export class Statements {
  readonly #database: SqliteDatabase;
  readonly #prepared = new Map<Name, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  get(name: Name): SqliteStatement {
    let statement = this.#prepared.get(name);
    if (statement === undefined) this.#prepared.set(name, (statement = this.#database.prepare(SQL[name])));
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
