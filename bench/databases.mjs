// Redis and PostgreSQL, servers of the benchmark's own, as durable as an inbox wants them.

import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";

const running = new Set();
// Also if a measure fails.
process.once("exit", () => running.forEach((child) => child.kill("SIGINT")));

export async function stopDatabases() {
  for (const child of running) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await ended;
  }
}

/**
 * `undefined` if redis-server is not installed.
 *
 * @param pinned - what keeps it on its core, from `chooseCores`
 * @param env - beside the environment
 */
export async function startRedis(folder, pinned, env) {
  if (spawnSync("redis-server", ["--version"]).status !== 0) return undefined;
  const port = await freePort();
  const own = mkdtempSync(join(folder, "redis-"));
  const durable = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", ""];
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", own];
  await started([...pinned, "redis-server", ...place, ...durable], { env }, "Ready to accept connections");
  return { port };
}

/** `undefined` if PostgreSQL is not installed. With its default settings: `synchronous_commit` and `fsync` are on. */
export async function startPostgres(folder, pinned, env) {
  const initdb = postgresProgram("initdb");
  if (initdb === undefined) return undefined;
  const port = await freePort();
  const own = mkdtempSync(join(folder, "postgres-"));
  const user = unprivileged();
  chmodSync(folder, 0o755);
  if (user !== undefined) chownSync(own, user.uid, user.gid);
  const cluster = join(own, "cluster");
  const init = spawnSync(initdb, ["-D", cluster, "-U", "bench", "--auth=trust", "-E", "UTF8"], {
    ...user,
    cwd: own,
    encoding: "utf8",
  });
  if (init.status !== 0) throw new Error(`initdb failed: ${init.error ?? init.stderr}`);
  const place = ["-D", cluster, "-p", String(port), "-h", "127.0.0.1", "-k", own];
  await started(
    [...pinned, postgresProgram("postgres"), ...place],
    { env, cwd: own, ...user },
    "ready to accept connections",
  );
  return { url: `postgres://bench@127.0.0.1:${port}/postgres` };
}

/** The path of a program of PostgreSQL: Debian has each version's in a folder of its own, outside of PATH. */
export function postgresProgram(name) {
  const versions = join("/usr/lib", "postgresql");
  const installed = folders(versions).toSorted((a, b) => Number(b) - Number(a));
  const places = [...(process.env.PATH ?? "").split(delimiter), ...installed.map((one) => join(versions, one, "bin"))];
  return places.map((folder) => join(folder, name)).find((path) => spawnSync(path, ["--version"]).status === 0);
}

function folders(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** PostgreSQL does not run as root. */
function unprivileged() {
  if (process.getuid() !== 0) return undefined;
  const id = (flag) => Number(spawnSync("id", [flag, "nobody"], { encoding: "utf8" }).stdout);
  return { uid: id("-u"), gid: id("-g") };
}

async function started([command, ...args], { env, ...options }, line) {
  const child = spawn(command, args, {
    ...options,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  await new Promise((resolve, reject) => {
    let printed = "";
    child.once("exit", () => reject(new Error(`${command} ended too early: ${printed}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        printed = (printed + chunk).slice(-10_000);
        if (printed.includes(line)) resolve();
      });
    }
  });
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
