// A replica that takes over: with options.replicas, it has every acknowledged message.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, it } from "@jest/globals";
import { bullmqInbox, type BullmqInboxOptions } from "express-kaleyra-sms/bullmq";

import { post } from "../../support/callbacks";
import { recorder, type Recorder } from "../../support/recorder";
import { describeWithRedis, redisServer, type RedisServer } from "../../support/redis";
import { until, waitFor } from "../waiting";

/** The delay of each answer, in milliseconds: as between two buildings. */
const DELAY_MS = 20;

it.each([-1, 1.5, "1", null])("rejects %j as options.replicas", (replicas) => {
  const given = { connection: "redis://localhost", replicas } as BullmqInboxOptions;
  expect(() => bullmqInbox(given)).toThrow(TypeError);
  expect(() => bullmqInbox(given)).toThrow("options.replicas of bullmqInbox");
});

describeWithRedis("bullmqInbox with a replica", () => {
  const ended: Array<() => unknown> = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  const server = async (): Promise<RedisServer> => {
    // A new replica gets all data over the connection: the folder cannot store a snapshot.
    const redis = await redisServer({ dbfilename: "dump.rdb", "repl-diskless-sync-delay": "0" });
    ended.push(() => redis.remove());
    return redis;
  };
  /** A proxy to a server that delays answers. Bytes in flight are lost when it ends. */
  const slowProxy = async (to: number): Promise<{ port: number; end(): void }> => {
    const sockets = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = connect(to, "127.0.0.1");
      for (const socket of [near, far]) sockets.add(socket.on("error", () => undefined));
      near.pipe(far);
      far.on("data", (bytes) => setTimeout(() => near.writable && near.write(bytes), DELAY_MS));
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const end = (): void => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    };
    ended.push(end);
    return { port: (proxy.address() as AddressInfo).port, end };
  };
  /** A primary, and a replica of it behind a slow proxy. */
  const pair = async () => {
    const [primary, replica] = [await server(), await server()];
    const proxy = await slowProxy(primary.port);
    await replica.command("REPLICAOF", "127.0.0.1", proxy.port);
    await until(async () => String(await replica.command("INFO", "replication")).includes("master_link_status:up"));
    return { primary, replica, proxy };
  };
  const router = ({ port }: RedisServer, replicas: number, concurrency: number): Recorder => {
    const inbox = bullmqInbox({ connection: { host: "127.0.0.1", port }, name: "replicas", replicas });
    const recorded = recorder({ inbox, concurrency, storeTimeoutMs: 1_000 });
    ended.push(() => recorded.sms.close());
    return recorded;
  };

  it("answers 503 while too few replicas have a message, duplicates included, and 200 once they have it", async () => {
    const { primary, replica } = await pair();
    const { sms, errors } = router(primary, 1, 0);
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    replica.pause();
    const sent = post();
    for (let n = 0; n < 2; n++) expect(await sms.receive(sent)).toMatchObject({ outcome: "failed", status: 503 });
    expect(errors.map(({ cause }) => String(cause)).join()).toContain(
      "refused a command: fewer replicas than options.replicas confirmed it in time.",
    );
    replica.resume();
    await until(async () => (await sms.receive(sent)).outcome === "duplicate");
    expect(await replica.command("EXISTS", `bull:replicas:sms-${(await sms.receive(sent)).message?.key ?? ""}`)).toBe(
      1,
    );
  }, 20_000);

  it("loses no acknowledged message when the primary dies under load and the replica takes over", async () => {
    const { primary, replica, proxy } = await pair();
    const { sms } = router(primary, 1, 0);
    const acknowledged = new Set<string>();
    let isOver = false;
    const send = async (n: number): Promise<void> => {
      for (let count = 0; !isOver; count++) {
        const id = `${n} ${count}`;
        if ((await sms.receive(post({ id }))).status === 200) acknowledged.add(id);
        else await waitFor(5);
      }
    };
    const sending = Promise.all(Array.from({ length: 32 }, (_, n) => send(n)));
    await until(() => acknowledged.size > 500, 20_000);
    proxy.end();
    await primary.stop();
    isOver = true;
    await sending;
    await replica.command("REPLICAOF", "NO", "ONE");
    const { messages } = router(replica, 0, 16);
    const lost = (): string[] => {
      const handled = new Set(messages.map(({ id }) => id));
      return Array.from(acknowledged).filter((id) => !handled.has(id));
    };
    await until(() => lost().length === 0, 10_000);
  }, 40_000);
});
