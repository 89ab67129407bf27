// Processes on one file, one of which is frozen for longer than its lease, as some hosts do after an answer.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { callback, post } from "../../support/callbacks";
import { deferred, recorder } from "../../support/recorder";
import { DRIVERS, type OpenDatabase } from "../drivers";
import { freeze, FrozenProcess, thaw } from "../freeze";
import { Client, KilledServer, noteKill, readLog } from "../kill";
import { separateInbox } from "../separate";
import { ended, temporary, temporaryFolder } from "../temporary";
import { until, waitFor } from "../waiting";

const leaseMs = 300;

const EACH = DRIVERS.flatMap((driver) => [
  { ...driver, where: "its thread", thread: true },
  { ...driver, where: "the process", thread: false },
]);

describe.each(EACH)("with $name in $where", ({ name, open, thread }) => {
  /** A router in this process, which is not frozen. */
  const router = (file: string, others: Parameters<typeof recorder>[0] = {}) => {
    const database: OpenDatabase = open(file);
    ended.push(() => database.close());
    const inbox = separateInbox({ database, backoffMs: 20, leaseMs });
    const recorded = recorder({ inbox, ...others });
    ended.push(() => recorded.sms.close());
    return { ...recorded, inbox };
  };

  /** A process that works on the file until it has started the message, and is frozen then. */
  const frozenAt = async (file: string, source: string, concurrency: number): Promise<FrozenProcess> => {
    const frozen = new FrozenProcess(name, file, { concurrency, leaseMs, thread });
    await until(() => frozen.printed("start").includes(source), 10_000);
    await freeze(frozen.pid);
    return frozen;
  };

  it.each(["handled", "failed"] as const)(
    "leaves a message to the process that took it over, whatever the thawed one says of it (%s)",
    async (outcome) => {
      const file = temporary();
      const receiver = router(file, { concurrency: 0 });
      await receiver.sms.receive(post({ source: "1", message: "waits" }));
      const frozen = await frozenAt(file, "1", 1);
      const { sms, inbox } = router(file);
      const finish = deferred();
      const attempts: number[] = [];
      sms.on("message", ({ source }, { attempt }) => {
        if (source !== "1") return undefined;
        attempts.push(attempt);
        return finish.promise;
      });
      await until(() => attempts.length === 1, 10_000);
      thaw(frozen.pid);
      frozen.tell({ finish: outcome });
      frozen.tell({ send: JSON.stringify(callback({ source: "2" })) });
      await until(() => frozen.printed("stored").includes("2"));
      await waitFor(100);
      expect(await inbox.stats()).toMatchObject({ running: 1, delayed: 0, dead: 0 });
      finish.resolve();
      await until(async () => (await inbox.stats()).running === 0);
      expect(attempts).toEqual([2]);
      expect(frozen.printed("start").filter((source) => source === "1")).toHaveLength(1);
      expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
    },
    20_000,
  );

  it("starts nothing that another process took over meanwhile, and works on", async () => {
    const file = temporary();
    const receiver = router(file, { concurrency: 0 });
    const sources = ["1", "2", "3", "4", "5", "6"];
    for (const source of sources) await receiver.sms.receive(post({ source, message: source === "1" ? "blocks" : "" }));
    writeFileSync(`${file}-hold`, "");
    // It has taken all of them, and would start the others in the same turn of the event loop.
    const frozen = await frozenAt(file, "1", sources.length);
    const { sms, messages, inbox } = router(file);
    await until(async () => messages.length === sources.length && (await inbox.stats()).running === 0, 10_000);
    await sms.close();
    rmSync(`${file}-hold`);
    thaw(frozen.pid);
    await receiver.sms.receive(post({ source: "7" }));
    await until(() => frozen.printed("start").includes("7"));
    expect(frozen.printed("start")).toEqual(["1", "7"]);
    await until(async () => (await receiver.inbox.stats()).running === 0);
    expect(await receiver.inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
  }, 20_000);

  it("handles what it takes in its first turn after it was thawed", async () => {
    const file = temporary();
    const receiver = router(file, { concurrency: 0 });
    for (const source of ["1", "2", "3", "4"])
      await receiver.sms.receive(post({ source, message: source === "1" ? "blocks" : "" }));
    writeFileSync(`${file}-hold`, "");
    const frozen = await frozenAt(file, "1", 1);
    const { sms, messages, inbox } = router(file, { concurrency: 1 });
    const finish = deferred();
    sms.on("message", () => finish.promise);
    // The other process runs the second message, and gives the first one free. It is busy: the rest is for the frozen one.
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 1, 10_000);
    rmSync(`${file}-hold`);
    thaw(frozen.pid);
    await until(() => frozen.printed("start").length === 4);
    expect(frozen.printed("start").sort()).toEqual(["1", "1", "3", "4"]);
    expect(messages.map(({ source }) => source)).toEqual(["2"]);
    finish.resolve();
    await until(async () => (await inbox.stats()).running === 0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
  }, 20_000);

  it("loses no acknowledged message of a process that only receives, and is frozen again and again", async () => {
    const file = temporary();
    const frozen = new FrozenProcess(name, file, { concurrency: 0, leaseMs, floods: true, thread });
    await until(() => frozen.printed("stored").length > 0, 10_000);
    const { sms, messages, errors } = router(file);
    for (let n = 0; n < 12; n++) {
      await waitFor(Math.random() * 40);
      await freeze(frozen.pid);
      // In the middle of a transaction, the frozen process locks the file.
      const receiving = sms.receive(post({ source: `${n}` }));
      await waitFor(leaseMs / 3);
      thaw(frozen.pid);
      expect(await receiving).toMatchObject({ outcome: "stored" });
    }
    await frozen.end();
    const stored = frozen.printed("stored");
    await until(() => messages.length >= stored.length + 12, 10_000);
    const handled = messages.map(({ source }) => source);
    expect(stored.filter((source) => !handled.includes(source))).toEqual([]);
    expect(new Set(handled).size).toBe(handled.length);
    expect(errors).toEqual([]);
  }, 30_000);

  it("handles all messages, and twice only what ran, while one of two processes is frozen again and again", async () => {
    const folder = temporaryFolder();
    const log = join(folder, "log");
    writeFileSync(log, "");
    // A third is longer than a busy machine keeps a process from running and from the file, which the thawed one writes
    // again and again: one that is not frozen must not be taken for it.
    const lease = 1_200;
    const servers = await Promise.all(
      [0, 1].map(() =>
        KilledServer.on(log, { leaseMs: lease }, [
          thread ? "sqlite" : "sqlite-in-process",
          name,
          join(folder, "inbox.db"),
        ]),
      ),
    );
    for (const server of servers) ended.push(() => server.end("SIGKILL"));
    await Promise.all(servers.map((server) => server.start()));
    const [frozen] = servers;
    const clients = Array.from({ length: 8 }, (_, n) => new Client(`client${n}`, [servers[n % 2]?.port ?? 0]));
    for (let n = 0; n < 4; n++) {
      await waitFor(100 + Math.random() * 200);
      await freeze(frozen?.pid ?? 0);
      noteKill(log);
      await waitFor(2 * lease);
      thaw(frozen?.pid ?? 0);
    }
    await Promise.all(clients.map((client) => client.stop()));
    const accepted = clients.flatMap((client) => client.accepted);
    await until(() => readLog(log).handled.size >= accepted.length, 20_000);
    for (const server of servers) expect(await server.end("SIGTERM")).toBe(0);

    const { handled, cutShort, twice, started, shares } = readLog(log);
    console.log(
      `${name}: ${accepted.length} acknowledged, ${cutShort.size} running at a freeze, ` +
        `${twice.size} handled to the end twice`,
    );
    expect(accepted.filter((id) => !handled.has(id))).toEqual([]);
    for (const [id, ms] of twice) if (!cutShort.has(id)) expect(ms).toBeLessThan(lease);
    expect(shares.size).toBe(2);
    for (const { source, accepted: sent } of clients)
      expect(started.filter((id) => id.startsWith(`${source}-`))).toEqual(sent);
  }, 60_000);
});
