// A process on Redis, killed at random instants: nothing that was answered 200 is lost, and nothing but what ran is handled again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "@jest/globals";

import { describeWithRedis, redisServer } from "../support/redis";
import { killAgainAndAgain } from "./kill";

describeWithRedis("bullmqInbox", () => {
  it("a server that is killed again and again handles all that it has answered 200", async () => {
    const folder = mkdtempSync(join(tmpdir(), "inbox-"));
    const redis = await redisServer();
    try {
      await killAgainAndAgain("BullMQ", join(folder, "log"), ["bullmq", String(redis.port)], { isOrdered: false });
    } finally {
      await redis.remove();
      rmSync(folder, { recursive: true });
    }
  }, 90_000);
});
