// A Redis server of the benchmark's own, as durable as the inbox wants it.

import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

/**
 * `undefined` where redis-server is not installed.
 *
 * @param pinned - what keeps it on its core, from `chooseCores`
 */
export async function startRedis(folder, pinned) {
  if (spawnSync("redis-server", ["--version"]).status !== 0) return undefined;
  const port = await freePort();
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", ""];
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const [command, ...args] = [...pinned, "redis-server", ...place, ...durable];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  // Also where a measure fails.
  process.once("exit", () => child.kill());
  await new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error("redis-server ended too early.")));
    child.stdout.on("data", (printed) => printed.includes("Ready to accept connections") && resolve());
  });
  return { port, stop: () => child.kill() };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
