// The inbox on BullMQ and Redis.

import { afterAll, beforeAll } from "@jest/globals";
import { bullmqInbox } from "express-kaleyra-sms/bullmq";

import { describeWithRedis, redisServer, type RedisServer } from "../support/redis";
import { itConforms } from "./conformance";

describeWithRedis("bullmqInbox", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(() => redis.remove());

  let queues = 0;
  itConforms({
    isOrdered: false,
    place: () => {
      const name = `queue-${++queues}`;
      const connection = { host: "127.0.0.1", port: redis.port };
      return {
        open: (options) => bullmqInbox({ connection, name, ...options }),
        remove: () => undefined,
      };
    },
  });
});
