// What comes between the steps of transactions in PostgreSQL, and what the steps read.

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { postgresInbox, type PostgresInboxOptions } from "express-kaleyra-sms/postgres";
import { Client, Pool, type PoolConfig } from "pg";

import { post } from "../../support/callbacks";
import { recorder, type SomeOptions } from "../../support/recorder";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { ended } from "../temporary";
import { until } from "../waiting";

interface Options {
  readonly inbox?: Partial<PostgresInboxOptions>;
  readonly router?: SomeOptions;
  readonly pool?: PoolConfig;
}

/** A router on an inbox with a pool of its own, as in a process of its own. */
function routerOn(url: string, { inbox: own = {}, router = {}, pool: config = {} }: Options = {}) {
  const pool = new Pool({ connectionString: url, ...config });
  ended.push(() => pool.end());
  const inbox = postgresInbox({ pool, ...own });
  const recorded = { ...recorder({ inbox, ...router }), inbox };
  ended.push(() => recorded.sms.close());
  return recorded;
}

type Router = ReturnType<typeof routerOn>;

const RECEIVER = { router: { concurrency: 0 } };

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  }, 60_000);
  afterAll(() => server.remove());

  /** Stops an application at a statement, until the client that is returned unlocks it: `SELECT pg_advisory_unlock(1)`. */
  const stopping = async (url: string, application: string, at: "BEFORE DELETE" | "AFTER DELETE" | "AFTER UPDATE") => {
    await server.query(
      `CREATE FUNCTION express_kaleyra_sms.stops() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF current_setting('application_name') = '${application}' THEN PERFORM pg_advisory_xact_lock(1); END IF;
         RETURN NULL;
       END $$;
       CREATE TRIGGER stops ${at} ON express_kaleyra_sms.sms_message
       FOR EACH STATEMENT EXECUTE FUNCTION express_kaleyra_sms.stops()`,
      url,
    );
    const client = new Client({ connectionString: url });
    await client.connect();
    ended.push(() => client.end());
    await client.query("SELECT pg_advisory_lock(1)");
    return client;
  };
  /** Waits until a statement of an application waits for something. */
  const waitsIn = (application: string, event: string): Promise<void> =>
    until(async () => {
      const sql = `SELECT wait_event FROM pg_stat_activity WHERE application_name = '${application}' AND state = 'active'`;
      return (await server.query(sql)).some(({ wait_event }) => wait_event === event);
    });

  it("handles a message that is stored while its subscriber is erased, whatever else ends at this moment", async () => {
    const url = await server.createDatabase();
    const source = "919876500001";
    const { sms } = routerOn(url, RECEIVER);
    for (const id of ["first", "second"]) await sms.receive(post({ id, source }));
    // What erases stops when it knows the messages, before it deletes them.
    const other = await stopping(url, "erases", "BEFORE DELETE");
    const { inbox } = routerOn(url, { ...RECEIVER, pool: { application_name: "erases" } });
    await inbox.stats();
    const stopped = (event: string): Promise<void> => waitsIn("erases", event);

    // Another process ends the first message, and makes the second one the next.
    await other.query("BEGIN");
    await other.query("SELECT FROM express_kaleyra_sms.sms_message WHERE state = 0 FOR UPDATE");
    const erased = inbox.forget(source);
    await stopped("transactionid");
    await other.query("DELETE FROM express_kaleyra_sms.sms_message WHERE state = 0");
    await other.query("UPDATE express_kaleyra_sms.sms_message SET state = 0 WHERE state = 2; COMMIT");
    await stopped("advisory");
    expect(await sms.receive(post({ id: "third", source }))).toMatchObject({ outcome: "stored" });
    await other.query("SELECT pg_advisory_unlock(1)");
    expect(await erased).toBe(1);

    const worker = routerOn(url);
    await until(() => worker.messages.length > 0);
    expect(worker.messages.map(({ id }) => id)).toEqual(["third"]);
  }, 20_000);

  it("takes the next message of a source in the transaction in which the one before it ends", async () => {
    const url = await server.createDatabase();
    const { sms, inbox } = routerOn(url, RECEIVER);
    for (let id = 1; id <= 4; id++) await sms.receive(post({ id: `${id}` }));
    await server.query(
      `CREATE TABLE step (transaction bigint, what text, seq bigint);
       CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         -- The end takes some milliseconds.
         IF TG_OP = 'DELETE' THEN
           PERFORM pg_sleep(0.005);
           INSERT INTO public.step VALUES (txid_current(), 'ended', OLD.seq);
           RETURN OLD;
         END IF;
         IF NEW.state = 1 THEN INSERT INTO public.step VALUES (txid_current(), 'taken', NEW.seq); END IF;
         RETURN NEW;
       END $$;
       CREATE TRIGGER note BEFORE UPDATE OR DELETE ON express_kaleyra_sms.sms_message
       FOR EACH ROW EXECUTE FUNCTION note()`,
      url,
    );
    const worker = routerOn(url);
    await until(async () => worker.messages.length === 4 && (await inbox.stats()).running === 0);
    const steps = (what: string) =>
      server.query(`SELECT transaction FROM step WHERE what = '${what}' ORDER BY seq`, url);
    const [taken, ends] = [await steps("taken"), await steps("ended")];
    expect(taken).toHaveLength(4);
    expect(taken.slice(1)).toEqual(ends.slice(0, 3));
  });

  describe("erases a dead letter although at this moment", () => {
    const sent = post({ source: "919876500001" });
    /** What gives it its attempts again, and what comes of it: before it is erased, and after that. */
    type Revival = readonly [
      how: string,
      revive: (router: Router, key: string) => Promise<unknown>,
      ...results: unknown[],
    ];
    const REVIVALS: readonly Revival[] = [
      ["it is replayed", ({ inbox }, key) => inbox.replay(key), 1, 0],
      ["all dead letters are replayed", ({ inbox }) => inbox.replayAll(), 1, 0],
      ["it comes again", async ({ sms }) => (await sms.receive(sent)).outcome, "stored", "duplicate"],
    ];

    /** A database with a dead letter. */
    const withDeadLetter = async (): Promise<{ readonly url: string; readonly key: string }> => {
      const url = await server.createDatabase();
      const { sms, inbox } = routerOn(url, { inbox: { attempts: 1 } });
      sms.on("message", () => {
        throw new Error("always");
      });
      const { message: { key = "" } = {} } = await sms.receive(sent);
      await until(async () => (await inbox.stats()).dead === 1);
      await sms.close();
      return { url, key };
    };
    const receiver = async (url: string, application: string): Promise<Router> => {
      const router = routerOn(url, { ...RECEIVER, pool: { application_name: application } });
      await router.inbox.stats();
      return router;
    };
    const left = (url: string) => server.query("SELECT state, source FROM express_kaleyra_sms.sms_message", url);

    it.each(REVIVALS)("%s, and began before", async (_case, revive, revived) => {
      const { url, key } = await withDeadLetter();
      const lock = await stopping(url, "revives", "AFTER UPDATE");
      const [reviver, eraser] = [await receiver(url, "revives"), await receiver(url, "erases")];
      const reviving = revive(reviver, key);
      await waitsIn("revives", "advisory");
      const erasing = eraser.inbox.forget("919876500001");
      await waitsIn("erases", "transactionid");
      await lock.query("SELECT pg_advisory_unlock(1)");
      expect([await reviving, await erasing]).toEqual([revived, 1]);
      expect(await left(url)).toEqual([]);
    });

    it.each(REVIVALS)("%s, and begins later", async (_case, revive, _revived, late) => {
      const { url, key } = await withDeadLetter();
      const lock = await stopping(url, "erases", "AFTER DELETE");
      const [reviver, eraser] = [await receiver(url, "revives"), await receiver(url, "erases")];
      const erasing = eraser.inbox.forget("919876500001");
      await waitsIn("erases", "advisory");
      const reviving = revive(reviver, key);
      await waitsIn("revives", "transactionid");
      await lock.query("SELECT pg_advisory_unlock(1)");
      expect([await reviving, await erasing]).toEqual([late, 1]);
      expect(await left(url)).toEqual([]);
    });
  });

  it("keeps the first of two callbacks with one key, also if they come at once", async () => {
    const { sms, messages } = routerOn(await server.createDatabase());
    const sent = ["first", "second"].map((operator) => post({ id: "1", operator }));
    const receipts = await Promise.all(sent.map((one) => sms.receive(one)));
    expect(receipts.map(({ outcome }) => outcome)).toEqual(["stored", "duplicate"]);
    await until(() => messages.length === 1);
    expect(messages).toMatchObject([{ operator: "first" }]);
  });

  it("handles a dead letter that comes again as it came first", async () => {
    const { sms, messages, inbox } = routerOn(await server.createDatabase(), { inbox: { attempts: 1 } });
    let fails = true;
    sms.on("message", () => {
      if (fails) throw new Error("the first time");
    });
    const sent = post();
    const { message } = await sms.receive(sent);
    await until(async () => (await inbox.stats()).dead === 1);
    fails = false;
    await until(() => new Date().toISOString() !== message?.receivedAt);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 2);
    expect(messages).toEqual([message, message]);
  });

  it("does not read the old keys of another inbox again and again", async () => {
    const url = await server.createDatabase();
    const { sms, inbox } = routerOn(url);
    await inbox.stats();
    const KEYS = 20_000;
    await server.query(
      `INSERT INTO express_kaleyra_sms.sms_done SELECT 999, n::text, 0, 0 FROM generate_series(1, ${KEYS}) AS n`,
      url,
    );
    await sms.receive(post());
    const read = async (): Promise<{ scans: number; rows: number }> => {
      const [row] = await server.query(
        `SELECT idx_scan AS scans, idx_tup_read + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sms_done')
         AS rows FROM pg_stat_user_indexes WHERE indexrelname = 'sms_done_at'`,
        url,
      );
      return { scans: Number(row?.scans), rows: Number(row?.rows) };
    };
    // It looks for old keys each second, and the server counts what it reads a little later.
    await until(async () => (await read()).scans >= 2, 20_000);
    expect((await read()).rows).toBeLessThan(KEYS);
  }, 30_000);
});
