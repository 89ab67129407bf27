// The inbox that docs/ shows how to write, on a Postgres in this process.

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

import { postgresInbox, SCHEMA } from "../../docs/postgres-inbox";
import { post } from "../support/callbacks";
import { recorder } from "../support/recorder";
import { itConforms } from "./conformance";
import { until } from "./waiting";

interface Answer {
  readonly id: number;
  readonly rows?: unknown[];
  readonly error?: string;
}

/** Queries to postgres-server.cjs, as `pg` has them. */
class Postgres {
  readonly #server = new Worker(join(__dirname, "postgres-server.cjs"));
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #last = 0;
  isAway = false;

  constructor() {
    this.#server.on("message", (answer: Answer) => {
      this.#asked.get(answer.id)?.(answer);
      this.#asked.delete(answer.id);
    });
  }

  async query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }> {
    if (this.isAway) throw new Error("connect ECONNREFUSED");
    const id = ++this.#last;
    const { rows = [], error } = await new Promise<Answer>((resolve) => {
      this.#asked.set(id, resolve);
      this.#server.postMessage({ id, sql, values });
    });
    if (error !== undefined) throw new Error(error);
    return { rows };
  }

  close(): Promise<unknown> {
    return this.#server.terminate();
  }
}

describe("an inbox of one's own", () => {
  let database: Postgres;
  beforeAll(async () => {
    database = new Postgres();
    await database.query(SCHEMA);
  }, 60_000);
  afterAll(() => database.close());

  itConforms({
    isOrdered: true,
    place: async () => {
      await database.query("truncate incoming_sms");
      return { open: (options) => postgresInbox({ pool: database, ...options }), remove: () => undefined };
    },
  });

  it("refuses while its database is away, and goes on when it is back", async () => {
    await database.query("truncate incoming_sms");
    const inbox = postgresInbox({ pool: database });
    const { sms, messages, errors } = recorder({ inbox });
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 1);
    database.isAway = true;
    expect(await sms.receive(post())).toMatchObject({ outcome: "failed", status: 503 });
    await until(() => errors.some(({ message }) => message === undefined));
    database.isAway = false;
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 2 && (await inbox.stats()).running === 0);
    await sms.close();
  });
});
