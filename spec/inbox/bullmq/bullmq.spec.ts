// Runs the conformance spec on the inbox in Redis, without and with cluster mode.

import { afterAll, beforeAll } from "@jest/globals";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";

import { describeWithRedis, redisServer, type RedisServer } from "../../support/redis";
import { itConforms } from "../conformance";

const conforms = (own: Record<string, string>, nameOf: (count: number) => string): void => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer(own);
  });
  afterAll(() => redis.remove());

  let queues = 0;
  itConforms({
    isOrdered: false,
    place: () => {
      const name = nameOf(++queues);
      const connection = { host: "127.0.0.1", port: redis.port };
      return {
        open: (options) => bullmqInbox({ connection, name, ...options }),
        remove: () => undefined,
      };
    },
  });
};

describeWithRedis("bullmqInbox", () => conforms({}, (count) => `queue-${count}`));
describeWithRedis("bullmqInbox in a cluster", () =>
  conforms({ "cluster-enabled": "yes" }, (count) => `{queue-${count}}`),
);
