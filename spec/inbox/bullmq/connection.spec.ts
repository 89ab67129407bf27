// The option connection of bullmqInbox: a URL, options of ioredis, or both.

import { once } from "node:events";
import { connect, createServer as createTcpServer, type AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import { bullmqInbox, type BullmqInboxOptions } from "express-kaleyra-sms/bullmq";

import { post } from "../../support/callbacks";
import { recorder } from "../../support/recorder";
import { describeWithRedis, redisServer, type RedisServer } from "../../support/redis";
import { until } from "../waiting";

/** TLS with a shared key, which needs no certificate. */
const PSK = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const;
const psk = Buffer.alloc(16, "key");
const PASSWORD = "not for a log";

/** Changes Redis's reply to INFO, whose length comes first. */
const reportLoading = (_reply: string, type: string, length: string, before: string): string => {
  const eta = "loading_eta_seconds:3600\r\n";
  return `${type}${Number(length) + eta.length}${before}loading:1\r\n${eta}`;
};

describeWithRedis("bullmqInbox", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
    await redis.command("ACL", "SETUSER", "inbox", "on", `>${PASSWORD}`, "~*", "&*", "+@all");
  });
  afterAll(() => redis.remove());

  const ended: Array<() => unknown> = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });

  /** The port of a server that speaks TLS, and passes everything on to Redis. */
  const tlsPort = async (): Promise<number> => {
    const server = createServer({ ...PSK, pskCallback: () => psk }, (near) => {
      const far = connect(redis.port, "127.0.0.1");
      for (const socket of [near, far]) socket.on("error", () => socket.destroy());
      near.pipe(far).pipe(near);
    }).listen(0, "127.0.0.1");
    ended.push(() => server.close());
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };

  /** The port of a server whose connections each report once that Redis loads its data, and needs an hour. */
  const loadingPort = async (): Promise<number> => {
    const server = createTcpServer((near) => {
      const far = connect(redis.port, "127.0.0.1");
      for (const socket of [near, far]) socket.on("error", () => socket.destroy());
      ended.push(() => near.destroy());
      near.pipe(far);
      const replies = far.setEncoding("latin1").on("data", (reply: string) => {
        const changed = reply.replace(/^([=$])(\d+)(.+\r\n)loading:0\r\n/s, reportLoading);
        near.write(changed, "latin1");
        if (changed !== reply) replies.removeAllListeners("data").pipe(near);
      });
    }).listen(0, "127.0.0.1");
    ended.push(() => server.close());
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };

  const tls = { ...PSK, pskCallback: () => ({ psk, identity: "inbox" }), checkServerIdentity: () => undefined };

  it.each<
    readonly [
      what: string,
      connection: () => BullmqInboxOptions["connection"] | Promise<BullmqInboxOptions["connection"]>,
    ]
  >([
    ["a URL", () => `redis://127.0.0.1:${redis.port}/1`],
    ["options", () => ({ host: "127.0.0.1", port: redis.port, db: 1 })],
    ["a URL and options", () => ({ url: `redis://127.0.0.1:${redis.port}`, db: 1 })],
    [
      "a URL with a user, and a password beside it",
      () => ({ url: `redis://127.0.0.1:${redis.port}/1`, username: "inbox", password: PASSWORD }),
    ],
    [
      "options in place of those in a URL",
      () => ({
        url: `redis://other:wrong@127.0.0.1:${redis.port}/7?retryStrategy=none`,
        username: "inbox",
        password: PASSWORD,
        db: 1,
      }),
    ],
    ["a URL with TLS, and its options", async () => ({ url: `rediss://127.0.0.1:${await tlsPort()}/1`, tls })],
    ["a URL and options that switch TLS on", async () => ({ url: `redis://127.0.0.1:${await tlsPort()}/1`, tls })],
  ])("stores and handles a message with %s", async (what, connection) => {
    const name = what.replace(/\W/g, "-");
    const inbox = bullmqInbox({ connection: await connection(), name });
    const { sms, messages } = recorder({ inbox });
    ended.push(() => sms.close());
    const sent = post();
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    // The others in the same database of Redis know of it.
    const other = recorder({ inbox: bullmqInbox({ connection: `redis://127.0.0.1:${redis.port}/1`, name }) });
    ended.push(() => other.sms.close());
    expect(await other.sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
  });

  it("works soon after Redis has loaded its data, however long it expected to load", async () => {
    const inbox = bullmqInbox({ connection: `redis://127.0.0.1:${await loadingPort()}`, name: "loading" });
    const { sms, messages } = recorder({ inbox });
    ended.push(() => sms.close());
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 1);
  });
});

it.each<readonly [connection: unknown, says: string]>([
  [`http://:${PASSWORD}@localhost`, "takes a URL that begins with redis:// or rediss://"],
  [`redis://:${PASSWORD}@local host:1`, "takes a URL that begins with redis:// or rediss://"],
  [{ url: 5 }, "takes a URL that begins with redis:// or rediss://"],
  [{ url: "localhost" }, "takes a URL that begins with redis:// or rediss://"],
  [{ url: "redis://localhost", host: "other" }, "takes url or host, not both"],
  [{ url: "redis://localhost", sentinels: [] }, "takes url or sentinels, not both"],
  [{ url: "redis://localhost", keyPrefix: "x" }, "takes no keyPrefix"],
  ["redis://localhost?keyPrefix=x", "takes no keyPrefix"],
  [{ url: "redis://localhost?db=1&keyPrefix=x" }, "takes no keyPrefix"],
  [`redis://:${encodeURIComponent(PASSWORD)}100%@localhost`, "user and password percent-encoded"],
  [5, "an object of ioredis options, or { url, ...options }"],
])("throws for %j as connection, and does not print it", (connection, says) => {
  const make = () => bullmqInbox({ connection } as BullmqInboxOptions);
  expect(make).toThrow(TypeError);
  expect(make).toThrow(says);
  expect(make).not.toThrow(PASSWORD);
});
