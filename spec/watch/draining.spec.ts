// A rolling update, in processes: SIGTERM while callbacks come, for the router and for each example.

import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { setInterval } from "node:timers";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { ended, temporary } from "../inbox/temporary";
import { until } from "../inbox/waiting";
import { describeWithPostgres, postgresServer } from "../support/postgres";
import { describeWithRedis, redisServer } from "../support/redis";
import { AppProcess, copyOut } from "./app-process";

const EVERY_MS = 50;
const DRAIN_MS = 1_000;
const DRAIN = { DRAIN_MS: `${DRAIN_MS}` };
/** How late a busy machine may bring a callback to the server: whatever began earlier must be answered 200. */
const MARGIN_MS = 500;
/** handlerTimeoutMs and storeTimeoutMs: what the end may take beside the draining. */
const REST_MS = 15_000;
/** What a load balancer would no longer send here. */
const GONE: readonly unknown[] = [503, "ECONNREFUSED", "ECONNRESET"];

interface Sent {
  readonly source: string;
  readonly begunAt: number;
  readonly outcome: number | string | undefined;
}

/** Sends a callback each 50 ms: over new connections, and over those that are kept alive, in turn. */
class Provider {
  readonly sent: Sent[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #pending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #count = 0;

  constructor(url: string, text: string) {
    this.#timer = setInterval(() => {
      const sending = this.#send(url, text).then(() => void this.#pending.delete(sending));
      this.#pending.add(sending);
    }, EVERY_MS);
    ended.push(() => this.stop());
  }

  async #send(url: string, text: string): Promise<void> {
    const n = this.#count++;
    const source = `+9198765${String(n).padStart(5, "0")}`;
    const query = new URLSearchParams({ id: `id-${n}`, source, recipient: "+919812345678", message: text });
    const begunAt = performance.now();
    const request = get(`${url}?${query.toString()}`, { agent: n % 2 === 0 ? this.#agent : false });
    try {
      const [response] = (await once(request, "response")) as [IncomingMessage];
      await once(response.resume(), "end");
      this.sent.push({ source, begunAt, outcome: response.statusCode });
    } catch (error) {
      this.sent.push({ source, begunAt, outcome: (error as NodeJS.ErrnoException).code });
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    this.#agent.destroy();
  }
}

interface Rolled {
  /** The process that gets the callbacks. */
  readonly server: AppProcess;
  /** Those that end together with it. */
  readonly others?: readonly AppProcess[];
  /** Starts the process that takes over, if what was stored can be handled by one. */
  readonly successor: (() => Promise<AppProcess>) | undefined;
  /** What was typed. */
  readonly text?: string;
  /** The beginning of the line that says that a message was handled, and the end after its source. */
  readonly handled: readonly [before: string, after: string];
}

/** Ends a server while callbacks come, and checks each of them. */
async function roll({ server, others = [], successor, text = "hello", handled: [before, after] }: Rolled) {
  const provider = new Provider(server.url, text);
  const isAcknowledged = ({ outcome }: Sent) => outcome === 200;
  await until(() => provider.sent.filter(isAcknowledged).length >= 6, 10_000);

  const signalledAt = performance.now();
  for (const process of [server, ...others]) process.kill("SIGTERM");
  for (const process of [server, ...others]) expect(await process.exited).toEqual([0, null]);
  expect(performance.now() - signalledAt).toBeLessThan(DRAIN_MS + REST_MS);
  // Callbacks go on when the process has ended: if that was too early, some of them must not have been answered.
  const safeUntil = signalledAt + DRAIN_MS - MARGIN_MS;
  await until(() => performance.now() > safeUntil);
  await provider.stop();

  const mustBeHandled = provider.sent.filter(({ begunAt }) => begunAt < safeUntil);
  expect(mustBeHandled.filter((one) => !isAcknowledged(one))).toEqual([]);
  expect(mustBeHandled.filter(({ begunAt }) => begunAt > signalledAt).length).toBeGreaterThan(0);
  for (const { outcome } of provider.sent) if (outcome !== 200) expect(GONE).toContain(outcome);

  const next = await successor?.();
  const processes = [server, ...others, ...(next ? [next] : [])];
  const timesHandled = ({ source }: Sent): number =>
    processes.flatMap(({ lines }) => lines).filter((line) => line.includes(before + source + after)).length;
  const acknowledged = provider.sent.filter(isAcknowledged);
  await until(() => acknowledged.every((one) => timesHandled(one) > 0), 10_000).catch(() => undefined);
  expect(acknowledged.filter((one) => timesHandled(one) !== 1)).toEqual([]);
  expect(provider.sent.filter((one) => timesHandled(one) > 1)).toEqual([]);
  next?.kill("SIGTERM");
  if (next) expect(await next.exited).toEqual([0, null]);
}

const own = (...args: string[]) =>
  AppProcess.start(__dirname, join(__dirname, "draining-server.cjs"), { args, env: DRAIN });
const HANDLED = ["handled ", ""] as const;

describe("on SIGTERM, every callback that comes while it is drained is handled once by", () => {
  it("a router without an inbox", async () => {
    await roll({ server: await own("none"), successor: undefined, handled: HANDLED });
  }, 60_000);

  it("a router with sqliteInbox", async () => {
    const file = temporary();
    await roll({ server: await own("sqlite", file), successor: () => own("sqlite", file), handled: HANDLED });
  }, 60_000);

  it.each([
    ["quickstart", "dist/server.js", "hello", ["from ", " to"], false],
    ["javascript", "server.js", "hello", ["", " typed"], false],
    ["durable", "server.js", "STOP", ["", " wants no more messages"], true],
    ["shop", "server.js", "TRACK 1", ["to ", ":"], true],
  ] as const)(
    "the example %s",
    async (example, script, text, handled, isDurable) => {
      const folder = copyOut(example);
      const start = () => AppProcess.start(folder, script, { env: DRAIN });
      await roll({ server: await start(), successor: isDurable ? start : undefined, text, handled });
    },
    60_000,
  );
});

describe("a worker of node:cluster that ends as docs/rolling-updates.md says", () => {
  it("is replaced while every callback is answered 200, and handled once", async () => {
    const primary = await AppProcess.start(__dirname, join(__dirname, "draining-cluster.cjs"), {});
    const provider = new Provider(primary.url, "hello");
    await until(() => provider.sent.length >= 6, 10_000);
    primary.kill("SIGTERM");
    await until(() => primary.output.includes("replaced: 0"), 20_000);
    const { length } = provider.sent;
    await until(() => provider.sent.length >= length + 4);
    await provider.stop();
    expect(provider.sent.filter(({ outcome }) => outcome !== 200)).toEqual([]);
    for (const { source } of provider.sent)
      expect(primary.lines.filter((line) => line === `handled ${source}`)).toHaveLength(1);
  }, 60_000);
});

describe("a signal", () => {
  it.each([
    ["quickstart", "dist/server.js"],
    ["javascript", "server.js"],
    ["durable", "server.js"],
    ["shop", "server.js"],
  ])(
    "ends %s without draining if it is Ctrl+C, and the draining if it is the second one",
    async (example, script) => {
      const folder = copyOut(example);
      const start = () => AppProcess.start(folder, script, { env: { DRAIN_MS: "600000" } });
      const interrupted = await start();
      interrupted.kill("SIGINT");
      expect(await interrupted.exited).toEqual([0, null]);

      const drained = await start();
      await until(async () => (await drained.health()).status === 200);
      drained.kill("SIGTERM");
      await until(async () => (await drained.health()).status === 503);
      expect((await drained.health()).body).toMatchObject({ ready: false, reasons: ["closing"] });
      drained.kill("SIGTERM");
      expect(await drained.exited).toEqual([0, null]);
    },
    60_000,
  );
});

/** The specs of each server that an inbox can be on. @param kind - as draining-server.cjs takes it */
function itDrains(
  kind: "bullmq" | "postgres",
  server: () => Promise<{ readonly url: string; remove(): Promise<void> }>,
) {
  const urlOf = async (): Promise<string> => {
    const { url, remove } = await server();
    ended.push(remove);
    return url;
  };

  it(`every callback that comes while a router with ${kind}Inbox is drained is handled once`, async () => {
    const url = await urlOf();
    const start = () => own(kind, url);
    await roll({ server: await start(), successor: start, handled: HANDLED });
  }, 60_000);

  it("every callback that comes while a receiver of the example scaled is drained is handled once", async () => {
    const folder = copyOut("scaled");
    const env = { ...DRAIN, INBOX_URL: await urlOf() };
    const worker = () => AppProcess.start(folder, "worker.js", { env, begun: "Handling" });
    await roll({
      server: await AppProcess.start(folder, "receiver.js", { env }),
      others: [await worker()],
      successor: worker,
      text: "STOP",
      handled: ["", " wants no more messages"],
    });
  }, 60_000);

  it("a worker of the example scaled answers /health at WORKER_PORT, and ends by itself", async () => {
    const env = { INBOX_URL: await urlOf(), WORKER_PORT: "0" };
    const worker = await AppProcess.start(copyOut("scaled"), "worker.js", { env });
    await until(async () => (await worker.health()).status === 200, 30_000);
    expect((await worker.health()).body).toEqual({ ready: true, reasons: [], warnings: [] });
    worker.kill("SIGTERM");
    expect(await worker.exited).toEqual([0, null]);
  }, 60_000);
}

describeWithRedis("on SIGTERM, with Redis,", () => {
  itDrains("bullmq", async () => {
    const { port, remove } = await redisServer();
    return { url: `redis://127.0.0.1:${port}`, remove };
  });
});

describeWithPostgres("on SIGTERM, with PostgreSQL,", () => {
  itDrains("postgres", () => postgresServer());
});
