// A Redis of a spec's own: it can be stopped, started again, held and filled.

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
  /** Starts it again where it was stopped, on the same port and with what it has written. */
  start(): Promise<void>;
  /** As a crash would: nothing is written that was not. */
  stop(): Promise<void>;
  /** It accepts, and never answers. */
  pause(): void;
  resume(): void;
  /** It answers, and writes nothing, since it cannot save what it has. */
  refuse(): Promise<void>;
  /** It writes again. */
  accept(): Promise<void>;
  /** A command, and its answer. */
  command(...words: [name: string, ...args: Array<string | number>]): Promise<unknown>;
  /** All that stands in its files. */
  written(): string;
  /** Ends it, and takes its files away. */
  remove(): Promise<void>;
}

/** Not a file: nothing can be saved there. */
const NO_FILE = "folder";

/**
 * On a free port, in a folder of its own. What it answered is on disk.
 *
 * @param own - settings beside those of every spec
 */
export async function redisServer(own: Record<string, string> = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  mkdirSync(join(folder, NO_FILE));
  const isCluster = own["cluster-enabled"] === "yes";
  const settings = {
    port,
    // One for the other nodes, of which there are none; by default 10,000 above, where there may be no port.
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
    const client = new Redis({ host: "127.0.0.1", port, retryStrategy: (times) => (times < 100 ? 50 : null) });
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

/** Specs that need a Redis: where none is installed they are skipped, and their title says why; in CI that is an error. */
export function describeWithRedis(what: string, specs: () => void): void {
  if (isInstalled()) describe(what, specs);
  else describe.skip(`${what}: skipped, redis-server is not installed`, specs);
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
