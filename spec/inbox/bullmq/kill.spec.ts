// A process on Redis that is killed at random instants: no acknowledged message is lost, and only running ones are
// handled again.

import { join } from "node:path";
import { it } from "@jest/globals";

import { describeWithRedis, redisServer } from "../../support/redis";
import { killAgainAndAgain } from "../kill";
import { ended, temporaryFolder } from "../temporary";

describeWithRedis("bullmqInbox", () => {
  it("handles every acknowledged message although its process is killed again and again", async () => {
    const redis = await redisServer();
    ended.push(() => redis.remove());
    await killAgainAndAgain("BullMQ", join(temporaryFolder(), "log"), ["bullmq", String(redis.port)], {
      isOrdered: false,
    });
  }, 90_000);
});
