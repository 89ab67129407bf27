// Processes on one PostgreSQL: receivers and workers, one that is frozen, and one behind a pooler.

import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { Client, Pool } from "pg";

import { callback, post } from "../../support/callbacks";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { deferred, recorder } from "../../support/recorder";
import { freeze, thaw } from "../freeze";
import { ended } from "../temporary";
import { until, waitFor } from "../waiting";

const leaseMs = 600;

interface Printed {
  readonly word: string;
  readonly rest: readonly string[];
  /** In which order all processes printed. */
  readonly at: number;
}

/** A process that runs processes.cjs. It ends with the spec. */
class Process {
  readonly #child: ChildProcess;
  readonly printed: Printed[] = [];
  static #count = 0;

  constructor(url: string, options: Readonly<Record<string, unknown>>) {
    this.#child = fork(join(__dirname, "processes.cjs"), [url, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    let rest = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [word = "", ...words] = line.split(" ");
        this.printed.push({ word, rest: words, at: Process.#count++ });
      }
    });
    ended.push(() => this.end());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  of(word: string): Printed[] {
    return this.printed.filter((one) => one.word === word);
  }

  tell(message: { readonly send?: string; readonly finish?: string; readonly cutOff?: boolean }): void {
    this.#child.send(message);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await closed;
  }
}

describeWithPostgres("postgresInbox", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  }, 60_000);
  afterAll(() => server.remove());

  let names = 0;
  const nextName = (): string => `processes ${++names}`;
  /** A process that is ready. */
  const started = async (options: Readonly<Record<string, unknown>>): Promise<Process> => {
    const one = new Process(server.url, options);
    await until(() => one.of("ready").length > 0, 15_000);
    return one;
  };
  /** A router in this process. */
  const router = (name: string, others: Parameters<typeof recorder>[0] = {}, url = server.url) => {
    const pool = new Pool({ connectionString: url });
    ended.push(() => pool.end());
    const inbox = postgresInbox({ pool, name, backoffMs: 20, leaseMs });
    const recorded = { ...recorder({ inbox, ...others }), inbox };
    ended.push(() => recorded.sms.close());
    return recorded;
  };

  it("handles START only when STOP, which fails at first, has ended in whichever of two workers", async () => {
    const name = nextName();
    const { sms } = router(name, { concurrency: 0 });
    const workers = await Promise.all([0, 1].map(() => started({ name, backoffMs: 50 })));
    const PAIRS = 50;
    const sources = Array.from({ length: PAIRS }, (_, n) => `91${9_800_000_000 + n}`);
    await Promise.all(
      sources.map(async (source, n) => {
        for (const word of ["STOP", "START"])
          expect(await sms.receive(post({ source, message: `${word}-${n}` }))).toMatchObject({ outcome: "stored" });
      }),
    );
    const all = (): Printed[] => workers.flatMap(({ printed }) => printed).sort((a, b) => a.at - b.at);
    await until(() => all().filter(({ word }) => word === "end").length === 3 * PAIRS, 20_000);
    // Within a process, lines stay in order. Of two processes, the instants decide.
    for (const n of sources.keys()) {
      const starts = all().filter(({ word, rest }) => word === "start" && rest[0]?.endsWith(`-${n}`));
      const sorted = starts.toSorted((a, b) => Number(a.rest[2]) - Number(b.rest[2]));
      expect(sorted.map(({ rest: [text, attempt] }) => `${text} ${attempt}`)).toEqual([
        `STOP-${n} 1`,
        `STOP-${n} 2`,
        `START-${n} 1`,
      ]);
      const stops = all().filter(({ word, rest }) => word === "end" && rest[0] === `STOP-${n}`);
      const [stopped, begun] = [Math.max(...stops.map(({ rest }) => Number(rest[2]))), Number(sorted[2]?.rest[2])];
      expect(begun).toBeGreaterThanOrEqual(stopped);
    }
    for (const worker of workers) expect(worker.of("end").length).toBeGreaterThan(0);
  }, 40_000);

  it("starts a message in another process soon after it was acknowledged", async () => {
    const name = nextName();
    const { sms } = router(name, { concurrency: 0 });
    const worker = await started({ name });
    const answeredAt: number[] = [];
    const COUNT = 200;
    for (let n = 0; n < COUNT; n++) {
      await sms.receive(post({ id: `${n}`, source: `${n}`, message: `soon-${n}` }));
      answeredAt.push(performance.timeOrigin + performance.now());
      await waitFor(5);
    }
    await until(() => worker.of("start").length === COUNT, 10_000);
    const delays = worker
      .of("start")
      .map(({ rest: [text = "", , at] }) => Number(at) - (answeredAt[Number(text.slice(5))] ?? 0))
      .sort((a, b) => a - b);
    const [p50 = 0, p99 = 0] = [0.5, 0.99].map((part) => delays[Math.floor(part * COUNT)]);
    console.log(
      `From the answer to the handler in another process: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    );
    // Without notifications, the median would be half of 200 ms.
    expect(p50).toBeLessThan(50);
  }, 40_000);

  it("takes over the messages of a killed process, and counts their attempt", async () => {
    const name = nextName();
    const receiver = router(name, { concurrency: 0 });
    const worker = await started({ name, leaseMs });
    await receiver.sms.receive(post({ message: "waits" }));
    await until(() => worker.of("start").length === 1);
    await worker.end();
    const { sms } = router(name);
    const attempts: number[] = [];
    sms.on("message", (_message, { attempt }) => attempts.push(attempt));
    await until(() => attempts.length === 1, 10_000);
    expect(attempts).toEqual([2]);
  }, 30_000);

  it("makes a dead letter of a message that ends its process in each attempt, and reports it", async () => {
    const name = nextName();
    const receiver = router(name, { concurrency: 0 });
    const { message } = await receiver.sms.receive(post({ message: "waits" }));
    for (let n = 0; n < 2; n++) {
      const worker = await started({ name, leaseMs, attempts: 2 });
      await until(() => worker.of("start").length === 1, 10_000);
      await worker.end();
    }
    const pool = new Pool({ connectionString: server.url });
    ended.push(() => pool.end());
    const last = recorder({ inbox: postgresInbox({ pool, name, leaseMs, attempts: 2 }) });
    ended.push(() => last.sms.close());
    await until(() => last.errors.length > 0, 10_000);
    expect(last.errors).toMatchObject([
      { event: "inbox", smsMessage: message, attempt: 2, cause: { code: "KALEYRA_SMS_CUT_SHORT" } },
    ]);
    expect(await receiver.inbox.deadLetters()).toMatchObject([{ message, attempts: 2 }]);
    expect(last.messages).toEqual([]);
  }, 40_000);

  it("leaves a message to the process that took it over, whatever the thawed one says of it", async () => {
    const name = nextName();
    const receiver = router(name, { concurrency: 0 });
    const frozen = await started({ name, leaseMs });
    await receiver.sms.receive(post({ source: "1", message: "waits" }));
    await until(() => frozen.of("start").length === 1);
    await freeze(frozen.pid);
    const { sms, inbox } = router(name);
    const finish = deferred();
    const attempts: number[] = [];
    sms.on("message", ({ source }, { attempt }) => {
      if (source !== "1") return undefined;
      attempts.push(attempt);
      return finish.promise;
    });
    await until(() => attempts.length === 1, 10_000);
    thaw(frozen.pid);
    frozen.tell({ finish: "waits" });
    frozen.tell({ send: JSON.stringify(callback({ source: "2", message: "next" })) });
    await until(() => frozen.of("stored").length === 1, 10_000);
    await waitFor(200);
    expect(await inbox.stats()).toMatchObject({ running: 1, delayed: 0, dead: 0 });
    finish.resolve();
    await until(async () => (await inbox.stats()).running === 0);
    expect(attempts).toEqual([2]);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, delayed: 0, dead: 0 });
  }, 30_000);

  it("does not handle a message that another process has forgotten while it waits for a handler", async () => {
    const name = nextName();
    const first = router(name, { concurrency: 1 });
    const { promise, resolve } = deferred();
    first.sms.on("message", ({ text }) => (text === "waits" ? promise : undefined));
    await first.sms.receive(post({ source: "911111111111", message: "waits" }));
    await until(() => first.messages.length === 1);
    await first.sms.receive(post({ source: "912222222222", message: "forgotten" }));
    await first.sms.receive(post({ source: "911111111111", message: "after" }));
    const second = router(name, { concurrency: 0 });
    expect(await second.inbox.forget("912222222222")).toBe(1);
    resolve();
    await until(() => first.messages.length === 2);
    expect(first.messages.map(({ text }) => text)).toEqual(["waits", "after"]);
  }, 20_000);

  describe("of messages that a process holds, to run them next,", () => {
    /** Stores one message that ends at once, and others that run until they are asked to end. */
    const withStored = async (name: string, count: number) => {
      const receiver = router(name, { concurrency: 0 });
      const texts = ["quick", ...Array.from({ length: count }, (_, n) => `waits${n + 1}`)];
      const keys = new Map<string, string>();
      for (const [n, message] of texts.entries())
        keys.set(
          message,
          (await receiver.sms.receive(post({ source: `91987650000${n}`, message }))).message?.key ?? "",
        );
      const rows = async (): Promise<unknown[]> => {
        const found = await server.query(
          `SELECT key, state, attempts FROM express_kaleyra_sms.sms_message
           WHERE inbox = (SELECT id FROM express_kaleyra_sms.sms_inbox WHERE name = '${name}') ORDER BY seq`,
        );
        const textOf = new Map(Array.from(keys, ([text, key]) => [key, text]));
        return found.map(({ key, state, attempts }) => [textOf.get(String(key)), state, attempts]);
      };
      return { ...receiver, keys, rows };
    };
    const [HELD, WAITING, RUNNING] = [-1, 0, 1];
    /** A process that runs the first of those that wait, and holds two. */
    const holding = async (name: string, rows: () => Promise<unknown[]>, options = {}): Promise<Process> => {
      const worker = await started({ name, leaseMs, concurrency: 1, backoffMs: 20, ...options });
      await until(() => worker.of("start").some(({ rest }) => rest[0] === "waits1"), 10_000);
      expect(await rows()).toMatchObject([
        ["waits1", RUNNING, 1],
        ["waits2", HELD, 0],
        ["waits3", HELD, 0],
        ["waits4", WAITING, 0],
      ]);
      return worker;
    };

    it("counts and shows only those as running that run", async () => {
      const name = nextName();
      const { inbox, keys, rows } = await withStored(name, 4);
      await holding(name, rows);
      expect(await inbox.stats()).toMatchObject({ running: 1, waiting: 3 });
      expect((await inbox.stats()).oldestWaitingMs).toBeGreaterThan(0);
      expect(await inbox.get(keys.get("waits2") ?? "")).toMatchObject({ state: "waiting", attempts: 0 });
    }, 30_000);

    it("counts one attempt at each of them if it ends: it may have started", async () => {
      const name = nextName();
      const { rows, inbox, keys } = await withStored(name, 4);
      const worker = await holding(name, rows, { attempts: 1 });
      worker.tell({ finish: "waits1" });
      await until(async () => (await inbox.get(keys.get("waits2") ?? ""))?.state === "running");
      await worker.end();
      const { sms, messages } = router(name);
      const attempts: unknown[] = [];
      sms.on("message", ({ text }, { attempt }) => attempts.push([text, attempt]));
      await until(() => messages.length === 3, 10_000);
      await until(async () => (await inbox.stats()).running === 0);
      // The attempt at waits2 was cut short: this process gives it another one. The other two were held.
      expect(attempts.sort()).toEqual([
        ["waits2", 2],
        ["waits3", 2],
        ["waits4", 2],
      ]);
    }, 30_000);

    it("counts the attempt at one that ends its process before the database knows of its start", async () => {
      const name = nextName();
      const { rows } = await withStored(name, 4);
      const worker = await holding(name, rows);
      worker.tell({ cutOff: true });
      worker.tell({ finish: "waits1" });
      await until(() => worker.of("start").some(({ rest }) => rest[0] === "waits2"));
      expect(await rows()).toContainEqual(["waits2", HELD, 0]);
      await worker.end();
      const { sms } = router(name, { concurrency: 1 });
      const end = deferred();
      ended.push(() => end.resolve());
      sms.on("message", () => end.promise);
      await until(async () => (await rows()).every((row) => !JSON.stringify(row).includes(`${HELD},`)), 10_000);
      expect(await rows()).toMatchObject([
        ["waits1", WAITING, 1],
        ["waits2", WAITING, 1],
        ["waits3", WAITING, 1],
        ["waits4", RUNNING, 1],
      ]);
    }, 30_000);

    it("runs what it took to run, before what it holds", async () => {
      const name = nextName();
      const { sms, inbox, messages } = router(name, { concurrency: 1 });
      const [end, last] = [deferred(), deferred()];
      ended.push(() => last.resolve());
      sms.on("message", async ({ text }) => {
        if (text !== "first") return last.promise;
        await end.promise;
        // It comes in the turn in which the first one ends: the next one of that source is held.
        void sms.receive(post({ source: "2", message: "other" }));
      });
      await sms.receive(post({ id: "1", source: "1", message: "first" }));
      await until(() => messages.length === 1);
      const { message: next } = await sms.receive(post({ id: "2", source: "1", message: "next" }));
      end.resolve();
      await until(() => messages.length === 2);
      expect(messages.map(({ text }) => text)).toEqual(["first", "other"]);
      expect(await inbox.get(messages[1]?.key ?? "")).toMatchObject({ state: "running", attempts: 1 });
      expect(await inbox.get(next?.key ?? "")).toMatchObject({ state: "waiting", attempts: 0 });
    }, 30_000);

    it("says of one that it has started that it runs, though nothing else is to be written", async () => {
      const name = nextName();
      const { inbox, keys } = await withStored(name, 4);
      // With one connection it is not notified: it looks more often than it renews its lease.
      const pool = new Pool({ connectionString: server.url, max: 1 });
      ended.push(() => pool.end());
      const { sms, messages } = recorder({ inbox: postgresInbox({ pool, name, leaseMs: 2_000 }), concurrency: 1 });
      const end = deferred();
      ended.push(() => sms.close());
      ended.push(() => end.resolve());
      sms.on("message", async ({ text }) => {
        if (text === "quick") return;
        if (text !== "waits1") return end.promise;
        await new Promise(setImmediate);
        // Until its lease has ended: the round that renews it has the end of this one, and not yet the next start.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_100);
      });
      await until(() => messages.some(({ text }) => text === "waits2"), 10_000);
      const isRunning = async () => (await inbox.get(keys.get("waits2") ?? ""))?.state === "running";
      await until(isRunning);
      expect(await inbox.get(keys.get("waits2") ?? "")).toMatchObject({ attempts: 1 });
    }, 30_000);

    it("holds none that has had an attempt", async () => {
      const name = nextName();
      const { rows, keys } = await withStored(name, 4);
      await server.query(
        `UPDATE express_kaleyra_sms.sms_message SET attempts = 1 WHERE key = '${keys.get("waits2")}'
           AND inbox = (SELECT id FROM express_kaleyra_sms.sms_inbox WHERE name = '${name}')`,
      );
      const worker = await started({ name, leaseMs, concurrency: 1 });
      await until(() => worker.of("start").some(({ rest }) => rest[0] === "waits1"), 10_000);
      expect(await rows()).toMatchObject([
        ["waits1", RUNNING, 1],
        ["waits2", WAITING, 1],
        ["waits3", HELD, 0],
        ["waits4", WAITING, 0],
      ]);
    }, 30_000);

    it("does not start one that another process has forgotten", async () => {
      const name = nextName();
      const { inbox, rows } = await withStored(name, 4);
      const worker = await holding(name, rows);
      expect(await inbox.forget("919876500002")).toBe(1);
      expect(await inbox.stats()).toMatchObject({ running: 1 });
      worker.tell({ finish: "waits1" });
      await until(() => worker.of("start").some(({ rest }) => rest[0] === "waits3"));
      expect(worker.of("start").map(({ rest }) => rest[0])).toEqual(["quick", "waits1", "waits3"]);
      await until(async () => !(await rows()).some((row) => JSON.stringify(row).includes("waits2")));
    }, 30_000);

    it("gives them back if they wait for long, and another process runs them", async () => {
      const name = nextName();
      const { rows } = await withStored(name, 4);
      await holding(name, rows);
      const idle = await started({ name, leaseMs, concurrency: 3 });
      await until(() => idle.of("start").length === 3, 5_000);
      const starts = idle.of("start").map(({ rest: [text, attempt] }) => `${text} ${attempt}`);
      expect(starts.sort()).toEqual(["waits2 1", "waits3 1", "waits4 1"]);
    }, 30_000);

    it("gives them back in their place", async () => {
      const name = nextName();
      const { rows } = await withStored(name, 4);
      const worker = await holding(name, rows);
      const isGivenBack = async () => !JSON.stringify(await rows()).includes(`${HELD},0`);
      await until(isGivenBack);
      expect(await rows()).toMatchObject([
        ["waits1", RUNNING, 1],
        ["waits2", WAITING, 0],
        ["waits3", WAITING, 0],
        ["waits4", WAITING, 0],
      ]);
      worker.tell({ finish: "waits1" });
      await until(() => worker.of("start").length === 3);
      expect(worker.of("start").map(({ rest }) => rest[0])).toEqual(["quick", "waits1", "waits2"]);
    }, 30_000);

    it("tries one again only after backoffMs if it fails before the database knows of its start", async () => {
      const name = nextName();
      const { rows } = await withStored(name, 4);
      const pool = new Pool({ connectionString: server.url });
      ended.push(() => pool.end());
      const inbox = postgresInbox({ pool, name, leaseMs, backoffMs: 600_000 });
      const { sms, messages } = recorder({ inbox, concurrency: 1 });
      ended.push(() => sms.close());
      sms.on("message", ({ text }) => {
        if (text === "quick") return;
        // While more come, the next one has started and failed before a round says of either.
        if (text === "waits1") more(20);
        throw new Error("fails");
      });
      const more = (turns: number): void => {
        void sms.receive(post({ id: `more ${turns}`, source: `${turns}`, message: "quick" }));
        if (turns > 0) setImmediate(() => more(turns - 1));
      };
      await until(async () => (await inbox.stats()).delayed === 4);
      expect(messages.filter(({ text }) => text !== "quick")).toHaveLength(4);
      expect((await rows()).slice(0, 4)).toEqual([1, 2, 3, 4].map((n) => [`waits${n}`, WAITING, 1]));
    }, 30_000);

    it("gives them back when it closes", async () => {
      const name = nextName();
      const { inbox, rows } = await withStored(name, 4);
      const { sms } = router(name, { concurrency: 1 });
      const end = deferred();
      sms.on("message", ({ text }) => (text === "quick" ? undefined : end.promise));
      await until(async () => (await rows()).some((row) => JSON.stringify(row).includes(`${HELD},0`)));
      const closed = sms.close();
      await until(async () => !(await rows()).some((row) => JSON.stringify(row).includes(`${HELD},0`)));
      expect(await inbox.stats()).toMatchObject({ running: 1, waiting: 3 });
      end.resolve();
      await closed;
      expect(await rows()).toMatchObject([
        ["waits2", WAITING, 0],
        ["waits3", WAITING, 0],
        ["waits4", WAITING, 0],
      ]);
    }, 30_000);
  });

  it("finds the messages of other processes although nobody is notified, as behind a pooler", async () => {
    const name = nextName();
    // As PgBouncer does in transaction mode, the answer comes and the notifications do not.
    class Unheard extends Client {
      override emit(event: string | symbol, ...values: unknown[]): boolean {
        return event === "notification" ? false : super.emit(event, ...(values as []));
      }
    }
    const pool = new Pool({ connectionString: server.url, Client: Unheard });
    ended.push(() => pool.end());
    // It has noticed, and does not listen any more.
    const noticed = new Promise((resolve) => pool.once("remove", resolve));
    const worker = recorder({ inbox: postgresInbox({ pool, name }) });
    ended.push(() => worker.sms.close());
    const { sms } = router(name, { concurrency: 0 });
    await noticed;
    const began = performance.now();
    // Each comes just after it has looked: looking once a second, as where it is notified, would take four seconds.
    for (let n = 1; n <= 4; n++) {
      await sms.receive(post({ source: `${n}` }));
      await until(() => worker.messages.length === n);
    }
    expect(performance.now() - began).toBeLessThan(2_000);
  }, 20_000);
});
