// The examples while their inbox is away: what /health says, and what is logged.

import { renameSync } from "node:fs";
import { get } from "node:http";
import { setInterval } from "node:timers";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { ended } from "../inbox/temporary";
import { until } from "../inbox/waiting";
import { describeWithPostgres, postgresServer } from "../support/postgres";
import { describeWithRedis, redisServer } from "../support/redis";
import { AppProcess, copyOut } from "./app-process";

/** The default one of the inboxes: what is known is at most so old. */
const LEASE_MS = 15_000;

const isUnready = (app: AppProcess) => async () => (await app.health()).status === 503;
const isReady = (app: AppProcess) => async () => (await app.health()).status === 200;
const linesOfInbox = ({ lines }: AppProcess) => lines.filter((line) => line.startsWith("The inbox is"));

/** Sends a callback each 50 ms, until the spec ends. @returns a function: how many were answered with a status */
function sendAgainAndAgain(url: string): (status: number) => number {
  const statuses: Array<number | undefined> = [];
  let n = 0;
  const timer = setInterval(() => {
    const query = new URLSearchParams({ id: `id-${n++}`, source: "919876543210", recipient: "5050", message: "STOP" });
    get(`${url}?${query.toString()}`, { agent: false }, (response) => {
      statuses.push(response.resume().statusCode);
    }).on("error", () => undefined);
  }, 50);
  ended.push(() => clearInterval(timer));
  return (status) => statuses.filter((one) => one === status).length;
}

const AWAY = expect.stringMatching(/^The inbox is out of reach: ./) as unknown;
const BACK = "The inbox is in reach again.";

/** What the examples print anyway: how to try them, the router's own lines, and what their handlers do. */
const ORDINARY = /^(?:Listening|Handling|npx |express-kaleyra-sms: |\+|Message \S+, attempt \d+, to be retried: |$)/;

function expectOneLineEach(app: AppProcess): void {
  expect(app.lines.filter((line) => !ORDINARY.test(line))).toEqual([AWAY, BACK]);
}

async function loseFile(example: string): Promise<void> {
  const folder = copyOut(example);
  const app = await AppProcess.start(folder, "server.js", {});
  await until(isReady(app));
  expect((await app.health()).body).toMatchObject({ ready: true, reasons: [], inbox: { waiting: 0, dead: 0 } });

  const file = join(folder, "inbox.db");
  renameSync(file, `${file}-away`);
  await until(isUnready(app), LEASE_MS);
  expect((await app.health()).body).toEqual({ ready: false, reasons: ["inbox-unreachable"], warnings: [] });
  const answered = sendAgainAndAgain(app.url);
  await until(() => answered(503) >= 20, 10_000);
  renameSync(`${file}-away`, file);
  await until(isReady(app), LEASE_MS);
  await until(() => linesOfInbox(app).length === 2);
  await until(() => answered(200) >= 20, 10_000);
  expectOneLineEach(app);
}

describe("the examples durable and shop", () => {
  it("are not ready while their file is gone, and log one line when it goes and one when it is back", async () => {
    await Promise.all(["durable", "shop"].map(loseFile));
  }, 90_000);
});

/** A server that an inbox can be on. */
interface Server {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

function itLogsOnce(serverOf: () => Promise<Server>): void {
  it("logs one line when it goes and one when it is back, in a receiver and in a worker: /health follows", async () => {
    const server = await serverOf();
    ended.push(() => server.remove());
    const folder = copyOut("scaled");
    const env = { INBOX_URL: server.url };
    const receiver = await AppProcess.start(folder, "receiver.js", { env });
    const worker = await AppProcess.start(folder, "worker.js", { env, begun: "Handling" });
    const answered = sendAgainAndAgain(receiver.url);
    await until(isReady(receiver));
    await until(() => worker.output.includes("wants no more messages"));

    const before = worker.lines.length;
    await server.stop();
    await until(isUnready(receiver), LEASE_MS);
    expect((await receiver.health()).body).toEqual({ ready: false, reasons: ["inbox-unreachable"], warnings: [] });
    await until(() => answered(503) >= 20, 10_000);
    await server.start();
    await until(isReady(receiver), LEASE_MS);
    await until(() => worker.lines.length > before + 2 && linesOfInbox(worker).length === 2, LEASE_MS);
    await until(() => linesOfInbox(receiver).length === 2);

    expectOneLineEach(receiver);
    expectOneLineEach(worker);
  }, 90_000);
}

describeWithRedis("the example scaled on Redis", () => {
  itLogsOnce(async () => {
    const redis = await redisServer();
    return { ...redis, url: `redis://127.0.0.1:${redis.port}` };
  });
});

describeWithPostgres("the example scaled on PostgreSQL", () => {
  itLogsOnce(() => postgresServer());
});
