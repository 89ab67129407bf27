// A replica that takes over: what was acknowledged is on it, where options.replicas says so.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, it } from "@jest/globals";
import { bullmqInbox, type BullmqInboxOptions } from "express-kaleyra-sms/bullmq";

import { post } from "../support/callbacks";
import { recorder, type Recorder } from "../support/recorder";
import { describeWithRedis, redisServer, type RedisServer } from "../support/redis";
import { until, waitFor } from "./waiting";

/** As between two buildings. */
const DELAY_MS = 20;

it.each([-1, 1.5, "1", null])("takes %j for no number of replicas", (replicas) => {
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
    // Whole, as a new replica asks for it, it goes over the connection: the folder takes no snapshot.
    const redis = await redisServer({ dbfilename: "dump.rdb", "repl-diskless-sync-delay": "0" });
    ended.push(() => redis.remove());
    return redis;
  };
  /** A way to a server on which answers take their time. What is under way when it ends never arrives. */
  const slowWay = async (to: number): Promise<{ port: number; end(): void }> => {
    const sockets = new Set<Socket>();
    const way = createServer((near) => {
      const far = connect(to, "127.0.0.1");
      for (const socket of [near, far]) sockets.add(socket.on("error", () => undefined));
      near.pipe(far);
      far.on("data", (bytes) => setTimeout(() => near.writable && near.write(bytes), DELAY_MS));
    }).listen(0, "127.0.0.1");
    await once(way, "listening");
    const end = (): void => {
      for (const socket of sockets) socket.destroy();
      way.close();
    };
    ended.push(end);
    return { port: (way.address() as AddressInfo).port, end };
  };
  /** Two servers, of which the second follows the first. */
  const pair = async () => {
    const [primary, replica] = [await server(), await server()];
    const way = await slowWay(primary.port);
    await replica.command("REPLICAOF", "127.0.0.1", way.port);
    await until(async () => String(await replica.command("INFO", "replication")).includes("master_link_status:up"));
    return { primary, replica, way };
  };
  const router = ({ port }: RedisServer, replicas: number, concurrency: number): Recorder => {
    const inbox = bullmqInbox({ connection: { host: "127.0.0.1", port }, name: "replicas", replicas });
    const recorded = recorder({ inbox, concurrency, storeTimeoutMs: 1_000 });
    ended.push(() => recorded.sms.close());
    return recorded;
  };

  it("answers 503 while too few replicas have a message, also when it comes again, and 200 when they have it", async () => {
    const { primary, replica } = await pair();
    const { sms, errors } = router(primary, 1, 0);
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    replica.pause();
    const sent = post();
    for (let n = 0; n < 2; n++) expect(await sms.receive(sent)).toMatchObject({ outcome: "failed", status: 503 });
    expect(errors.map(({ cause }) => String(cause))).toContain(
      "Error: Redis could not be reached, or refused: fewer replicas have it than wanted.",
    );
    replica.resume();
    await until(async () => (await sms.receive(sent)).outcome === "duplicate");
    expect(await replica.command("EXISTS", `bull:replicas:sms-${(await sms.receive(sent)).message?.key ?? ""}`)).toBe(
      1,
    );
  }, 20_000);

  it("loses nothing that was answered 200 when the primary dies under load, and the replica takes over", async () => {
    const { primary, replica, way } = await pair();
    const { sms } = router(primary, 1, 0);
    const answered = new Set<string>();
    let isOver = false;
    const send = async (n: number): Promise<void> => {
      for (let count = 0; !isOver; count++) {
        const id = `${n} ${count}`;
        if ((await sms.receive(post({ id }))).status === 200) answered.add(id);
        else await waitFor(5);
      }
    };
    const sending = Promise.all(Array.from({ length: 32 }, (_, n) => send(n)));
    await until(() => answered.size > 500, 20_000);
    way.end();
    await primary.stop();
    isOver = true;
    await sending;
    await replica.command("REPLICAOF", "NO", "ONE");
    const { messages } = router(replica, 0, 16);
    const lost = (): string[] => {
      const handled = new Set(messages.map(({ id }) => id));
      return Array.from(answered).filter((id) => !handled.has(id));
    };
    await until(() => lost().length === 0, 10_000);
  }, 40_000);
});
