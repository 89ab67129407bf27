// A process on Redis, killed at random instants: nothing that was answered 200 is lost, and nothing but what ran is handled again.

import { join } from "node:path";
import { it } from "@jest/globals";

import { describeWithRedis, redisServer } from "../support/redis";
import { killAgainAndAgain } from "./kill";
import { ended, temporaryFolder } from "./temporary";

describeWithRedis("bullmqInbox", () => {
  it("a server that is killed again and again handles all that it has answered 200", async () => {
    const redis = await redisServer();
    ended.push(() => redis.remove());
    await killAgainAndAgain("BullMQ", join(temporaryFolder(), "log"), ["bullmq", String(redis.port)], {
      isOrdered: false,
    });
  }, 90_000);
});
