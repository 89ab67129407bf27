// A Redis server for one spec: it can be stopped, restarted, paused, and made to refuse writes.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe } from "@jest/globals";
import { Redis } from "ioredis";

import { freePort } from "./free-port";

export interface RedisServer {
  readonly port: number;
  /** Restarts a stopped server, on the same port and with the data on disk. */
  start(): Promise<void>;
  /** Kills the server, as in a crash: unwritten data is lost. */
  stop(): Promise<void>;
  /** Makes it accept connections, but never answer. */
  pause(): void;
  resume(): void;
  /** Makes it refuse writes, because it cannot save its data. */
  refuse(): Promise<void>;
  /** Makes it accept writes again. */
  accept(): Promise<void>;
  /** Sends a command, and resolves with its answer. */
  command(...words: [name: string, ...args: Array<string | number>]): Promise<unknown>;
  /** Returns the contents of all its files. */
  written(): string;
  /** Stops it, and deletes its files. */
  remove(): Promise<void>;
}

/** The name of a folder, so nothing can be saved in a file of that name. */
const NO_FILE = "folder";

/**
 * Starts a server on a free port, in a folder of its own. It writes to the disk before it answers.
 *
 * @param own - settings in addition to the default ones
 */
export async function redisServer(own: Record<string, string> = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  mkdirSync(join(folder, NO_FILE));
  const isCluster = own["cluster-enabled"] === "yes";
  const settings = {
    port,
    // The port for other nodes. Its default is 10,000 above `port`, which may exceed the highest port.
    ...(isCluster ? { "cluster-port": await freePort() } : {}),
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: "always",
    "maxmemory-policy": "noeviction",
    dbfilename: NO_FILE,
    ...own,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...`${value}`.split(" ")]);
  let server: ChildProcess | undefined;

  const command: RedisServer["command"] = async (name, ...words) => {
    const client = new Redis({
      host: "127.0.0.1",
      port,
      retryStrategy: (times) => (times < 100 ? 50 : null),
      // Redis may expect to load for hours, although it has loaded in a moment.
      maxLoadingRetryTime: 50,
    });
    client.on("error", () => undefined);
    try {
      return await client.call(name, ...words);
    } finally {
      client.disconnect();
    }
  };
  const stop = async (): Promise<void> => {
    if (server === undefined) return;
    const exited = once(server, "exit");
    server.kill("SIGKILL");
    server = undefined;
    await exited;
  };
  const start = async (): Promise<void> => {
    server ??= spawn("redis-server", args, { stdio: "ignore" });
    await command("PING");
    if (!isCluster) return;
    if (!String(await command("CLUSTER", "INFO")).includes("cluster_slots_assigned:16384"))
      await command("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
    while (!String(await command("CLUSTER", "INFO")).includes("cluster_state:ok")) await setTimeout(10);
  };
  const refuse = async (): Promise<void> => {
    await command("CONFIG", "SET", "save", "3600 1");
    await command("BGSAVE");
    while (!String(await command("INFO", "persistence")).includes("rdb_last_bgsave_status:err")) await setTimeout(10);
  };
  await start();
  return {
    port,
    start,
    stop,
    pause: () => void server?.kill("SIGSTOP"),
    resume: () => void server?.kill("SIGCONT"),
    refuse,
    accept: async () => {
      await command("CONFIG", "SET", "save", "");
    },
    command,
    written: () =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"))
        .join(),
    remove: async () => {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Declares specs that need Redis. If it is not installed, it throws in CI; elsewhere the specs are skipped. */
export function describeWithRedis(name: string, specs: () => void): void {
  if (isInstalled()) describe(name, specs);
  else describe.skip(`${name}: skipped, redis-server is not installed`, specs);
}

function isInstalled(): boolean {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch (cause) {
    if (process.env.CI === "true") throw new Error("CI needs redis-server: apt-get install redis-server", { cause });
    console.warn("Specs are skipped: redis-server is not installed.");
    return false;
  }
}
