// A request that the server runs after a later one: what it would take, nobody would know of.

import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { postgresInbox, type PostgresPool } from "express-kaleyra-sms/postgres";
import { Pool, type PoolClient } from "pg";

import { post } from "../../support/callbacks";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { deferred, recorder } from "../../support/recorder";
import { ended } from "../temporary";
import { until, waitFor } from "../waiting";

interface Statement {
  readonly text: string;
  readonly values?: unknown[];
}

/** A pool, one of whose requests gets no answer, and reaches the server only when it is told to. */
class LatePool implements PostgresPool {
  readonly #pool: Pool;
  /** What the next round is to be: late. */
  isLate = false;
  late: Statement | undefined;
  /** Whether the answer to the next round is lost, though the server runs it. */
  isLost = false;
  /** Until when the answers to rounds wait. */
  answers: Promise<void> | undefined;

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url });
    ended.push(() => this.#pool.end());
  }

  connect(callback: (error: Error | undefined, client: PoolClient | undefined) => void): void {
    this.#pool.connect((error, client) => callback(error, client && this.#delaying(client)));
  }

  #delaying(client: PoolClient): PoolClient {
    const query = async (statement: Statement): Promise<unknown> => {
      if (!(this.isLate || this.isLost) || !/^SELECT .*sms_round/.test(statement.text)) {
        const answer: unknown = await client.query({ ...statement });
        if (/^SELECT .*sms_round/.test(statement.text)) await this.answers;
        return answer;
      }
      if (this.isLate) this.late = statement;
      else await client.query({ ...statement });
      this.isLate = this.isLost = false;
      return new Promise(() => undefined);
    };
    return new Proxy(client, {
      get: (target, name) => {
        if (name === "query") return query;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }

  query(statement: Statement): Promise<unknown> {
    return this.#pool.query({ ...statement });
  }

  on(event: "error", listener: () => void): this {
    this.#pool.on(event, listener);
    return this;
  }

  removeListener(event: "error", listener: () => void): this {
    this.#pool.removeListener(event, listener);
    return this;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  }, 60_000);
  afterAll(() => server.remove());

  it.each([
    ["nothing", false],
    ["a message", true],
  ])(
    "takes nothing by a request that comes after a later one, of a process that has handled %s",
    async (_case, isKnown) => {
      const name = `late ${String(isKnown)}`;
      const late = new LatePool(server.url);
      // The limit of a request is a second.
      const { sms, messages } = recorder({
        inbox: postgresInbox({ pool: late, name, leaseMs: 3_000 }),
        concurrency: 2,
      });
      ended.push(() => sms.close());
      const finish = deferred();
      sms.on("message", ({ text }) => (text === "waits" ? finish.promise : undefined));
      const pool = new Pool({ connectionString: server.url });
      ended.push(() => pool.end());
      const other = postgresInbox({ pool, name });
      const receiver = recorder({ inbox: other, concurrency: 0 });
      ended.push(() => receiver.sms.close());

      if (isKnown) {
        await receiver.sms.receive(post({ source: "0" }));
        await until(async () => messages.length === 1 && (await other.stats()).running === 0);
        messages.length = 0;
      }
      late.isLate = true;
      for (const source of ["1", "2"]) await receiver.sms.receive(post({ source, message: "waits" }));
      await until(() => late.late !== undefined && messages.length === 2, 10_000);
      // The process has no room for it.
      await receiver.sms.receive(post({ source: "3", message: "next" }));
      expect(await other.stats()).toMatchObject({ running: 2, waiting: 1 });
      await expect(late.query(late.late ?? { text: "" })).rejects.toMatchObject({ code: "KSMS2" });
      expect(await other.stats()).toMatchObject({ running: 2, waiting: 1 });
      finish.resolve();
      await until(() => messages.length === 3, 10_000);
    },
    30_000,
  );

  it("counts no attempt at what a round has taken, to run it or to hold it, if its answer is lost", async () => {
    const name = "lost";
    const late = new LatePool(server.url);
    const receiver = recorder({ inbox: postgresInbox({ pool: late, name }), concurrency: 0 });
    ended.push(() => receiver.sms.close());
    const texts = ["quick", "1", "2", "3"];
    for (const text of texts) await receiver.sms.receive(post({ source: text, message: text }));
    const pool = new LatePool(server.url);
    const { sms } = recorder({ inbox: postgresInbox({ pool, name, leaseMs: 3_000 }), concurrency: 1 });
    ended.push(() => sms.close());
    const attempts: unknown[] = [];
    sms.on("message", async ({ text }, { attempt }) => {
      attempts.push([text, attempt]);
      // The next round takes one, and holds two.
      if (text === "quick") pool.isLost = true;
      else await new Promise(setImmediate);
    });
    await until(() => attempts.length === texts.length, 15_000);
    expect(attempts.sort()).toEqual([...texts].sort().map((text) => [text, 1]));
  }, 30_000);

  it("does not start what another process has forgotten before the answer came", async () => {
    const name = "slow";
    const pool = new LatePool(server.url);
    // The limit of a request is a second.
    const { sms, messages } = recorder({ inbox: postgresInbox({ pool, name, leaseMs: 3_000 }), concurrency: 1 });
    ended.push(() => sms.close());
    const others = new Pool({ connectionString: server.url });
    ended.push(() => others.end());
    const other = postgresInbox({ pool: others, name });
    const receiver = recorder({ inbox: other, concurrency: 0 });
    ended.push(() => receiver.sms.close());
    const answers = deferred();
    pool.answers = answers.promise;
    await receiver.sms.receive(post({ source: "1", message: "forgotten" }));
    await until(async () => (await other.stats()).running === 1);
    expect(await other.forget("1")).toBe(1);
    await receiver.sms.receive(post({ id: "2", source: "1", message: "after" }));
    // Longer than the time in which a message is started without asking.
    await waitFor(100);
    answers.resolve();
    await until(() => messages.length > 0);
    expect(messages.map(({ text }) => text)).toEqual(["after"]);
  }, 30_000);
});
