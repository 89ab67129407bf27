// Process warnings about settings of Redis that are wrong for an inbox.

import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";

import { post } from "../../support/callbacks";
import { recorder, type Recorder } from "../../support/recorder";
import { describeWithRedis, redisServer, type RedisServer } from "../../support/redis";
import { until } from "../waiting";

describeWithRedis("bullmqInbox", () => {
  const ended: Array<() => unknown> = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
    jest.restoreAllMocks();
  });

  let codes: unknown[] = [];
  let texts = "";
  beforeEach(() => {
    codes = [];
    texts = "";
    jest.spyOn(process, "emitWarning").mockImplementation((text, options) => {
      codes.push((options as { code?: string }).code);
      texts += String(text);
    });
  });

  const server = async (own: Record<string, string>): Promise<RedisServer> => {
    const redis = await redisServer(own);
    ended.push(() => redis.remove());
    return redis;
  };
  /** A router that only receives. */
  const receiver = ({ port }: RedisServer, name = "set-up"): Recorder => {
    const inbox = bullmqInbox({ connection: { host: "127.0.0.1", port }, name });
    const recorded = recorder({ inbox, concurrency: 0 });
    ended.push(() => recorded.sms.close());
    return recorded;
  };

  it.each(["allkeys-lru", "volatile-ttl"])(
    "warns once of a maxmemory-policy %s, and names the right one",
    async (policy) => {
      const redis = await server({ "maxmemory-policy": policy });
      const { sms } = receiver(redis);
      await until(() => codes.length > 0);
      await redis.stop();
      await redis.start();
      await until(async () => (await sms.receive(post())).outcome === "stored");
      expect(codes).toEqual(["KALEYRA_SMS_REDIS_EVICTS"]);
      expect(texts).toContain(policy);
      expect(texts).toContain("Set maxmemory-policy noeviction");
    },
  );

  it("warns of a new policy on the next connection, even if CONFIG is forbidden", async () => {
    const redis = await server({ "rename-command": "CONFIG nothing" });
    const { sms } = receiver(redis);
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    expect(codes).toEqual([]);
    await redis.command("nothing", "SET", "maxmemory-policy", "allkeys-random");
    // Breaks the connection, as a network would.
    await redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await until(() => codes.length > 0);
    expect(codes).toEqual(["KALEYRA_SMS_REDIS_EVICTS"]);
  });

  it("warns of a name without braces if Redis is in cluster mode", async () => {
    const redis = await server({ "cluster-enabled": "yes" });
    receiver(redis, "{named}");
    const { sms } = receiver(redis, "named");
    await until(() => codes.length > 0);
    expect(await sms.receive(post())).toMatchObject({ outcome: "failed", status: 503 });
    expect(codes).toEqual(["KALEYRA_SMS_REDIS_CLUSTER"]);
    expect(texts).toContain("in braces");
  });

  it("does not warn if Redis has the right settings", async () => {
    const { sms } = receiver(await server({}));
    expect(await sms.receive(post())).toMatchObject({ outcome: "stored" });
    expect(codes).toEqual([]);
  });
});
