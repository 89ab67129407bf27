// What an operator gets for rows that somebody has changed, and from an inbox that is closed.

import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { Pool } from "pg";

import { post } from "../../support/callbacks";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { recorder } from "../../support/recorder";
import { ended } from "../temporary";
import { until } from "../waiting";

const MESSAGES = "express_kaleyra_sms.sms_message";

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  }, 60_000);
  afterAll(() => server.remove());

  /** An inbox with as many dead letters, and their keys. */
  const withDeadLetters = async (count: number) => {
    const url = await server.createDatabase();
    const pool = new Pool({ connectionString: url });
    ended.push(() => pool.end());
    const inbox = postgresInbox({ pool, attempts: 1 });
    const { sms } = recorder({ inbox });
    ended.push(() => sms.close());
    sms.on("message", () => {
      throw new TypeError("always");
    });
    const keys: string[] = [];
    for (let n = 0; n < count; n++) keys.push((await sms.receive(post({ id: `${n}` }))).message?.key ?? "");
    await until(async () => (await inbox.stats()).dead === count);
    return { url, inbox, sms, keys };
  };

  it("leaves out a dead letter whose row is unreadable, and fills the page with others", async () => {
    const { url, inbox, keys } = await withDeadLetters(4);
    const bodies = ["'no JSON'", "'{}'"];
    for (const [n, body] of bodies.entries())
      await server.query(`UPDATE ${MESSAGES} SET body = ${body} WHERE key = '${keys[n]}'`, url);
    expect((await inbox.deadLetters({ limit: 1 })).map(({ key }) => key)).toEqual([keys[2]]);
    expect((await inbox.deadLetters({ after: keys[0] ?? "" })).map(({ key }) => key)).toEqual([keys[2], keys[3]]);
    expect(await inbox.get(keys[0] ?? "")).toBeUndefined();
    expect(await inbox.get(keys[2] ?? "")).toMatchObject({ state: "dead" });
    expect((await inbox.stats()).dead).toBe(4);
  });

  it("gives a dead letter without a reason, and none of a state that it does not know", async () => {
    const {
      url,
      inbox,
      keys: [key = ""],
    } = await withDeadLetters(1);
    expect((await inbox.get(key))?.reason).toContain("TypeError");
    await server.query(`UPDATE ${MESSAGES} SET reason = NULL`, url);
    expect(await inbox.get(key)).toMatchObject({ state: "dead", reason: "unknown" });
    expect(await inbox.deadLetters()).toMatchObject([{ key, reason: "unknown" }]);
    await server.query(`UPDATE ${MESSAGES} SET state = 9`, url);
    expect(await inbox.get(key)).toBeUndefined();
    expect(await inbox.deadLetters()).toEqual([]);
    expect(await inbox.forget("919876543210")).toBe(1);
    expect(await server.query(`SELECT FROM ${MESSAGES}`, url)).toEqual([]);
  });

  it("rejects each call after it is closed", async () => {
    const {
      inbox,
      sms,
      keys: [key = ""],
    } = await withDeadLetters(1);
    await sms.close();
    const calls = {
      store: () => inbox.store({ key, source: "1" } as never, new AbortController().signal),
      stats: () => inbox.stats(),
      deadLetters: () => inbox.deadLetters(),
      get: () => inbox.get(key),
      replay: () => inbox.replay(key),
      replayAll: () => inbox.replayAll(),
      discard: () => inbox.discard(key),
      forget: () => inbox.forget("1"),
    };
    for (const [name, call] of Object.entries(calls)) {
      const code = await call().catch((error: unknown) => (error as { code?: unknown }).code);
      expect([name, code]).toEqual([name, "KALEYRA_SMS_INBOX_CLOSED"]);
    }
  });
});
