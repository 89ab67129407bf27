// How the inbox makes its tables, what it says of a database that does not fit, and what it leaves in one.

import { fork } from "node:child_process";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { OperableInbox } from "express-kaleyra-sms";
import { postgresInbox, type PostgresInboxOptions } from "express-kaleyra-sms/postgres";
import { Pool, type PoolConfig } from "pg";

import { post } from "../../support/callbacks";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { deferred, recorder } from "../../support/recorder";
import { ended } from "../temporary";
import { until } from "../waiting";

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  }, 60_000);
  afterAll(() => server.remove());

  const opened = (url: string, options: Partial<PostgresInboxOptions> = {}, config: PoolConfig = {}) => {
    const pool = new Pool({ connectionString: url, ...config });
    ended.push(() => pool.end());
    const inbox = postgresInbox({ pool, ...options });
    const recorded = { ...recorder({ inbox, concurrency: 0 }), inbox };
    ended.push(() => recorded.sms.close());
    return recorded;
  };

  it("makes its tables once, though many processes begin at the same time", async () => {
    const url = await server.createDatabase();
    const inboxes = Array.from({ length: 8 }, () => opened(url));
    const receipts = await Promise.all(inboxes.map(({ sms }, n) => sms.receive(post({ id: `${n}`, source: `${n}` }))));
    expect(receipts.map(({ outcome }) => outcome)).toEqual(inboxes.map(() => "stored"));
    expect((await inboxes[0]?.inbox.stats())?.waiting).toBe(8);
    expect(await server.query("SELECT version FROM express_kaleyra_sms.sms_version", url)).toEqual([{ version: 1 }]);
    expect(await server.query("SELECT name FROM express_kaleyra_sms.sms_inbox", url)).toHaveLength(1);
  });

  it("works in a database that publishes all its tables", async () => {
    const url = await server.createDatabase();
    await server.query("CREATE PUBLICATION everything FOR ALL TABLES", url);
    const pool = new Pool({ connectionString: url });
    ended.push(() => pool.end());
    const inbox = postgresInbox({ pool });
    const { sms, messages } = recorder({ inbox });
    ended.push(() => sms.close());
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    await inbox.forget("+919876543210");
  });

  it("keeps inboxes apart by their names and their schemas", async () => {
    const url = await server.createDatabase();
    const places = [
      {},
      { name: 'b"; --' },
      { schema: 'Sms of "us"; --' },
      { schema: "pg-$body$-é" },
      { schema: "public" },
    ];
    const inboxes = places.map((place) => opened(url, place));
    for (const [n, { sms }] of inboxes.entries()) {
      for (let id = 0; id <= n; id++)
        expect(await sms.receive(post({ id: `${id}`, source: "919876500000" }))).toMatchObject({ outcome: "stored" });
    }
    for (const [n, { inbox }] of inboxes.entries()) expect((await inbox.stats()).waiting).toBe(n + 1);
    expect(await inboxes[1]?.inbox.forget("919876500000")).toBe(2);
    for (const [n, { inbox }] of inboxes.entries()) expect((await inbox.stats()).waiting).toBe(n === 1 ? 0 : n + 1);
  });

  it("refuses tables of a newer version, until it is updated", async () => {
    const url = await server.createDatabase();
    const first = opened(url);
    await first.inbox.stats();
    await server.query("UPDATE express_kaleyra_sms.sms_version SET version = 99", url);
    const second = opened(url);
    await expect(second.inbox.stats()).rejects.toMatchObject({
      code: "KALEYRA_SMS_INBOX_DATABASE_UNFIT",
      message: expect.stringContaining("version 99"),
    });
    expect(await second.sms.receive(post())).toMatchObject({ status: 503 });
    // The process that began before the update goes on.
    expect(await first.sms.receive(post())).toMatchObject({ outcome: "stored" });
    await server.query("UPDATE express_kaleyra_sms.sms_version SET version = 1", url);
    await second.inbox.stats();
  });

  it("says what to run if its role may not make the tables, and works with tables that another role made", async () => {
    const url = await server.createDatabase();
    const role = `poor_${url.slice(url.lastIndexOf("_") + 1)}`;
    await server.query(`CREATE ROLE ${role} LOGIN`, url);
    const poor = opened(url.replace("postgres@", `${role}@`));
    await expect(poor.inbox.stats()).rejects.toMatchObject({
      code: "KALEYRA_SMS_INBOX_DATABASE_UNFIT",
      message: expect.stringContaining('CREATE SCHEMA IF NOT EXISTS "express_kaleyra_sms"'),
    });
    await opened(url).inbox.stats();
    await expect(poor.inbox.stats()).rejects.toThrow("GRANT");
    await server.query(
      `GRANT USAGE ON SCHEMA express_kaleyra_sms TO ${role};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA express_kaleyra_sms TO ${role}`,
      url,
    );
    expect(await poor.sms.receive(post())).toMatchObject({ outcome: "stored" });
  });

  it("says what to run if its role may not execute the functions, and works when it may", async () => {
    const url = await server.createDatabase();
    const role = `careful_${url.slice(url.lastIndexOf("_") + 1)}`;
    await server.query(
      `CREATE ROLE ${role} LOGIN; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`,
      url,
    );
    await opened(url).inbox.stats();
    await server.query(
      `GRANT USAGE ON SCHEMA express_kaleyra_sms TO ${role};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA express_kaleyra_sms TO ${role}`,
      url,
    );
    const { sms, inbox, errors } = opened(url.replace("postgres@", `${role}@`));
    const missing = {
      code: "KALEYRA_SMS_INBOX_DATABASE_UNFIT",
      message: expect.stringContaining("GRANT EXECUTE ON ALL FUNCTIONS"),
    };
    await expect(inbox.stats()).rejects.toMatchObject(missing);
    expect(await sms.receive(post())).toMatchObject({ status: 503 });
    expect(errors).toMatchObject([{ cause: missing }]);
    await server.query(`GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA express_kaleyra_sms TO ${role}`, url);
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
  });

  it("makes its tables in a schema that its role may fill, though the role may make no schema", async () => {
    const url = await server.createDatabase();
    const role = `owner_${url.slice(url.lastIndexOf("_") + 1)}`;
    await server.query(`CREATE ROLE ${role} LOGIN; CREATE SCHEMA sms AUTHORIZATION ${role}`, url);
    const { sms } = opened(url.replace("postgres@", `${role}@`), { schema: "sms" });
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
  });

  it.each(["repeatable read", "serializable"])("refuses connections whose transactions are %s", async (isolation) => {
    const url = await server.createDatabase();
    await opened(url).inbox.stats();
    const options = `-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`;
    const { inbox, sms } = opened(url, {}, { options });
    await expect(inbox.stats()).rejects.toMatchObject({
      code: "KALEYRA_SMS_INBOX_DATABASE_UNFIT",
      message: expect.stringContaining("read committed"),
    });
    expect(await sms.receive(post())).toMatchObject({ status: 503 });
  });

  it("refuses a database whose encoding cannot hold every text", async () => {
    await server.query("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    const { inbox } = opened(server.url.replace(/postgres$/, "latin"));
    await expect(inbox.stats()).rejects.toThrow("UTF8");
  });

  it("waits for the disk although synchronous_commit is off", async () => {
    const url = await server.createDatabase();
    const { inbox, sms } = opened(url, {}, { options: "-c synchronous_commit=off" });
    await inbox.stats();
    await server.query(
      `CREATE TABLE seen (setting text);
       CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN INSERT INTO public.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
       CREATE CONSTRAINT TRIGGER note AFTER INSERT ON express_kaleyra_sms.sms_message
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()`,
      url,
    );
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    expect(await server.query("SELECT setting FROM seen", url)).toEqual([{ setting: "on" }]);
  });

  it.each([
    ["for numbers", (value: string) => (/^\d+$/.test(value) ? BigInt(value) : value)],
    ["that leave everything as it comes", (value: string) => value],
  ])("works although the app has its own parsers %s", async (_case, parse) => {
    const url = await server.createDatabase();
    const types = { getTypeParser: () => parse };
    // The second one finds the tables.
    for (const waiting of [1, 2]) {
      const { sms, inbox } = opened(url, {}, { types });
      expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
      expect(await inbox.stats()).toMatchObject({ waiting });
    }
    const pool = new Pool({ connectionString: url, types });
    ended.push(() => pool.end());
    const inbox = postgresInbox({ pool, attempts: 2, backoffMs: 500 });
    const { sms } = recorder({ inbox });
    ended.push(() => sms.close());
    sms.on("message", () => {
      throw new Error("always");
    });
    const { message: { key = "" } = {} } = await sms.receive(post());
    await until(async () => (await inbox.get(key))?.state === "delayed");
    await until(async () => (await inbox.get(key))?.state === "dead");
    expect(await inbox.replay("no such key")).toBe(0);
    expect(await inbox.replay(key)).toBe(1);
  });

  it("keeps a key for retentionMs, and then removes it", async () => {
    const url = await server.createDatabase();
    const pool = new Pool({ connectionString: url });
    ended.push(() => pool.end());
    const { sms, messages } = recorder({ inbox: postgresInbox({ pool, retentionMs: 300 }) });
    ended.push(() => sms.close());
    const sent = post();
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 1);
    const left = (): Promise<unknown[]> => server.query("SELECT key FROM express_kaleyra_sms.sms_done", url);
    await until(async () => (await left()).length === 1);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
    await until(async () => (await left()).length === 0);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
  });

  it("leaves nothing of a forgotten subscriber in any table, whatever became of the messages", async () => {
    const url = await server.createDatabase();
    const source = "+919876500001";
    const canary = "canary text";
    const pool = new Pool({ connectionString: url });
    ended.push(() => pool.end());
    const inbox: OperableInbox = postgresInbox({ pool, attempts: 2, backoffMs: 60_000 });
    const { sms } = recorder({ inbox, concurrency: 1 });
    ended.push(() => sms.close());
    const finish = deferred();
    sms.on("message", ({ text = "" }) => {
      if (text.includes("runs")) return finish.promise;
      if (text.includes("fails")) throw new Error(canary);
      return undefined;
    });
    const contents = async (): Promise<string> => {
      const tables = await server.query(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'express_kaleyra_sms'",
        url,
      );
      expect(tables.length).toBeGreaterThan(3);
      const rows = tables.map(({ tablename }) =>
        server.query(`SELECT * FROM express_kaleyra_sms.${String(tablename)}`, url),
      );
      return inspect(await Promise.all(rows), { depth: Infinity, maxArrayLength: null, maxStringLength: null });
    };
    await sms.receive(post({ id: "1", source, message: `${canary} fails` }));
    await until(async () => (await inbox.stats()).delayed === 1);
    await sms.receive(post({ id: "2", source, message: `${canary} waits behind` }));
    expect(await contents()).toContain(canary);
    expect(await inbox.forget(source)).toBe(2);
    expect(await contents()).not.toContain(canary);
    expect(await contents()).not.toContain("9876500001");

    await sms.receive(post({ id: "3", source, message: `${canary} runs` }));
    await sms.receive(post({ id: "4", source, message: `${canary} waits` }));
    await until(async () => (await inbox.stats()).running === 1);
    expect(await inbox.forget(source)).toBe(2);
    expect(await contents()).not.toContain(canary);
    finish.resolve();
    await until(async () => (await inbox.stats()).running === 0);
    expect(await contents()).not.toContain("9876500001");
    for (const id of ["1", "2"]) {
      const sent = post({ id, source, message: id === "1" ? `${canary} fails` : `${canary} waits behind` });
      expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
    }
  }, 20_000);

  it("lets another process end by itself once its router is closed", async () => {
    const child = fork(join(__dirname, "closes.cjs"), [server.url], { stdio: "inherit" });
    ended.push(() => child.kill("SIGKILL"));
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(code).toBe(0);
  }, 20_000);
});
