// Processes on one file, killed at random instants: nothing that was answered 200 is lost, and nothing but what ran is handled again.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";

import { DRIVERS } from "./drivers";
import { Client, KilledServer, noteKill, told } from "./kill";
import { until, waitFor } from "./waiting";

const KILLS = 12;
/** Between the end of a handling and the commit that says so, in milliseconds: on a busy machine. */
const JUST_ENDED_MS = 250;

const ended: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

describe.each(DRIVERS)("with $name", ({ name }) => {
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), "inbox-"));
    ended.push(() => rmSync(made, { recursive: true }));
    return made;
  };

  it("a server that is killed again and again handles all that it has answered 200", async () => {
    const made = folder();
    const log = join(made, "log");
    writeFileSync(log, "");
    const server = await KilledServer.on(log, { leaseMs: 500 }, ["sqlite", name, join(made, "inbox.db")]);
    ended.push(() => server.end("SIGKILL"));
    await server.start();
    const clients = Array.from({ length: 12 }, (_, n) => new Client(`client${n}`, [server.port]));
    for (let kill = 0; kill < KILLS; kill++) {
      await waitFor(100 + Math.random() * 700);
      await server.end("SIGKILL");
      noteKill(log);
      await server.start();
    }
    await Promise.all(clients.map((client) => client.stop()));
    const accepted = clients.flatMap((client) => client.accepted);
    await until(() => told(log).handled.size >= accepted.length, 20_000);
    expect(await server.end("SIGTERM")).toBe(0);

    const { kills, handled, cutShort, twice, started } = told(log);
    console.log(
      `${name}: ${kills} kills, ${accepted.length} answered 200, ${handled.size} handled, ${cutShort.size} running at a kill, ${twice.size} ` +
        `handled to the end twice, at most ${Math.max(0, ...twice.values())} ms before a kill`,
    );
    expect(accepted.filter((id) => !handled.has(id))).toEqual([]);
    for (const ms of twice.values()) expect(ms).toBeLessThan(JUST_ENDED_MS);
    expect(cutShort.size).toBeGreaterThan(0);
    // One after the other was sent, and so they started.
    for (const { source, accepted: sent } of clients) {
      expect(started.filter((id) => id.startsWith(`${source}-`))).toEqual(sent);
    }
  }, 90_000);

  it("two processes on one file share the work, and one goes on with it when the other is killed", async () => {
    const made = folder();
    const log = join(made, "log");
    writeFileSync(log, "");
    const servers = await Promise.all(
      [0, 1].map(() => KilledServer.on(log, { leaseMs: 500 }, ["sqlite", name, join(made, "inbox.db")])),
    );
    for (const server of servers) ended.push(() => server.end("SIGKILL"));
    await Promise.all(servers.map((server) => server.start()));
    const [first, second] = servers.map(({ pid }) => String(pid));
    const clients = Array.from(
      { length: 8 },
      (_, n) =>
        new Client(
          `client${n}`,
          servers.map(({ port }) => port),
        ),
    );
    await waitFor(1_500);
    await servers[0]?.end("SIGKILL");
    noteKill(log);
    await waitFor(1_000);
    await Promise.all(clients.map((client) => client.stop()));
    const accepted = clients.flatMap((client) => client.accepted);
    await until(() => told(log).handled.size >= accepted.length, 20_000);
    await servers[1]?.end("SIGTERM");

    const { handled, twice, shares } = told(log);
    const [one = 0, other = 0] = [shares.get(first ?? ""), shares.get(second ?? "")];
    console.log(
      `${name}: ${accepted.length} answered 200, ${one} handled by the process that was killed, ${other} by the other, ${twice.size} by both`,
    );
    expect(accepted.filter((id) => !handled.has(id))).toEqual([]);
    for (const ms of twice.values()) expect(ms).toBeLessThan(JUST_ENDED_MS);
    expect(one).toBeGreaterThan(0);
    expect(other).toBeGreaterThan(0);
  }, 60_000);
});
