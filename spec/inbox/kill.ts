// A server to be killed at random instants, a client that retries until it gets a 200, and a reader of their log.

import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";

import { callback } from "../support/callbacks";
import { until as untilPrinted } from "../support/recorder";
import { freePort } from "../support/free-port";
import { until, waitFor } from "./waiting";

/** A server that can be killed and started again on the same port. */
export class KilledServer {
  readonly #args: readonly string[];
  readonly port: number;
  #child: ChildProcess | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** @param inbox - the last arguments of kill-server.cjs */
  static async on(log: string, options: object, inbox: readonly string[]): Promise<KilledServer> {
    const port = await freePort();
    return new KilledServer(port, [log, String(port), JSON.stringify(options), ...inbox]);
  }

  /** Resolves when the server listens. */
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

  /** Ends the process. @returns its exit code */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    this.#child = undefined;
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.kill(signal);
    return closed;
  }
}

/** Sends callbacks one after the other, each until it is answered 200. */
export class Client {
  /** The ids that were answered 200, in order. All messages of a client have one source. */
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

  /** Stops sending, even if the last callback was not answered 200. */
  giveUp(): Promise<void> {
    this.#isGivenUp = true;
    return this.stop();
  }

  /** Stops sending. Resolves when the last callback was answered 200. */
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
  readonly event: string;
  readonly id: string;
  readonly pid: string;
  readonly ms: number;
}

function linesOf(log: string): Line[] {
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [event = "", id = "", pid = "", ms = ""] = line.split(" ");
      return { event, id, pid, ms: Number(ms) };
    });
}

/** The events of a log, by the ids of messages. */
export interface LogSummary {
  readonly kills: number;
  /** The messages that were handled to the end, at least once. */
  readonly handled: ReadonlySet<string>;
  /** The messages that were running at a kill. */
  readonly cutShort: ReadonlySet<string>;
  /**
   * The messages that were handled to the end more than once, each with the milliseconds between its first end and the
   * next kill.
   */
  readonly twice: ReadonlyMap<string, number>;
  /** All messages, in the order of their first start. */
  readonly started: readonly string[];
  /** How many messages each process handled to the end, by its process id. */
  readonly shares: ReadonlyMap<string, number>;
}

export function readLog(log: string): LogSummary {
  const lines = linesOf(log);
  const kills = lines.filter(({ event }) => event === "kill").map(({ ms }) => ms);
  const handled = new Set<string>();
  const cutShort = new Set<string>();
  const twice = new Map<string, number>();
  const firstEnds = new Map<string, number>();
  const started = new Set<string>();
  const running = new Set<string>();
  const shares = new Map<string, number>();
  for (const { event, id, pid, ms } of lines) {
    if (event === "start") {
      started.add(id);
      running.add(id);
    } else if (event === "end") {
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

/**
 * A message that ended less than this before a kill may be handled again, in milliseconds: its outcome may not be
 * written yet, on a busy machine.
 */
export const JUST_ENDED_MS = 250;
const KILLS = 12;
const CLIENTS = 12;

/** Kills a server under load, lets the last one handle the rest, and checks the log: no message is lost. */
export async function killAgainAndAgain(
  name: string,
  log: string,
  inbox: readonly string[],
  { isOrdered }: { readonly isOrdered: boolean },
): Promise<void> {
  writeFileSync(log, "");
  // More attempts than kills: a message that is cut short in each attempt would be a dead letter, and not handled.
  const server = await KilledServer.on(log, { leaseMs: 500, attempts: 2 * KILLS }, inbox);
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
    await until(() => readLog(log).handled.size >= accepted.length, 30_000).catch(() => undefined);
    expect(await server.end("SIGTERM")).toBe(0);

    const { kills, handled, cutShort, twice, started } = readLog(log);
    console.log(
      `${name}: ${kills} kills, ${accepted.length} acknowledged, ${handled.size} handled, ` +
        `${cutShort.size} running at a kill, ${twice.size} handled to the end twice, ` +
        `at most ${Math.max(0, ...twice.values())} ms before a kill`,
    );
    expect(accepted.filter((id) => !handled.has(id))).toEqual([]);
    for (const ms of twice.values()) expect(ms).toBeLessThan(JUST_ENDED_MS);
    expect(cutShort.size).toBeGreaterThan(0);
    if (!isOrdered) return;
    // The messages of a source start in the order in which they were sent.
    for (const { source, accepted: sent } of clients) {
      expect(started.filter((id) => id.startsWith(`${source}-`))).toEqual(sent);
    }
  } finally {
    await server.end("SIGKILL");
    await Promise.all(clients.map((client) => client.giveUp()));
  }
}
