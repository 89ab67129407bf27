// Receivers and workers in separate processes, on one Redis.

import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "@jest/globals";

import { callback } from "../../support/callbacks";
import { describeWithRedis, redisServer, type RedisServer } from "../../support/redis";
import { until } from "../waiting";

describeWithRedis("bullmqInbox", () => {
  let redis: RedisServer;
  const processes: Array<ChildProcessByStdio<null, Readable, null>> = [];
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(async () => {
    for (const child of processes) child.kill("SIGKILL");
    await redis.remove();
  });

  const start = (what: "receiver" | "worker"): (typeof processes)[number] => {
    const args = [join(__dirname, "worker.cjs"), what, `${redis.port}`, "processes"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    processes.push(child);
    return child;
  };
  const receiver = async (): Promise<number> => {
    const [port] = (await once(start("receiver").stdout, "data")) as [Buffer];
    return Number(port.toString());
  };
  const worker = () => {
    const child = start("worker");
    const handled: string[] = [];
    createInterface(child.stdout).on("line", (id) => handled.push(id));
    return { child, handled };
  };

  it("shares the messages of two receivers between two workers, and takes over those of a killed one", async () => {
    const ports = await Promise.all([receiver(), receiver()]);
    const [first, second] = [worker(), worker()];
    const ids = Array.from({ length: 2_000 }, (_, n) => `id ${n}`);
    const send = async (id: string, n: number): Promise<void> => {
      const { status } = await fetch(`http://127.0.0.1:${ports[n % 2]}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(callback({ id })),
      });
      expect(status).toBe(200);
    };
    for (let n = 0; n < ids.length; n += 100) {
      await Promise.all(ids.slice(n, n + 100).map((id, index) => send(id, index)));
      if (n === 1_000) {
        await until(() => first.handled.length > 100);
        first.child.kill("SIGKILL");
      }
    }
    const all = (): string[] => [...first.handled, ...second.handled];
    await until(() => new Set(all()).size === ids.length, 15_000);
    console.log(`Of 2,000: ${first.handled.length} by the killed one, ${second.handled.length} by the other.`);
    expect(first.handled.length).toBeGreaterThan(100);
    expect(second.handled.length).toBeGreaterThan(100);
    // Those that had just ended when the first was killed may be handled again.
    expect(all().length - ids.length).toBeLessThanOrEqual(4);
  }, 40_000);
});
