// A PostgreSQL server for one spec: it can be stopped, crashed and restarted, and its disk can be filled up.

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe } from "@jest/globals";
import { Client } from "pg";

import { freePort } from "./free-port";

export interface PostgresServer {
  readonly port: number;
  /** The address of the database "postgres", as its superuser. */
  readonly url: string;
  /** The folder of all its files. */
  readonly folder: string;
  /** Restarts a stopped or crashed server, on the same port and with the data on disk. */
  start(): Promise<void>;
  /** Shuts the server down in order: transactions are rolled back, clients are disconnected. */
  stop(): Promise<void>;
  /** Ends the server at once, as in a crash: it writes nothing more, and recovers from its log at the next start. */
  crash(): Promise<void>;
  /** Makes an empty database, and resolves with its address. */
  createDatabase(): Promise<string>;
  /** Runs statements as the superuser, and resolves with the rows of the last one. */
  query(sql: string, url?: string): Promise<Array<Record<string, unknown>>>;
  /** Fills its disk up. Only with `diskBytes`. */
  fillDisk(): void;
  /** Frees what `fillDisk` took. */
  freeDisk(): void;
  /** Stops it, and deletes its files. */
  remove(): Promise<void>;
}

export interface PostgresSettings {
  /** Settings in addition to the server's own defaults, under which a commit waits for the disk. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Puts its files on a disk of this size. Only where `canLimitDisk()`. */
  readonly diskBytes?: number;
}

/** The folder of the server's programs: of the newest version that Debian has installed, or on the PATH. */
const PROGRAMS = programs();

const BALLAST = "ballast";

/**
 * Ends the server and deletes its files when its input ends: also when the spec's process was killed.
 * It is given the server's folder, which may be the mount point of a disk of its own.
 */
const KEEPER = `
  cat > /dev/null
  if pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null); then
    kill -QUIT "$pid" 2> /dev/null
    while kill -0 "$pid" 2> /dev/null; do sleep 0.02; done
  fi
  if [ "$1" = mounted ]; then umount "$0"; fi
  rm -rf "$0"
`;

/** Starts a server on a free port of 127.0.0.1, in a folder of its own. */
export async function postgresServer({ settings = {}, diskBytes }: PostgresSettings = {}): Promise<PostgresServer> {
  if (PROGRAMS === undefined) throw new Error("PostgreSQL is not installed");
  const programs = PROGRAMS;
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  if (diskBytes !== undefined) mountDisk(folder, diskBytes);
  const user = unprivileged();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const keeper = keep(folder, diskBytes !== undefined);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" } };
  const make = ["--pgdata", data, "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
  // The smallest segments of the log, so that it takes little of a small disk.
  execFileSync(join(programs, "initdb"), [...make, "--wal-segsize", "1"], { ...options, stdio: "pipe" });

  const port = await freePort();
  const args = Object.entries({
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    ...settings,
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;
  let databases = 0;

  const query: PostgresServer["query"] = async (sql, to = url) => {
    const client = new Client({ connectionString: to });
    client.on("error", () => undefined);
    await client.connect();
    try {
      const result: unknown = await client.query(sql);
      const last: unknown = Array.isArray(result) ? result.at(-1) : result;
      return (last as { readonly rows: Array<Record<string, unknown>> }).rows;
    } finally {
      await client.end();
    }
  };
  const end = async (signal: "SIGINT" | "SIGQUIT"): Promise<void> => {
    if (server === undefined) return;
    const exited = once(server, "exit");
    server.kill(signal);
    await exited;
  };
  const start = async (): Promise<void> => {
    // A Ctrl-C in the terminal is not for the server: the keeper ends it.
    const spawned = { ...options, stdio: "ignore", detached: true } as const;
    const starting = (server ??= spawn(join(programs, "postgres"), ["-D", data, ...args], spawned));
    starting.once("exit", () => (server = undefined));
    for (;;) {
      try {
        await query("SELECT 1");
        return;
      } catch (cause) {
        if (starting.exitCode !== null) throw new Error(`PostgreSQL ended with ${starting.exitCode}`, { cause });
        await setTimeout(20);
      }
    }
  };
  const remove = async (): Promise<void> => {
    const exited = once(keeper, "exit");
    keeper.stdin.end();
    await exited;
  };
  try {
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    port,
    url,
    folder,
    start,
    stop: () => end("SIGINT"),
    crash: () => end("SIGQUIT"),
    createDatabase: async () => {
      const name = `spec_${++databases}`;
      await query(`CREATE DATABASE ${name}`);
      return `postgres://postgres@127.0.0.1:${port}/${name}`;
    },
    query,
    fillDisk: () => {
      if (diskBytes === undefined) throw new Error("only a server with diskBytes can have its disk filled");
      fill(join(folder, BALLAST));
    },
    freeDisk: () => {
      rmSync(join(folder, BALLAST), { force: true });
    },
    remove,
  };
}

/** Declares specs that need PostgreSQL. If it is not installed, it throws in CI; elsewhere the specs are skipped. */
export function describeWithPostgres(name: string, specs: () => void): void {
  if (PROGRAMS !== undefined) {
    describe(name, specs);
    return;
  }
  if (process.env.CI === "true") throw new Error("CI needs a PostgreSQL server: apt-get install postgresql");
  console.warn("Specs are skipped: no PostgreSQL server is installed.");
  describe.skip(`${name}: skipped, no PostgreSQL server is installed`, specs);
}

/** Returns whether a disk of a given size can be mounted: not without the rights of root. */
export function canLimitDisk(): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "disk-"));
  try {
    mountDisk(folder, 1_048_576);
    execFileSync("umount", [folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function mountDisk(folder: string, bytes: number): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder], { stdio: "ignore" });
}

/** Writes a file that leaves no byte of its disk free. */
function fill(file: string): void {
  const { bavail, bsize } = statfsSync(join(file, ".."));
  writeFileSync(file, Buffer.alloc(bavail * bsize));
}

/** Starts what ends the server and deletes its files, however this process ends. */
function keep(folder: string, isMounted: boolean) {
  const keeper = spawn("sh", ["-c", KEEPER, folder, isMounted ? "mounted" : ""], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  keeper.unref();
  if (keeper.stdin instanceof Socket) keeper.stdin.unref();
  return keeper;
}

/** The user that runs the server: PostgreSQL refuses to run as root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string): number => Number(execFileSync("id", [option, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function programs(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...(process.env.PATH ?? "").split(":")];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}
