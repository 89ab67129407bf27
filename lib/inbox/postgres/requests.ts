// Sends statements to the database, each within a time: a server that is silent makes it fail, and nothing waits longer.

import { isOfStatement, timedOut } from "./failure.js";
import type { PostgresClient, PostgresPool } from "./pool.js";

/** A row of a result. Numbers may be strings or bigints: the user may have set parsers. No statement returns a boolean. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * How many connections may be awaited without anyone waiting for their first statement. A pool without
 * `connectionTimeoutMillis` waits for a silent server without end.
 */
const MAX_LATE = 4;

interface Connecting {
  readonly client: Promise<PostgresClient>;
}

export class Requests {
  readonly #pool: PostgresPool;
  readonly #limitMs: number;
  readonly #onLate: () => void;
  /** What came too late for its request. The next request takes one of them, or the pool gets it back. */
  readonly #late: Connecting[] = [];

  /**
   * @param limitMs - how long a statement may take, and how long a connection may take, in milliseconds
   * @param onLate - called when a statement took longer: the server may still be running it
   */
  constructor(pool: PostgresPool, limitMs: number, onLate: () => void) {
    this.#pool = pool;
    this.#limitMs = limitMs;
    this.#onLate = onLate;
  }

  /** Runs a statement, which is a transaction of its own. */
  rows(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.withClient((run) => run(text, values));
  }

  /** Runs several statements on one client. */
  async withClient<Result>(
    use: (run: (text: string, values?: unknown[]) => Promise<Row[]>) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.connect();
    try {
      const result = await use((text, values) => this.run(client, text, values));
      this.release(client);
      return result;
    } catch (error) {
      this.release(client, error);
      throw error;
    }
  }

  /** Runs a statement on a client that is checked out. */
  async run(client: PostgresClient, text: string, values: unknown[] = []): Promise<Row[]> {
    const { rows } = await within(client.query({ text, values }), this.#limitMs, () => {
      this.#onLate();
      return timedOut("answer");
    });
    return rows as Row[];
  }

  /** Checks a client out. */
  connect(): Promise<PostgresClient> {
    const taken = this.#late.length < MAX_LATE ? undefined : this.#late.shift();
    const connecting = taken ?? { client: this.#connect() };
    return within(connecting.client, this.#limitMs, () => {
      this.#keepLate(connecting);
      return timedOut("connection");
    });
  }

  /**
   * Without a listener, an error of a connection ends the process. It may come in the turn in which the pool hands the
   * client over, before a promise of the client resolves.
   */
  #connect(): Promise<PostgresClient> {
    return new Promise((resolve, reject) => {
      this.#pool.connect((error, client) => {
        if (client === undefined) reject(error ?? timedOut("connection"));
        else {
          client.on("error", ignored);
          resolve(client);
        }
      });
    });
  }

  /** @param error - of the last statement: unless it is of the statement alone, the client is closed */
  release(client: PostgresClient, error?: unknown): void {
    client.removeListener("error", ignored);
    const isUsable = error === undefined || isOfStatement(error);
    if (!isUsable) client.on("error", ignored);
    client.release(!isUsable);
  }

  #keepLate(connecting: Connecting): void {
    if (this.#late.includes(connecting)) return;
    this.#late.push(connecting);
    const remove = (): boolean => {
      const index = this.#late.indexOf(connecting);
      if (index >= 0) this.#late.splice(index, 1);
      return index >= 0;
    };
    connecting.client.then(
      (client) => {
        if (remove()) this.release(client);
      },
      () => remove(),
    );
  }
}

const ignored = (): void => undefined;

/** @param late - makes the error if the promise has not settled within `ms` milliseconds */
async function within<Value>(promise: Promise<Value>, ms: number, late: () => Error): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<never>((_resolve, reject) => (timer = setTimeout(() => reject(late()), ms)));
  try {
    return await Promise.race([promise, isLate]);
  } finally {
    clearTimeout(timer);
  }
}
