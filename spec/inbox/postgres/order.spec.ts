// Many transactions at one source at once: no message is left behind, and the order is kept.

import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { Pool } from "pg";

import { post } from "../../support/callbacks";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { recorder } from "../../support/recorder";
import { ended } from "../temporary";
import { until, waitFor } from "../waiting";

/** As many processes, each with a pool of its own. */
const PROCESSES = 5;
/** Each source gets a few messages at nearly the same time, and then none: what is left behind stays there. */
const SOURCES = 400;
/** How many sources get messages at once. */
const AT_ONCE = 16;
/** How many messages each process sends to a source, one after the other. */
const MESSAGES = 2;
const ATTEMPTS = 3;

/** Makes some steps of a transaction take a millisecond more: others come between them. */
const SLOW = `
  CREATE FUNCTION express_kaleyra_sms.slow() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF random() < 0.2 THEN PERFORM pg_sleep(0.001); END IF;
    RETURN coalesce(NEW, OLD);
  END $$;
  CREATE TRIGGER slow BEFORE INSERT OR UPDATE OR DELETE ON express_kaleyra_sms.sms_message
  FOR EACH ROW EXECUTE FUNCTION express_kaleyra_sms.slow()`;

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer({ settings: { fsync: "off" } });
  }, 60_000);
  afterAll(() => server.remove());

  it("leaves no message behind, and keeps the order, while several processes store and end messages of a source", async () => {
    const running = new Set<string>();
    const started: Array<readonly [source: string, sender: number, n: number]> = [];
    const overlapping: string[] = [];
    const processes = Array.from({ length: PROCESSES }, () => {
      const pool = new Pool({ connectionString: server.url });
      ended.push(() => pool.end());
      const inbox = postgresInbox({ pool, attempts: ATTEMPTS, backoffMs: 1 });
      const recorded = { ...recorder({ inbox, maxInFlight: 10_000 }), inbox };
      ended.push(() => recorded.sms.close());
      return recorded;
    });
    const { inbox } = processes[0] ?? { inbox: undefined };
    await inbox?.stats();
    await server.query(SLOW);
    for (const { sms } of processes) {
      sms.on("message", async ({ id, source }, { attempt }) => {
        const [sender = -1, n = -1] = id.split(" ").map(Number);
        if (attempt === 1) started.push([source, sender, n]);
        if (running.has(source)) overlapping.push(source);
        running.add(source);
        if (n === 0) await new Promise(setImmediate);
        running.delete(source);
        // Retried at once, and a retry stays before later messages.
        if (attempt === 1 && sender === 0) throw new Error("retried");
      });
    }
    const send = async (source: string, sender: number): Promise<void> => {
      await waitFor(Math.random() * 8);
      for (let n = 0; n < MESSAGES; n++) {
        const receipt = await processes[(sender + n) % PROCESSES]?.sms.receive(post({ id: `${sender} ${n}`, source }));
        expect(receipt).toMatchObject({ outcome: "stored" });
      }
    };
    const sources = Array.from({ length: SOURCES }, (_, n) => `91${9_800_000_000 + n}`);
    const left = sources.slice();
    const sendAll = async (): Promise<void> => {
      for (let source = left.pop(); source !== undefined; source = left.pop()) {
        const to = source;
        await Promise.all(Array.from(processes.keys(), (sender) => send(to, sender)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sendAll));
    await until(async () => {
      const { waiting = 1, running: runs = 1, delayed = 1 } = (await inbox?.stats()) ?? {};
      return waiting + runs + delayed === 0;
    }, 20_000);

    expect(overlapping).toEqual([]);
    expect(started).toHaveLength(SOURCES * PROCESSES * MESSAGES);
    const orders = new Map<string, number[]>();
    for (const [source, sender, n] of started)
      orders.set(`${source} ${sender}`, [...(orders.get(`${source} ${sender}`) ?? []), n]);
    for (const numbers of orders.values()) expect(numbers).toEqual(Array.from({ length: MESSAGES }, (_, n) => n));
    for (const { errors } of processes) expect(errors.filter(({ event }) => event === "inbox")).toEqual([]);
  }, 90_000);
});
