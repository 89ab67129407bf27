// The Postgres inbox of docs/postgres-inbox.ts, on a Postgres in this process.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";

import { postgresInbox, SCHEMA } from "../../docs/postgres-inbox";
import { post } from "../support/callbacks";
import { deferred, recorder, type Recorder } from "../support/recorder";
import { itConforms } from "./conformance";
import { until, waitFor } from "./waiting";

interface Answer {
  readonly id: number;
  readonly rows?: unknown[];
  readonly error?: { readonly message: string; readonly code?: string; readonly detail?: string };
}

/** Sends queries to postgres-server.cjs, with the interface of `pg`. */
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
    if (this.isAway) throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const id = ++this.#last;
    const { rows = [], error } = await new Promise<Answer>((resolve) => {
      this.#asked.set(id, resolve);
      this.#server.postMessage({ id, sql, values });
    });
    if (error !== undefined) throw Object.assign(new Error(error.message), error);
    return { rows };
  }

  close(): Promise<unknown> {
    return this.#server.terminate();
  }
}

describe("postgresInbox", () => {
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

  const open: Recorder[] = [];
  afterEach(async () => {
    database.isAway = false;
    for (const { sms } of open.splice(0)) await sms.close();
  });

  /** A router, which is closed after the spec. */
  const router = (options: Parameters<typeof recorder>[0]): Recorder => {
    const recorded = recorder(options);
    open.push(recorded);
    return recorded;
  };

  /** An inbox on the emptied table. */
  const inboxOf = async (options: Omit<Parameters<typeof postgresInbox>[0], "pool"> = {}) => {
    await database.query("truncate incoming_sms");
    return postgresInbox({ pool: database, backoffMs: 20, ...options });
  };

  it("answers 503 and emits error while the database is away, and works again when it is back", async () => {
    const inbox = await inboxOf();
    const { sms, messages, errors } = router({ inbox });
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 1);
    database.isAway = true;
    const { message, ...receipt } = await sms.receive(post());
    expect(receipt).toMatchObject({ outcome: "failed", status: 503 });
    await until(() => errors.some((error) => error.smsMessage === undefined));
    expect(errors.filter((error) => error.smsMessage !== undefined)).toMatchObject([
      { event: "inbox", smsMessage: message },
    ]);
    expect(errors).toEqual(
      errors.map(() => expect.objectContaining({ cause: expect.objectContaining({ code: "ECONNREFUSED" }) })),
    );
    database.isAway = false;
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 2 && (await inbox.stats()).running === 0);
  });

  it("handles a message once that runs longer than its lease, even if the database is away meanwhile", async () => {
    const inbox = await inboxOf({ leaseMs: 600 });
    const other = postgresInbox({ pool: database, leaseMs: 600 });
    const routers = [router({ inbox }), router({ inbox: other })];
    const { promise, resolve } = deferred();
    let started = 0;
    for (const { sms } of routers) sms.on("message", () => (started++, promise));
    await routers[0]?.sms.receive(post());
    await until(() => started === 1);
    await waitFor(900);
    database.isAway = true;
    await waitFor(900);
    database.isAway = false;
    await waitFor(900);
    resolve();
    await until(async () => (await inbox.stats()).running === 0);
    expect(started).toBe(1);
  });

  it("writes the outcome when the database is back, even while it closes", async () => {
    const inbox = await inboxOf();
    const { sms } = router({ inbox });
    const { promise, resolve } = deferred();
    const started = deferred();
    sms.on("message", () => (started.resolve(), promise));
    await sms.receive(post());
    await started.promise;
    const closed = sms.close();
    database.isAway = true;
    resolve();
    await waitFor(300);
    database.isAway = false;
    await closed;
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, delayed: 0, dead: 0 });
  });

  it("makes a dead letter of a message that ended its process in each attempt, and reports it", async () => {
    const inbox = await inboxOf({ attempts: 2 });
    const { sms, errors, messages } = router({ inbox, concurrency: 0 });
    const { message } = await sms.receive(post());
    await sms.close();
    await database.query("update incoming_sms set state = 'running', attempts = 2, due_at = now()");
    const next = router({ inbox: postgresInbox({ pool: database, attempts: 2 }) });
    await until(() => next.errors.length > 0);
    expect(next.errors).toMatchObject([
      { event: "inbox", smsMessage: message, attempt: 2, cause: { code: "KALEYRA_SMS_CUT_SHORT" } },
    ]);
    await until(async () => (await inbox.stats()).dead === 1);
    expect(await inbox.deadLetters()).toMatchObject([{ message, attempts: 2 }]);
    expect([...errors, ...messages, ...next.messages]).toEqual([]);
  });

  it("does not handle a replayed message beside a later message of its source", async () => {
    const inbox = await inboxOf({ attempts: 1 });
    const { sms } = router({ inbox });
    const { promise, resolve } = deferred();
    let isBroken = true;
    let running = 0;
    let most = 0;
    const handled: string[] = [];
    sms.on("message", async ({ text = "" }) => {
      if (isBroken) throw new Error("no");
      most = Math.max(most, ++running);
      if (text === "second") await promise;
      running--;
      handled.push(text);
    });
    await sms.receive(post({ message: "first" }));
    await until(async () => (await inbox.stats()).dead === 1);
    isBroken = false;
    await sms.receive(post({ message: "second" }));
    await until(() => running === 1);
    expect(await inbox.replayAll()).toBe(1);
    await waitFor(300);
    resolve();
    await until(() => handled.length === 2);
    expect(most).toBe(1);
  });

  it("stores and forgets messages of any source, exactly as sent", async () => {
    const inbox = await inboxOf();
    const { sms } = router({ inbox, concurrency: 0 });
    for (const source of ["\u0000", "\ud800", "\ud801"])
      expect(await sms.receive(post({ source }))).toMatchObject({ outcome: "stored" });
    expect(await inbox.forget("\ud800")).toBe(1);
    expect(await inbox.stats()).toMatchObject({ waiting: 2 });
  });

  it("reports a failed statement without anything that was sent", async () => {
    const inbox = await inboxOf();
    const { sms, errors } = router({ inbox, concurrency: 0 });
    await database.query("alter table incoming_sms add constraint small check (length(message) < 10)");
    const { message } = await sms.receive(post({ message: "secret text" }));
    await database.query("alter table incoming_sms drop constraint small");
    expect(errors).toMatchObject([{ smsMessage: message, cause: { code: "23514" } }]);
    expect(inspect(errors[0]?.cause, { depth: 9, showHidden: true })).not.toMatch(/secret text|9876543210/);
  });

  it("keeps a key for retentionMs, and then removes it", async () => {
    const inbox = await inboxOf({ retentionMs: 100 });
    const { sms, messages } = router({ inbox });
    const sent = post();
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    expect((await database.query("select key, source, message from incoming_sms")).rows).toEqual([
      { key: messages[0]?.key, source: null, message: null },
    ]);
    await until(async () => (await database.query("select 1 from incoming_sms")).rows.length === 0);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
  });
});

it("has every name that docs/inbox.md mentions", () => {
  const [doc = "", code = ""] = ["inbox.md", "postgres-inbox.ts"].map((file) =>
    readFileSync(join(__dirname, "..", "..", "docs", file), "utf8"),
  );
  // Constants, and names alone in parentheses.
  const names = Array.from(doc.matchAll(/`([A-Z_]{4,})`|\(`(\w+)`\)/g), ([, constant, other]) => constant ?? other);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(code).toMatch(new RegExp(`(const|function) ${name}\\b`));
});
