// The part of a `Pool` of `pg` that the inbox uses, and the check of what the user gives.

import { invalidOption } from "../../base/errors.js";
import { isRecord } from "../../base/record.js";

/** A client of a pool. */
export interface PostgresClient {
  query(statement: { text: string; values?: unknown[] }): Promise<{ rows: unknown[] }>;
  release(error?: Error | boolean): void;
  on(event: "error" | "end", listener: () => void): unknown;
  on(event: "notification", listener: (message: { channel: string; payload?: string | undefined }) => void): unknown;
  removeListener(event: "error", listener: () => void): unknown;
}

/** A `Pool` of `pg`, version 8. */
export interface PostgresPool {
  connect(callback: (error: Error | undefined, client: PostgresClient | undefined) => void): void;
  on(event: "error", listener: () => void): unknown;
  removeListener(event: "error", listener: () => void): unknown;
}

const NEEDED = ["query", "connect", "on", "removeListener", "end"];
const MAKE = "new Pool({ connectionString, connectionTimeoutMillis: 5_000 }), with Pool from pg";

/** @throws TypeError if it is no pool, or one that has ended */
export function readPool(given: unknown): PostgresPool {
  const wanted = (came: string): TypeError =>
    invalidOption(`options.pool of postgresInbox takes a Pool of pg, not ${came}: ${MAKE}.`);
  if (typeof given === "string") throw wanted("a connection string");
  if (!isRecord(given)) throw wanted(given === undefined ? "nothing" : "a value of another kind");
  if ("connectionParameters" in given || "release" in given) throw wanted("a Client");
  if (NEEDED.some((name) => typeof given[name] !== "function")) throw wanted("another object");
  if (given.ending === true || given.ended === true)
    throw invalidOption("options.pool of postgresInbox has ended. End a pool after sms.close(), not before.");
  return given as unknown as PostgresPool;
}

/** How many clients the pool has at most. */
export function sizeOf(pool: PostgresPool): number {
  const { options } = pool as { options?: unknown };
  return isRecord(options) && typeof options.max === "number" ? options.max : Infinity;
}
