// Failures of PostgreSQL: only stored messages are acknowledged, nothing hangs, and the inbox works again when it does.

import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { OperableInbox } from "express-kaleyra-sms";
import { postgresInbox, type PostgresInboxOptions } from "express-kaleyra-sms/postgres";
import { Pool, type PoolConfig } from "pg";

import { post } from "../../support/callbacks";
import { freePort } from "../../support/free-port";
import { canLimitDisk, describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { deferred, recorder, type SomeOptions } from "../../support/recorder";
import { tcpProxy } from "../../support/tcp-proxy";
import { ended } from "../temporary";
import { until, waitFor } from "../waiting";

/** Texts that no error or log line may contain. */
const SECRETS = ["the secret text", "919876500000"];
const secret = (id?: string) => post({ message: SECRETS[0], source: SECRETS[1], ...(id === undefined ? {} : { id }) });

const MEBIBYTE = 1_048_576;

interface Options {
  readonly inbox?: Partial<PostgresInboxOptions>;
  readonly router?: SomeOptions;
  readonly pool?: PoolConfig;
}

let names = 0;

/** A router on an inbox of its own, with a pool of its own. */
function routerOn(url: string, { inbox: own = {}, router = {}, pool: config = {} }: Options = {}) {
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 1_000, ...config });
  ended.push(() => pool.end());
  const inbox = postgresInbox({ pool, name: `failing ${++names}`, backoffMs: 20, ...own });
  const recorded = { ...recorder({ inbox, storeTimeoutMs: 400, ...router }), inbox, pool };
  ended.push(() => recorded.sms.close());
  return recorded;
}
type Router = ReturnType<typeof routerOn>;

/** Waits until the inbox stores again. */
const recovered = ({ sms }: Router): Promise<void> =>
  until(async () => (await sms.receive(post({ id: `${Math.random()}` }))).outcome === "stored", 15_000);

/** Expects that callbacks are answered 503 soon. */
const refused = async ({ sms }: Router): Promise<void> => {
  const began = performance.now();
  const receipts = await Promise.all(Array.from({ length: 20 }, (_, n) => sms.receive(secret(`refused ${n}`))));
  expect(performance.now() - began).toBeLessThan(1_500);
  for (const { status, outcome, body } of receipts) {
    expect({ status, outcome }).toEqual({ status: 503, outcome: "failed" });
    expect(body).toContain('"not-stored"');
  }
};

const keepsSecrets = ({ errors, lines }: Router): void => {
  const told = inspect([errors.map(({ cause }) => cause), lines], { depth: Infinity, showHidden: true });
  for (const word of SECRETS) expect(told).not.toContain(word);
};

const codesOf = ({ errors }: Router): unknown[] => errors.map(({ cause }) => (cause as { code?: unknown }).code);

const isIdle = async (inbox: OperableInbox): Promise<boolean> => {
  const { waiting, running, delayed } = await inbox.stats();
  return waiting + running + delayed === 0;
};

/** Sends until it is told to stop, and knows what was acknowledged. */
function sender({ sms }: Router, clients = 8) {
  const answered = new Set<string>();
  let isOver = false;
  const send = async (client: number): Promise<void> => {
    for (let n = 0; !isOver; n++) {
      const id = `${client} ${n}`;
      if ((await sms.receive(post({ id, source: `91987650000${client}` }))).status === 200) answered.add(id);
      await waitFor(1);
    }
  };
  const sending = Promise.all(Array.from({ length: clients }, (_, client) => send(client)));
  const stop = (): Promise<unknown> => {
    isOver = true;
    return sending;
  };
  return { answered, stop };
}

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer({ settings: { max_connections: 30 } });
  }, 60_000);
  afterAll(() => server.remove());

  const router = (options?: Options): Router => routerOn(server.url, options);

  it("answers 503 from the start while the server is away, and works when it has started", async () => {
    await server.stop();
    const recorded = router();
    await refused(recorded);
    expect(codesOf(recorded)).toContain("KALEYRA_SMS_INBOX_UNREACHABLE");
    await expect(recorded.inbox.stats()).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_UNREACHABLE" });
    keepsSecrets(recorded);
    await server.start();
    await recovered(recorded);
    await until(() => recorded.messages.length > 0, 10_000);
  }, 30_000);

  it.each(["stop", "crash"] as const)(
    "handles every acknowledged message once although the server has to %s again and again",
    async (how) => {
      const recorded = router({ inbox: { leaseMs: 3_000 } });
      const { answered, stop } = sender(recorded);
      for (let n = 0; n < 3; n++) {
        await waitFor(300);
        await server[how]();
        await refused(recorded);
        await server.start();
        await recovered(recorded);
      }
      await stop();
      await until(async () => await isIdle(recorded.inbox), 15_000);
      const handled = recorded.messages.map(({ id }) => id);
      expect(answered.size).toBeGreaterThan(100);
      expect(Array.from(answered).filter((id) => !handled.includes(id))).toEqual([]);
      // Its process never ended.
      expect(handled).toHaveLength(new Set(handled).size);
      keepsSecrets(recorded);
    },
    60_000,
  );

  it("handles a message once that runs longer than its lease, though the server is away meanwhile", async () => {
    const name = `lease ${++names}`;
    const routers = [router({ inbox: { name, leaseMs: 1_200 } }), router({ inbox: { name, leaseMs: 1_200 } })];
    const { promise, resolve } = deferred();
    let started = 0;
    for (const { sms } of routers) sms.on("message", () => (started++, promise));
    await routers[0]?.sms.receive(post());
    await until(() => started === 1);
    await waitFor(1_500);
    await server.stop();
    await waitFor(2_000);
    await server.start();
    await waitFor(2_000);
    resolve();
    await until(async () => (await routers[0]?.inbox.stats())?.running === 0, 10_000);
    expect(started).toBe(1);
  }, 30_000);

  it("handles a message once although its process reaches the server some seconds later than another one", async () => {
    const name = `lease ${++names}`;
    const proxy = await tcpProxy(server.port);
    ended.push(() => proxy.remove());
    const inbox = { name, leaseMs: 6_000 };
    const slow = routerOn(`postgres://postgres@127.0.0.1:${proxy.port}/postgres`, { inbox });
    const { promise, resolve } = deferred();
    let started = 0;
    slow.sms.on("message", () => (started++, promise));
    await slow.sms.receive(post());
    await until(() => started === 1);
    const quick = router({ inbox });
    quick.sms.on("message", () => (started++, promise));
    await quick.inbox.stats();
    await server.stop();
    await waitFor(6_500);
    proxy.silence();
    await server.start();
    await waitFor(3_000);
    proxy.resume();
    await waitFor(2_500);
    resolve();
    await until(async () => (await quick.inbox.stats()).running === 0, 10_000);
    expect(started).toBe(1);
  }, 40_000);

  it("answers 503 while the server is silent, and works when it answers again", async () => {
    const proxy = await tcpProxy(server.port);
    ended.push(() => proxy.remove());
    const recorded = routerOn(`postgres://postgres@127.0.0.1:${proxy.port}/postgres`, { inbox: { leaseMs: 3_000 } });
    await recovered(recorded);
    proxy.silence();
    for (let n = 0; n < 3; n++) await refused(recorded);
    const began = performance.now();
    await expect(recorded.inbox.stats()).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_UNREACHABLE" });
    expect(performance.now() - began).toBeLessThan(4_000);
    // Longer than the limits of its requests: it has tried to connect, too.
    await waitFor(3_000);
    await refused(recorded);
    proxy.resume();
    await recovered(recorded);
    keepsSecrets(recorded);
    proxy.cut();
    await recovered(recorded);
    await until(async () => await isIdle(recorded.inbox), 10_000);
    const keys = recorded.messages.map(({ key }) => key);
    expect(keys).toHaveLength(new Set(keys).size);
  }, 60_000);

  it("closes in time while the server is silent", async () => {
    const proxy = await tcpProxy(server.port);
    ended.push(() => proxy.remove());
    const { sms } = routerOn(`postgres://postgres@127.0.0.1:${proxy.port}/postgres`, {
      inbox: { leaseMs: 3_000 },
      router: { handlerTimeoutMs: 100 },
    });
    const started = deferred();
    sms.on("message", () => {
      started.resolve();
      return new Promise(() => undefined);
    });
    await sms.receive(post());
    await started.promise;
    proxy.silence();
    const began = performance.now();
    await sms.close();
    expect(performance.now() - began).toBeLessThan(10_000);
    proxy.resume();
  }, 30_000);

  it("answers 503 while all clients of the pool are in use, and works when one is free", async () => {
    const recorded = router({ pool: { max: 2 } });
    await recovered(recorded);
    const used = [await recorded.pool.connect()];
    // The inbox listens on the other one.
    await refused(recorded);
    for (const client of used) client.release();
    await recovered(recorded);
  }, 30_000);

  it("answers 503 while the server has no connection left, and works when it has", async () => {
    const others = new Pool({ connectionString: server.url, max: 60 });
    ended.push(() => others.end());
    others.on("error", () => undefined);
    const taken = await Promise.allSettled(Array.from({ length: 40 }, () => others.connect()));
    const recorded = router();
    await refused(recorded);
    expect(recorded.errors.map(({ cause }) => String(cause)).join()).toContain("53300");
    for (const one of taken) if (one.status === "fulfilled") one.value.release(true);
    await recovered(recorded);
  }, 30_000);

  it("answers 503 while the server only reads, as a standby does, and works when it writes", async () => {
    const recorded = router();
    await recovered(recorded);
    await server.query("ALTER SYSTEM SET default_transaction_read_only = on; ");
    await server.query("SELECT pg_reload_conf()");
    try {
      await until(async () => (await recorded.sms.receive(secret())).status === 503);
      await refused(recorded);
      expect(recorded.errors.map(({ cause }) => String(cause)).join()).toContain("25006");
      keepsSecrets(recorded);
    } finally {
      await server.query("ALTER SYSTEM RESET default_transaction_read_only");
      await server.query("SELECT pg_reload_conf()");
    }
    await recovered(recorded);
  }, 30_000);

  it("answers 503 while somebody locks the table, and works afterwards", async () => {
    const recorded = router();
    await recovered(recorded);
    const client = await recorded.pool.connect();
    await client.query("BEGIN");
    await client.query("LOCK TABLE express_kaleyra_sms.sms_message IN ACCESS EXCLUSIVE MODE");
    await refused(recorded);
    await client.query("ROLLBACK");
    client.release();
    await recovered(recorded);
    await until(async () => await isIdle(recorded.inbox), 10_000);
  }, 30_000);

  it("does not use up the connections of the server while somebody locks the table", async () => {
    const recorded = router({ inbox: { schema: "locked", leaseMs: 3_000 }, router: { concurrency: 0 } });
    await recovered(recorded);
    const client = await recorded.pool.connect();
    await client.query("BEGIN");
    await client.query("LOCK TABLE locked.sms_message IN ACCESS EXCLUSIVE MODE");
    // The router asks for the counts every other second, and each time gives up after one.
    const waiting = async (): Promise<number> => {
      const sql =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%locked%stats%'";
      return Number((await server.query(sql))[0]?.count);
    };
    await until(async () => (await waiting()) >= 1, 10_000);
    await waitFor(8_000);
    expect(await waiting()).toBeLessThanOrEqual(3);
    await client.query("ROLLBACK");
    client.release();
    await recovered(recorded);
  }, 40_000);

  it("answers 503 while no standby confirms, does not use up connections, and works when one does", async () => {
    const recorded = router({ inbox: { schema: "replicated", leaseMs: 3_000 } });
    const receiver = router({
      inbox: { schema: "replicated", name: "receiver", leaseMs: 3_000 },
      router: { concurrency: 0 },
    });
    for (const one of [recorded, receiver]) await recovered(one);
    await server.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await server.query("SELECT pg_reload_conf()");
    const unconfirmed = async (): Promise<number> =>
      Number((await server.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))[0]?.count);
    const sent = post({ id: "unconfirmed" });
    let most = 0;
    try {
      await until(async () => (await receiver.sms.receive(post({ id: `${Math.random()}` }))).status === 503);
      for (const one of [recorded, receiver]) await refused(one);
      // Each takes 400 ms, and each second a statement is given up.
      for (let n = 0; n < 20; n++) {
        expect(await receiver.sms.receive(post({ id: `late ${n}`, source: `${n}` }))).toMatchObject({ status: 503 });
        most = Math.max(most, await unconfirmed());
      }
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(4);
      const kept = `SELECT FROM replicated.sms_message WHERE body LIKE '%"unconfirmed"%'`;
      const isKept = async (): Promise<boolean> => (await server.query(kept)).length === 1;
      const isRefused = async () => expect(await receiver.sms.receive(sent)).toMatchObject({ status: 503 });
      for (const end = Date.now() + 20_000; !(await isKept()) && Date.now() < end;) await isRefused();
      // It is stored here, and nowhere else: it is no duplicate, either. Some of them wait for a round before.
      expect(await isKept()).toBe(true);
      for (let n = 0; n < 5; n++) await isRefused();
      keepsSecrets(recorded);
    } finally {
      await server.query("ALTER SYSTEM RESET synchronous_standby_names");
      await server.query("SELECT pg_reload_conf()");
    }
    for (const one of [recorded, receiver]) await recovered(one);
    expect(await receiver.sms.receive(sent)).toMatchObject({ status: 200 });
    await until(async () => (await isIdle(recorded.inbox)) && (await unconfirmed()) === 0, 10_000);
    const keys = recorded.messages.map(({ key }) => key);
    expect(keys).toHaveLength(new Set(keys).size);
  }, 60_000);

  it("goes on if an idle connection ends, and if the one that listens does", async () => {
    const recorded = router();
    await recovered(recorded);
    await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
    await recovered(recorded);
    await until(async () => await isIdle(recorded.inbox), 10_000);
  }, 30_000);

  it("writes outcomes when the server is back, even while it closes, and reports that it could not", async () => {
    const recorded = router({ inbox: { schema: "closing" } });
    const { promise, resolve } = deferred();
    const started = deferred();
    recorded.sms.on("message", () => (started.resolve(), promise));
    await recorded.sms.receive(post());
    await started.promise;
    await server.stop();
    const closed = recorded.sms.close();
    resolve();
    await until(() => recorded.errors.length > 0);
    await server.start();
    await closed;
    expect(await server.query("SELECT * FROM closing.sms_message")).toEqual([]);
  }, 30_000);

  it("reports a failed statement without anything that was sent", async () => {
    const recorded = router({ router: { concurrency: 0 } });
    await recovered(recorded);
    const table = "ALTER TABLE express_kaleyra_sms.sms_message";
    await server.query(`${table} ADD CONSTRAINT small CHECK (length(body) < 10) NOT VALID`);
    await recorded.sms.receive(secret());
    await server.query(`${table} DROP CONSTRAINT small`);
    expect(recorded.errors.map(({ cause }) => String(cause)).join()).toContain("23514");
    keepsSecrets(recorded);
  });

  it("makes its tables again if somebody has dropped them", async () => {
    const recorded = router({ inbox: { schema: "dropped" } });
    await recovered(recorded);
    await server.query("DROP SCHEMA dropped CASCADE");
    await recovered(recorded);
    await until(async () => await isIdle(recorded.inbox), 10_000);
  }, 20_000);

  it("rejects the calls of its methods once it is closed", async () => {
    const { sms, inbox } = router();
    await inbox.stats();
    await sms.close();
    for (const asked of [inbox.stats(), inbox.get("1"), inbox.replayAll(), inbox.forget("1")])
      await expect(asked).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
  });

  it("leaves no connection of its own, no listener and no timer after closing", async () => {
    const { sms, inbox, pool } = router();
    await sms.receive(post());
    await until(async () => await isIdle(inbox));
    await sms.close();
    expect(pool.listenerCount("error")).toBe(0);
    expect(pool.totalCount - pool.idleCount).toBe(0);
    expect(pool.ended).toBe(false);
  });
});

describeWithPostgres("postgresInbox without a server", () => {
  it("is not ready, and closes", async () => {
    const recorded = routerOn(`postgres://postgres@127.0.0.1:${await freePort()}/postgres`);
    await refused(recorded);
    expect(recorded.sms.health()).toMatchObject({ ready: false });
    const began = performance.now();
    await recorded.sms.close();
    expect(performance.now() - began).toBeLessThan(4_000);
  }, 20_000);
});

describeWithPostgres("postgresInbox on a small disk", () => {
  (canLimitDisk() ? it : it.skip)(
    "answers 503 while the disk is full (skipped where none can be mounted), and works when it has room",
    async () => {
      const server = await postgresServer({ diskBytes: 256 * MEBIBYTE });
      ended.push(() => server.remove());
      const recorded = routerOn(server.url, { pool: { max: 4 } });
      await recovered(recorded);
      const { answered, stop } = sender(recorded);
      await until(() => answered.size > 50, 10_000);
      server.fillDisk();
      const big = "x".repeat(150_000);
      let isFull = false;
      await until(async () => {
        const { status } = await recorded.sms.receive(post({ id: `${Math.random()}`, message: big }));
        isFull ||= status === 503;
        return isFull;
      }, 30_000);
      await waitFor(500);
      server.freeDisk();
      // The server may have ended by itself: it needs its disk.
      await server.start();
      await recovered(recorded);
      await stop();
      await until(async () => await isIdle(recorded.inbox), 20_000);
      const handled = new Set(recorded.messages.map(({ id }) => id));
      expect(Array.from(answered).filter((id) => !handled.has(id))).toEqual([]);
    },
    120_000,
  );
});

describe("options of postgresInbox", () => {
  const pool = new Pool({ connectionString: "postgres://localhost/none" });

  it.each([
    ["nothing", undefined, "not nothing"],
    ["a connection string", "postgres://localhost/app", "not a connection string"],
    ["a number", 5_432, "a Pool of pg"],
    ["an object", {}, "not another object"],
  ])("reject %s as pool", (_case, given, text) => {
    const options = { pool: given } as unknown as PostgresInboxOptions;
    expect(() => postgresInbox(options)).toThrow(TypeError);
    expect(() => postgresInbox(options)).toThrow(text);
  });

  it("reject a pool that has ended", async () => {
    const over = new Pool();
    await over.end();
    expect(() => postgresInbox({ pool: over })).toThrow("has ended");
  });

  it.each(["", "x".repeat(64), "a\0b", "\ud800", 1])("reject %j as schema", (schema) => {
    expect(() => postgresInbox({ pool, schema } as PostgresInboxOptions)).toThrow("options.schema of postgresInbox");
  });

  it.each(["", "a\0b", "\ud800", 1])("reject %j as name", (name) => {
    expect(() => postgresInbox({ pool, name } as PostgresInboxOptions)).toThrow("options.name of postgresInbox");
  });

  it("include those of every inbox", () => {
    expect(() => postgresInbox({ pool, attempts: 0 })).toThrow("options.attempts");
    expect(() => postgresInbox({ pool, prefix: "x" } as PostgresInboxOptions)).toThrow(
      "options.prefix is not an option",
    );
  });
});
