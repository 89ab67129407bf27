// Servers that are killed at random instants, a client that retries until it gets a 200, and what their log says afterwards.

import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";

import { callback } from "../support/callbacks";
import { until as untilPrinted } from "../support/recorder";
import { freePort } from "../support/free-port";
import { until, waitFor } from "./waiting";

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

/** Sends callbacks, one after the other, each again and again until it is answered 200. */
export class Client {
  /** The ids that were answered 200, in that order; all of one client are of one source. */
  readonly accepted: string[] = [];
  #isOver = false;
  #isGivenUp = false;
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
      for (let attempt = n; !(await isAccepted(ports[attempt % ports.length] ?? 0, body)); attempt++) {
        if (this.#isGivenUp) return;
        await waitFor(5);
      }
      this.accepted.push(id);
    }
  }

  /** Resolves when it sends no more, whatever the last answer was. */
  giveUp(): Promise<void> {
    this.#isGivenUp = true;
    return this.stop();
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

function linesOf(log: string): Line[] {
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

/** How long before a kill a handling that is done again may have ended, in milliseconds: until that is written, on a busy machine. */
export const JUST_ENDED_MS = 250;
const KILLS = 12;
const CLIENTS = 12;

/** Kills a server under load, then lets one handle what is left; prints and checks what became of each message. */
export async function killAgainAndAgain(
  name: string,
  log: string,
  inbox: readonly string[],
  { isOrdered }: { readonly isOrdered: boolean },
): Promise<void> {
  writeFileSync(log, "");
  const server = await KilledServer.on(log, { leaseMs: 500 }, inbox);
  await server.start();
  const clients = Array.from({ length: CLIENTS }, (_, n) => new Client(`client${n}`, [server.port]));
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      await waitFor(100 + Math.random() * 700);
      await server.end("SIGKILL");
      noteKill(log);
      await server.start();
    }
    await Promise.all(clients.map((client) => client.stop()));
    const accepted = clients.flatMap((client) => client.accepted);
    await until(() => told(log).handled.size >= accepted.length, 30_000).catch(() => undefined);
    expect(await server.end("SIGTERM")).toBe(0);

    const { kills, handled, cutShort, twice, started } = told(log);
    console.log(
      `${name}: ${kills} kills, ${accepted.length} answered 200, ${handled.size} handled, ${cutShort.size} running at a kill, ${twice.size} ` +
        `handled to the end twice, at most ${Math.max(0, ...twice.values())} ms before a kill`,
    );
    expect(accepted.filter((id) => !handled.has(id))).toEqual([]);
    for (const ms of twice.values()) expect(ms).toBeLessThan(JUST_ENDED_MS);
    expect(cutShort.size).toBeGreaterThan(0);
    if (!isOrdered) return;
    // One after the other was sent, and so they started.
    for (const { source, accepted: sent } of clients) {
      expect(started.filter((id) => id.startsWith(`${source}-`))).toEqual(sent);
    }
  } finally {
    await server.end("SIGKILL");
    await Promise.all(clients.map((client) => client.giveUp()));
  }
}
