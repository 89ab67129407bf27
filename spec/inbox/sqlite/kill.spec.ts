// Processes on one file that are killed at random instants: no acknowledged message is lost, and only running ones are
// handled again.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { DRIVERS } from "../drivers";
import { Client, JUST_ENDED_MS, killAgainAndAgain, KilledServer, noteKill, readLog } from "../kill";
import { ended, temporaryFolder } from "../temporary";
import { until, waitFor } from "../waiting";

const PLACES = [
  { where: "its thread", kind: "sqlite" },
  { where: "the process", kind: "sqlite-in-process" },
];
const EACH = DRIVERS.flatMap(({ name }) => PLACES.map((place) => ({ name, ...place })));

describe.each(EACH)("with $name in $where", ({ name, where, kind }) => {
  it("handles every acknowledged message although its process is killed again and again", async () => {
    const folder = temporaryFolder();
    await killAgainAndAgain(`${name} in ${where}`, join(folder, "log"), [kind, name, join(folder, "inbox.db")], {
      isOrdered: true,
    });
  }, 90_000);

  it("shares messages between two processes, and one goes on alone when the other is killed", async () => {
    const folder = temporaryFolder();
    const log = join(folder, "log");
    writeFileSync(log, "");
    const servers = await Promise.all(
      [0, 1].map(() => KilledServer.on(log, { leaseMs: 500 }, [kind, name, join(folder, "inbox.db")])),
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
    await until(() => readLog(log).handled.size >= accepted.length, 20_000);
    await servers[1]?.end("SIGTERM");

    const { handled, twice, shares } = readLog(log);
    const [one = 0, other = 0] = [shares.get(first ?? ""), shares.get(second ?? "")];
    console.log(
      `${name} in ${where}: ${accepted.length} acknowledged, ${one} handled by the killed process, ${other} by the other, ` +
        `${twice.size} by both`,
    );
    expect(accepted.filter((id) => !handled.has(id))).toEqual([]);
    for (const ms of twice.values()) expect(ms).toBeLessThan(JUST_ENDED_MS);
    expect(one).toBeGreaterThan(0);
    expect(other).toBeGreaterThan(0);
  }, 60_000);
});
