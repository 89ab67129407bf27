// Servers that are killed at random instants, a client that retries until it gets a 200, and what their log says afterwards.

import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { callback } from "../support/callbacks";
import { until as untilPrinted } from "../support/recorder";
import { waitFor } from "./waiting";

/** A server on a port that it keeps, whoever of its processes is alive. */
export class KilledServer {
  readonly #args: readonly string[];
  readonly port: number;
  #child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** @param inbox - as kill-server.cjs takes it */
  static async on(log: string, options: object, inbox: readonly string[]): Promise<KilledServer> {
    const port = await freePort();
    return new KilledServer(port, [log, String(port), JSON.stringify(options), ...inbox]);
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [join(__dirname, "kill-server.cjs"), ...this.#args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    await untilPrinted(child.stdout, "listening");
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves with its exit code when it is gone. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    this.#child = undefined;
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.kill(signal);
    return closed;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Sends callbacks, one after the other, each again and again until it is answered 200. */
export class Client {
  /** The ids that were answered 200, in that order; all of one client are of one source. */
  readonly accepted: string[] = [];
  #isOver = false;
  readonly #sending: Promise<void>;

  /** @param ports - tried in turn */
  constructor(
    readonly source: string,
    ports: readonly number[],
  ) {
    this.#sending = this.#send(ports);
  }

  async #send(ports: readonly number[]): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const id = `${this.source}-${n}`;
      const body = JSON.stringify(callback({ id, source: this.source }));
      for (let attempt = n; !(await isAccepted(ports[attempt % ports.length] ?? 0, body)); attempt++) await waitFor(5);
      this.accepted.push(id);
    }
  }

  /** Resolves when the last one was answered 200. */
  stop(): Promise<void> {
    this.#isOver = true;
    return this.#sending;
  }
}

async function isAccepted(port: number, body: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body,
      signal: AbortSignal.timeout(5_000),
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

export function noteKill(log: string): void {
  appendFileSync(log, `kill - - ${Date.now()}\n`);
}

interface Line {
  readonly what: string;
  readonly id: string;
  readonly pid: string;
  readonly ms: number;
}

export function linesOf(log: string): Line[] {
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [what = "", id = "", pid = "", ms = ""] = line.split(" ");
      return { what, id, pid, ms: Number(ms) };
    });
}

export interface Told {
  readonly kills: number;
  /** The ids that were handled to the end, at least once. */
  readonly handled: ReadonlySet<string>;
  /** Those that were running at a kill. */
  readonly cutShort: ReadonlySet<string>;
  /** Those that were handled to the end more than once, each with how long before the next kill its first end was, in milliseconds. */
  readonly twice: ReadonlyMap<string, number>;
  /** In the order in which each started for the first time. */
  readonly started: readonly string[];
  /** How many were handled to the end by each process. */
  readonly shares: ReadonlyMap<string, number>;
}

export function told(log: string): Told {
  const lines = linesOf(log);
  const kills = lines.filter(({ what }) => what === "kill").map(({ ms }) => ms);
  const handled = new Set<string>();
  const cutShort = new Set<string>();
  const twice = new Map<string, number>();
  const firstEnds = new Map<string, number>();
  const started = new Set<string>();
  const running = new Set<string>();
  const shares = new Map<string, number>();
  for (const { what, id, pid, ms } of lines) {
    if (what === "start") {
      started.add(id);
      running.add(id);
    } else if (what === "end") {
      running.delete(id);
      const first = firstEnds.get(id);
      if (first === undefined) firstEnds.set(id, ms);
      else twice.set(id, (kills.find((kill) => kill >= first) ?? Infinity) - first);
      handled.add(id);
      shares.set(pid, (shares.get(pid) ?? 0) + 1);
    } else {
      for (const one of running) cutShort.add(one);
      running.clear();
    }
  }
  return { kills: kills.length, handled, cutShort, twice, started: [...started], shares };
}
