// Failures of Redis: only stored messages are acknowledged, nothing hangs, and the inbox works again when Redis does.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { Queue } from "bullmq";
import type { OperableInbox, InboxAttempt, SmsMessage } from "express-kaleyra-sms";
import { bullmqInbox, type BullmqInboxOptions } from "express-kaleyra-sms/bullmq";
import { Redis } from "ioredis";

import { post } from "../../support/callbacks";
import { freePort } from "../../support/free-port";
import { deferred, recorder } from "../../support/recorder";
import { describeWithRedis, redisServer, type RedisServer } from "../../support/redis";
import { until, waitFor } from "../waiting";

/** Texts that no error, log line or key may contain. */
const SECRETS = ["the secret text", "919876500000"];
const secret = (id?: string) => post({ message: SECRETS[0], source: SECRETS[1], ...(id === undefined ? {} : { id }) });

const ended: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

describe("options", () => {
  it.each([
    ["an open client", () => new Redis({ lazyConnect: true }), "no open client"],
    ["nothing", () => undefined, "takes a URL"],
    ["a host", () => "localhost:6379", "takes a URL"],
    ["a number", () => 6379, "takes a URL"],
    ["an array", () => [{ host: "localhost" }], "takes a URL"],
    ["a keyPrefix", () => ({ keyPrefix: "sms:" }), "takes no keyPrefix"],
  ])("reject %s as connection", (_case, connection, text) => {
    const given = { connection: connection() } as BullmqInboxOptions;
    expect(() => bullmqInbox(given)).toThrow(TypeError);
    expect(() => bullmqInbox(given)).toThrow(text);
  });

  it.each(["", "a:b", 1])("reject %j as name", (name) => {
    const given = { connection: "redis://localhost", name } as BullmqInboxOptions;
    expect(() => bullmqInbox(given)).toThrow(TypeError);
    expect(() => bullmqInbox(given)).toThrow("options.name of bullmqInbox");
  });

  it("include those of every inbox", () => {
    expect(() => bullmqInbox({ connection: "redis://localhost", attempts: 0 })).toThrow("options.attempts");
    expect(() => bullmqInbox({ connection: "redis://localhost", prefix: "x" } as BullmqInboxOptions)).toThrow(
      "options.prefix is not an option",
    );
  });
});

describeWithRedis("bullmqInbox", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await redisServer();
  });
  afterAll(() => redis.remove());

  let queues = 0;
  let name = "";
  /** A router on a queue. Without a name, the queue is a new one. */
  const router = (
    options: Partial<BullmqInboxOptions> = {},
    others: Parameters<typeof recorder>[0] = {},
  ): ReturnType<typeof recorder> & { inbox: OperableInbox } => {
    name = options.name ?? `failing-${++queues}`;
    const inbox = bullmqInbox({ connection: `redis://127.0.0.1:${redis.port}`, name, backoffMs: 20, ...options });
    const recorded = recorder({ inbox, storeTimeoutMs: 300, ...others });
    ended.push(() => recorded.sms.close());
    return { ...recorded, inbox };
  };
  type Router = ReturnType<typeof router>;

  /** An inbox that is not started, and the message that waits in it. */
  const received = async (): Promise<Router & { message: SmsMessage | undefined }> => {
    const recorded = router({ attempts: 2 }, { concurrency: 0 });
    const { message } = await recorded.sms.receive(secret());
    return { ...recorded, message };
  };

  /** Waits until the inbox stores again. */
  const recovered = ({ sms }: Router): Promise<void> =>
    until(async () => (await sms.receive(post())).outcome === "stored", 10_000);

  /** Waits until no message waits, runs or is delayed. */
  const idle = (inbox: OperableInbox): Promise<void> =>
    until(async () => {
      const { waiting, running, delayed } = await inbox.stats();
      return waiting + running + delayed === 0;
    }, 10_000);

  /** Expects that callbacks are answered 503 soon. */
  const refused = async ({ sms }: Router): Promise<void> => {
    const began = performance.now();
    const receipts = await Promise.all(Array.from({ length: 20 }, () => sms.receive(secret())));
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(receipts).toHaveLength(20);
    for (const { status, outcome, body } of receipts) {
      expect({ status, outcome }).toEqual({ status: 503, outcome: "failed" });
      expect(body).toContain('"not-stored"');
    }
  };

  const keepsSecrets = ({ errors, lines }: Router): void => {
    const told = inspect([errors.map(({ cause }) => cause), lines], { depth: Infinity, showHidden: true });
    for (const word of SECRETS) expect(told).not.toContain(word);
  };

  /** Everything that Redis stores. */
  const kept = async (): Promise<string> => {
    const keys = (await redis.command("KEYS", "*")) as string[];
    const read = async (key: string): Promise<unknown> => {
      switch (await redis.command("TYPE", key)) {
        case "hash":
          return redis.command("HGETALL", key);
        case "zset":
          return redis.command("ZRANGE", key, 0, -1);
        case "stream":
          return redis.command("XRANGE", key, "-", "+");
        default:
          return key;
      }
    };
    return inspect(await Promise.all(keys.map(read)), { depth: Infinity, maxArrayLength: null });
  };

  describe("with Redis away", () => {
    afterEach(() => redis.start());

    it("answers 503 from the start, and works when Redis has started", async () => {
      await redis.stop();
      const recorded = router();
      await refused(recorded);
      expect(recorded.errors[0]).toMatchObject({ event: "inbox", cause: { code: "KALEYRA_SMS_INBOX_UNREACHABLE" } });
      keepsSecrets(recorded);
      await redis.start();
      await recovered(recorded);
      await until(() => recorded.messages.length > 0, 10_000);
    }, 20_000);

    it("answers 503 during outages under load, and handles every acknowledged message", async () => {
      const recorded = router({ leaseMs: 500 });
      const { sms, messages } = recorded;
      const answered = new Set<string>();
      let isOver = false;
      const send = async (n: number): Promise<void> => {
        for (let count = 0; !isOver; count++) {
          const id = `${n} ${count}`;
          if ((await sms.receive(secret(id))).status === 200) answered.add(id);
          await waitFor(1);
        }
      };
      const sending = Promise.all(Array.from({ length: 10 }, (_, n) => send(n)));
      for (let n = 0; n < 3; n++) {
        await waitFor(200);
        await redis.stop();
        await waitFor(100);
        await refused(recorded);
        await redis.start();
        await recovered(recorded);
      }
      isOver = true;
      await sending;
      const isHandled = (): boolean => {
        const handled = new Set(messages.map(({ id }) => id));
        return Array.from(answered).every((id) => handled.has(id));
      };
      try {
        await until(isHandled, 10_000);
      } catch (cause) {
        const { inbox } = recorded;
        const reasons = (await inbox.deadLetters()).map(({ reason }) => reason);
        throw new Error(`Not handled: ${JSON.stringify([await inbox.stats(), reasons])}`, { cause });
      }
      expect(answered.size).toBeGreaterThan(100);
      keepsSecrets(recorded);
    }, 60_000);

    it("waits for Redis as long as the caller does", async () => {
      const { sms } = router({}, { storeTimeoutMs: 5_000 });
      await redis.stop();
      const receipt = sms.receive(post());
      await redis.start();
      expect(await receipt).toMatchObject({ outcome: "stored" });
    }, 20_000);

    it("emits error about once a second while it cannot take messages", async () => {
      const { errors } = router();
      await until(() => redis.command("PING").then(Boolean));
      await redis.stop();
      await until(() => errors.length > 1, 10_000);
      expect(errors.length).toBeLessThan(4);
      expect(errors[0]).toMatchObject({ event: "inbox", smsMessage: undefined, final: false });
      expect(errors.map(({ cause }) => (cause as { code: string }).code)).toContain("KALEYRA_SMS_INBOX_UNREACHABLE");
      expect(errors.map(({ cause }) => String(cause)).join()).toContain("ECONNREFUSED");
    }, 20_000);

    it("rejects the calls of its methods, and closes", async () => {
      const { sms, inbox } = router();
      await inbox.stats();
      await redis.stop();
      const ask = (): Array<Promise<unknown>> => [
        inbox.stats(),
        inbox.deadLetters(),
        inbox.get("1"),
        inbox.replay("1"),
        inbox.discard("1"),
        inbox.replayAll(),
        inbox.forget("1"),
      ];
      for (const asked of ask()) await expect(asked).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_UNREACHABLE" });
      await sms.close();
      for (const asked of ask()) await expect(asked).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
    }, 20_000);
  });

  it("says that it is closed to a call that closing cuts off", async () => {
    const { inbox } = router();
    await inbox.stats();
    const asked = inbox.forget("1");
    void inbox.close();
    await expect(asked).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
  });

  describe("with a Redis that accepts and never answers", () => {
    afterEach(() => redis.resume());

    it("rejects the calls of its methods after some seconds", async () => {
      const { inbox } = router();
      await inbox.stats();
      redis.pause();
      const ask = [inbox.stats(), inbox.deadLetters(), inbox.get("1"), inbox.discard("1"), inbox.replayAll()];
      for (const asked of [...ask, inbox.replay("1"), inbox.forget("1")])
        await expect(asked).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_UNREACHABLE" });
    }, 20_000);

    it("answers 503, and works when Redis does", async () => {
      const recorded = router();
      await recovered(recorded);
      redis.pause();
      for (let n = 0; n < 3; n++) await refused(recorded);
      redis.resume();
      await recovered(recorded);
      keepsSecrets(recorded);
    }, 20_000);

    it("answers 503 from the start, and works when Redis does", async () => {
      redis.pause();
      const recorded = router();
      await refused(recorded);
      redis.resume();
      await recovered(recorded);
      await until(() => recorded.messages.length > 0, 10_000);
    }, 20_000);

    it("replaces the connection, and works on the new one", async () => {
      const recorded = router();
      await recovered(recorded);
      redis.pause();
      await refused(recorded);
      await waitFor(5_500);
      await refused(recorded);
      redis.resume();
      await recovered(recorded);
    }, 30_000);

    it("closes although messages run", async () => {
      const { sms } = router({}, { handlerTimeoutMs: 100 });
      const started = deferred();
      sms.on("message", () => {
        started.resolve();
        return new Promise(() => undefined);
      });
      await sms.receive(post());
      await started.promise;
      redis.pause();
      const began = performance.now();
      await sms.close();
      expect(performance.now() - began).toBeLessThan(6_000);
    }, 20_000);
  });

  it("stores a message again if Redis has written only half of it", async () => {
    const { sms, messages, inbox } = router();
    // BullMQ's list of waiting jobs has the wrong type.
    await redis.command("SET", `bull:${name}:wait`, "1");
    const sent = post();
    expect(await sms.receive(sent)).toMatchObject({ outcome: "failed", status: 503 });
    await redis.command("DEL", `bull:${name}:wait`);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored", status: 200 });
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate", status: 200 });
    await until(() => messages.length === 1);
    await until(async () => (await inbox.stats()).running === 0);
  });

  it("answers 503 while Redis is full, and works when it has room", async () => {
    const recorded = router();
    await recovered(recorded);
    await redis.command("CONFIG", "SET", "maxmemory", 1_000_000);
    try {
      await refused(recorded);
      expect(recorded.errors.map(({ cause }) => String(cause)).join()).toContain("refused a command: OOM.");
    } finally {
      await redis.command("CONFIG", "SET", "maxmemory", 0);
    }
    await recovered(recorded);
    keepsSecrets(recorded);
  }, 20_000);

  it("handles, retries, replays and takes over messages while Redis is full", async () => {
    const dies = join(__dirname, "dies.cjs");
    const receiver = router({ attempts: 2, leaseMs: 200 }, { concurrency: 0 });
    const held = await receiver.sms.receive(post({ message: "held" }));
    const child = spawn(process.execPath, [dies, `${redis.port}`, name, "200"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    for (let n = 0; n < 100; n++) await receiver.sms.receive(post({ message: "works" }));
    for (const message of ["once", "always"]) await receiver.sms.receive(post({ message }));
    await redis.command("CONFIG", "SET", "maxmemory", 1_000_000);
    try {
      await refused(receiver);
      const { sms, inbox, messages } = router({ name, leaseMs: 200, attempts: 2 }, { concurrency: 4 });
      sms.on("message", ({ text }, { attempt }) => {
        if (text === "always" || (text === "once" && attempt === 1)) throw new Error("no");
      });
      await until(async () => {
        const { waiting, running, delayed, dead } = await inbox.stats();
        return waiting + running + delayed === 0 && dead === 1;
      }, 10_000);
      const count = (wanted: string): number => messages.filter(({ text }) => text === wanted).length;
      expect(["works", "held", "once", "always"].map(count)).toEqual([100, 1, 2, 2]);
      expect(messages).toContainEqual(held.message);
      expect(await inbox.replayAll()).toBe(1);
      await until(async () => count("always") === 4 && (await inbox.stats()).dead === 1);
      expect(await inbox.forget(held.message?.source ?? "")).toBe(1);
      await refused(receiver);
    } finally {
      await redis.command("CONFIG", "SET", "maxmemory", 0);
    }
  }, 30_000);

  it("keeps less than 200 bytes of a handled message", async () => {
    await redis.command("FLUSHALL");
    const { sms, messages, inbox } = router();
    const handle = async (count: number): Promise<number> => {
      const until = messages.length + count;
      while (messages.length < until) {
        await Promise.all(Array.from({ length: 200 }, () => sms.receive(post())));
        await idle(inbox);
      }
      const memory = String(await redis.command("INFO", "memory"));
      return Number(/^used_memory:(\d+)/m.exec(memory)?.[1]);
    };
    // The first messages also fill BullMQ's stream of events, up to its maximum length.
    const before = await handle(5_000);
    expect(((await handle(5_000)) - before) / 5_000).toBeLessThan(200);
  }, 60_000);

  it("answers 503 while Redis is a replica, and works when it is a primary again", async () => {
    const recorded = router();
    await recovered(recorded);
    await redis.command("REPLICAOF", "127.0.0.1", await freePort());
    try {
      await refused(recorded);
    } finally {
      await redis.command("REPLICAOF", "NO", "ONE");
    }
    await recovered(recorded);
    keepsSecrets(recorded);
  }, 20_000);

  describe("with a Redis that cannot save, and refuses to write", () => {
    afterEach(() => redis.accept());

    it("answers 503 at once, and works when it writes again", async () => {
      const recorded = router({}, { storeTimeoutMs: 30_000 });
      await recovered(recorded);
      await redis.refuse();
      await refused(recorded);
      expect(recorded.errors.map(({ cause }) => String(cause)).join()).toContain("refused a command: MISCONF.");
      await redis.accept();
      await recovered(recorded);
      keepsSecrets(recorded);
    }, 20_000);
  });

  it("closes while it cannot write an outcome", async () => {
    const { sms } = router();
    const started = deferred();
    const { promise: end, resolve } = deferred();
    sms.on("message", () => {
      started.resolve();
      return end;
    });
    await sms.receive(post());
    await started.promise;
    await redis.refuse();
    try {
      resolve();
      const began = performance.now();
      await sms.close();
      expect(performance.now() - began).toBeLessThan(6_000);
    } finally {
      await redis.accept();
    }
  }, 20_000);

  it.each(["cannot save", "is a replica"])(
    "does not handle messages again that ended while Redis %s, and counts a failed attempt once",
    async (why) => {
      const { sms, inbox, errors } = router({ leaseMs: 300, attempts: 3 }, { concurrency: 4 });
      const runs: string[] = [];
      const { promise: end, resolve } = deferred();
      sms.on("message", async ({ text = "" }, { attempt }) => {
        runs.push(`${text} ${attempt}`);
        await end;
        if (text.startsWith("fails") && attempt < 3) throw new Error("no");
      });
      const texts = ["fails 1", "fails 2", "works 1", "works 2"];
      for (const message of texts) await sms.receive(post({ message }));
      await until(() => runs.length === 4);
      if (why === "cannot save") await redis.refuse();
      else await redis.command("REPLICAOF", "127.0.0.1", await freePort());
      try {
        resolve();
        await until(() => errors.filter(({ event }) => event === "message").length === 2);
        // All leases are over, and other workers would take over.
        await until(async () => ((await redis.command("KEYS", `bull:${name}:*:lock`)) as string[]).length === 0);
        await waitFor(300);
      } finally {
        if (why === "cannot save") await redis.accept();
        else await redis.command("REPLICAOF", "NO", "ONE");
      }
      await idle(inbox);
      const retried = ["fails 1", "fails 2"].flatMap((text) => [`${text} 1`, `${text} 2`, `${text} 3`]);
      expect(runs.sort()).toEqual([...retried, "works 1 1", "works 2 1"]);
      expect(await inbox.deadLetters()).toEqual([]);
    },
    30_000,
  );

  it("removes keys after retentionMs, some with each handled message", async () => {
    const { sms, inbox } = router({ retentionMs: 1 });
    const all = (): Promise<unknown> => redis.command("ZCARD", `bull:${name}:sms:done`);
    for (let n = 0; n < 30; n++) await sms.receive(post());
    await idle(inbox);
    for (let n = 0; n < 3; n++) await sms.receive(post());
    await idle(inbox);
    expect(await all()).toBeLessThan(5);
  });

  it("handles a message once that comes to several routers again and again while it is handled", async () => {
    const others = { concurrency: 8, storeTimeoutMs: 5_000 };
    const first = router({}, others);
    const routers = [first, router({ name }, others)];
    const outcomes: string[] = [];
    const again = async (n: number): Promise<void> => {
      const sent = post();
      const send = async (): Promise<void> => {
        for (let count = 0; count < 5; count++) {
          const to = routers[(n + count) % 2];
          outcomes.push((await to?.sms.receive(sent))?.outcome ?? "");
        }
      };
      await Promise.all([send(), send()]);
    };
    for (let n = 0; n < 10; n++) await Promise.all(Array.from({ length: 50 }, (_, count) => again(count)));
    await idle(first.inbox);
    const count = (wanted: string): number => outcomes.filter((outcome) => outcome === wanted).length;
    expect(["stored", "duplicate"].map(count)).toEqual([500, 4_500]);
    const handled = routers.flatMap(({ messages }) => messages.map(({ key }) => key));
    expect(handled).toHaveLength(500);
    expect(new Set(handled).size).toBe(500);
  }, 30_000);

  it("does not handle a message again whose process lost its lease before it removed the job", async () => {
    const first = router();
    const sent = post();
    const { message } = await first.sms.receive(sent);
    await idle(first.inbox);
    await first.sms.close();
    const queue = new Queue(name, { connection: { host: "127.0.0.1", port: redis.port } });
    ended.push(() => queue.close());
    // As such a process leaves it: the key is kept, and the job has stalled.
    const jobId = `sms-${message?.key ?? ""}`;
    await queue.add("sms", { key: message?.key, message }, { jobId, removeOnComplete: true });
    await redis.command("HSET", queue.toKey(jobId), "stc", 1);
    const second = router({ name });
    await idle(second.inbox);
    expect(second.messages).toEqual([]);
    expect(await second.sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
  });

  it.each(["", ", after its last attempt"])(
    "keeps the result of a message that ends after another process took it over%s",
    async (last) => {
      const { sms, inbox, messages } = router({ attempts: 1, leaseMs: 60_000 }, { concurrency: 1 });
      const started = deferred();
      const { promise: end, resolve } = deferred();
      sms.on("message", () => {
        started.resolve();
        return end;
      });
      const { message } = await sms.receive(post());
      await started.promise;
      // As BullMQ does in another process when the lease has run out.
      const [id, key] = [`sms-${message?.key ?? ""}`, `bull:${name}:`];
      await redis.command("DEL", `${key}${id}:lock`);
      await redis.command("LREM", `${key}active`, 1, id);
      await redis.command("HINCRBY", `${key}${id}`, "stc", 1);
      if (last !== "") await redis.command("HSET", `${key}${id}`, "defa", "job stalled more than allowable limit");
      await redis.command("RPUSH", `${key}wait`, id);
      await redis.command("ZADD", `${key}marker`, 0, "0");
      resolve();
      await idle(inbox);
      expect(messages).toHaveLength(1);
      expect(await inbox.deadLetters()).toEqual([]);
      expect(await redis.command("EXISTS", `${key}${id}`)).toBe(0);
    },
  );

  it("writes the result of a message before the handlers of others have ended that compute", async () => {
    const { sms, inbox } = router({}, { concurrency: 4 });
    const ends: number[] = [];
    let running = 0;
    const { promise: allRun, resolve } = deferred();
    sms.on("message", async () => {
      if (++running === 4) resolve();
      await allRun;
      // All timers are due in one turn of the event loop.
      await waitFor(20);
      for (const end = Date.now() + 50; Date.now() < end;);
      ends.push(Date.now());
    });
    await Promise.all(Array.from({ length: 4 }, () => sms.receive(post())));
    await idle(inbox);
    const events = (await redis.command("XRANGE", `bull:${name}:events`, "-", "+")) as Array<[string, string[]]>;
    const completed = events.filter(([, fields]) => fields.includes("completed")).map(([at]) => parseInt(at));
    expect(completed).toHaveLength(4);
    expect(Math.min(...completed)).toBeLessThan(Math.max(...ends));
  });

  it("stores a message once that comes to two routers at once", async () => {
    const first = router({}, { storeTimeoutMs: 5_000 });
    const second = router({ name }, { storeTimeoutMs: 5_000 });
    for (let n = 0; n < 100; n++) {
      const sent = post();
      const receipts = await Promise.all([first.sms.receive(sent), second.sms.receive(sent)]);
      expect(receipts.map(({ outcome }) => outcome).sort()).toEqual(["duplicate", "stored"]);
    }
  }, 20_000);

  it("revives a dead letter once if its callback comes to two routers at once", async () => {
    const first = router({ attempts: 1 });
    const second = router({ name, attempts: 1 }, { concurrency: 0 });
    first.sms.on("message", () => Promise.reject(new Error("no")));
    const sent = post();
    await first.sms.receive(sent);
    await until(async () => (await first.inbox.stats()).dead === 1);
    const third = router({ name }, { concurrency: 0 });
    await first.sms.close();
    const receipts = await Promise.all([second, third].map(({ sms }) => sms.receive(sent)));
    expect(receipts.map(({ outcome }) => outcome).sort()).toEqual(["duplicate", "stored"]);
    expect(await second.inbox.stats()).toMatchObject({ waiting: 1, dead: 0 });
  });

  it("uses `attempts` and `backoffMs` of the process that stored the message", async () => {
    const receiver = router({ attempts: 3, backoffMs: 5 }, { concurrency: 0 });
    const { sms, errors } = router({ name, attempts: 1, backoffMs: 60_000 });
    sms.on("message", () => Promise.reject(new Error("no")));
    await receiver.sms.receive(post());
    await until(() => errors.length === 3);
    expect(errors.map(({ attempt, final }) => [attempt, final])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
  });

  it("keeps only the key of a handled message, for retentionMs", async () => {
    await redis.command("FLUSHALL");
    const { sms, messages, inbox } = router({ retentionMs: 300 });
    const sent = secret();
    await sms.receive(sent);
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "duplicate" });
    const all = await kept();
    expect(all).toContain(messages[0]?.key);
    for (const word of SECRETS) expect(all).not.toContain(word);
    await waitFor(300);
    expect(await sms.receive(sent)).toMatchObject({ outcome: "stored" });
    await until(() => messages.length === 2);
  });

  it("keeps no text of a message that is forgotten while it runs, and does not retry it", async () => {
    await redis.command("FLUSHALL");
    const { sms, messages, inbox } = router();
    const started = deferred();
    const { promise, reject } = deferred();
    sms.on("message", () => {
      started.resolve();
      return promise;
    });
    const { message } = await sms.receive(secret());
    await started.promise;
    expect(await inbox.forget(message?.source ?? "")).toBe(1);
    reject(new Error(SECRETS[0]));
    await until(async () => {
      const { waiting, running, delayed } = await inbox.stats();
      return waiting + running + delayed === 0;
    });
    const all = await kept();
    for (const word of SECRETS) expect(all).not.toContain(word);
    expect(messages).toHaveLength(1);
    expect(await inbox.deadLetters()).toEqual([]);
    expect(await inbox.forget(message?.source ?? "")).toBe(0);
  });

  it("replays the dead letters behind many jobs that are not messages", async () => {
    await redis.command("FLUSHALL");
    const { sms, inbox } = router({ attempts: 1 }, { concurrency: 50 });
    let isBroken = true;
    sms.on("message", () => {
      if (isBroken) throw new Error("no");
    });
    const queue = new Queue(name, { connection: { host: "127.0.0.1", port: redis.port } });
    ended.push(() => queue.close());
    await queue.addBulk(Array.from({ length: 600 }, () => ({ name: "other", data: {} })));
    await until(async () => (await inbox.stats()).dead === 600);
    await sms.receive(post());
    await until(async () => (await inbox.stats()).dead === 601);
    isBroken = false;
    expect(await inbox.replayAll()).toBe(1);
    await until(async () => (await inbox.stats()).dead === 600);
  }, 20_000);

  it("knows the duplicates of forgotten messages at every moment", async () => {
    await redis.command("FLUSHALL");
    const { sms, inbox } = router({}, { concurrency: 0 });
    const sent = Array.from({ length: 200 }, () => secret());
    const [first] = await Promise.all(sent.map((each) => sms.receive(each)));
    const outcomes = new Set<string>();
    let isForgotten = false;
    const sendAgain = async (): Promise<void> => {
      while (!isForgotten) for (const each of sent) outcomes.add((await sms.receive(each)).outcome);
    };
    const sending = [sendAgain(), sendAgain()];
    const forgotten = await inbox.forget(first?.message?.source ?? "");
    isForgotten = true;
    expect(forgotten).toBe(200);
    await Promise.all(sending);
    expect([...outcomes]).toEqual(["duplicate"]);
    expect(await inbox.stats()).toMatchObject({ waiting: 0 });
  });

  it("leaves forgotten and handled messages in Redis's append-only file until BGREWRITEAOF", async () => {
    const { sms, inbox, messages } = router({ attempts: 1 });
    sms.on("message", ({ text }) => {
      if (text === "the text that fails") throw new Error("no");
    });
    const texts = ["the text that fails", "the text that works"];
    for (const message of texts) await sms.receive(post({ source: "918888888888", message }));
    await until(async () => messages.length === 2 && (await inbox.stats()).dead === 1);
    await idle(inbox);
    expect(await inbox.forget("+918888888888")).toBe(1);
    const stands = (): string[] => ["918888888888", ...texts].filter((word) => redis.written().includes(word));
    expect(stands()).toEqual(["918888888888", ...texts]);
    await redis.command("BGREWRITEAOF");
    const isRewritten = "aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0";
    await until(async () => String(await redis.command("INFO", "persistence")).includes(isRewritten));
    await until(() => stands().length === 0);
  });

  it("fails a foreign job once, and reports it without its content", async () => {
    const { sms, errors, messages, inbox } = router({ leaseMs: 200 });
    await recovered({ sms } as Router);
    await until(() => messages.length === 1);
    const queue = new Queue(name, { connection: { host: "127.0.0.1", port: redis.port } });
    ended.push(() => queue.close());
    await queue.add("other", { text: SECRETS[0] }, { attempts: 3 });
    await queue.add("other", { key: 1, message: { key: 1, text: SECRETS[0] } });
    const message = { key: "k", parts: [], fields: {}, text: SECRETS[0] };
    await queue.add("other", { key: "k", message }, { jobId: "sms-k" });
    await queue.pause();
    await queue.add("other", {}, { jobId: "no-json" });
    await redis.command("HSET", queue.toKey("no-json"), "data", SECRETS[0] ?? "");
    await queue.resume();
    await until(async () => (await inbox.stats()).dead === 4);
    expect(errors.map(({ cause }) => (cause as { code: string }).code)).toEqual(
      Array.from({ length: 4 }, () => "KALEYRA_SMS_FOREIGN_JOB"),
    );
    const told = inspect(errors, { depth: Infinity });
    for (const word of SECRETS) expect(told).not.toContain(word);
    expect(await inbox.deadLetters()).toEqual([]);
    // They are no dead letters.
    expect(await inbox.replayAll()).toBe(0);
    expect(await inbox.stats()).toMatchObject({ waiting: 0, running: 0, dead: 4 });
    await recovered({ sms } as Router);
    await until(() => messages.length === 2);
    expect(messages).toHaveLength(2);
    expect(errors).toHaveLength(4);
  }, 20_000);

  it.each(["key", "source", "recipient", "receivedAt", "parts", "fields"])(
    "fails a message whose stored text lacks %s, and does not hand it out",
    async (property) => {
      const receiver = router({}, { concurrency: 0 });
      const { message } = await receiver.sms.receive(secret());
      const key = `bull:${name}:sms-${message?.key ?? ""}`;
      const { message: text, ...entry } = JSON.parse(String(await redis.command("HGET", key, "data"))) as {
        message: Record<string, unknown>;
      };
      expect(text).toHaveProperty(property);
      Reflect.deleteProperty(text, property);
      await redis.command("HSET", key, "data", JSON.stringify({ ...entry, message: text }));
      const { errors, messages, inbox } = router({ name });
      await until(async () => (await inbox.stats()).dead === 1);
      expect(errors).toMatchObject([{ event: "inbox", cause: { code: "KALEYRA_SMS_FOREIGN_JOB" } }]);
      expect(messages).toEqual([]);
      expect(await inbox.deadLetters()).toEqual([]);
    },
  );

  it.each(["throws", "rejects"])(
    "counts an attempt as failed if work.handle %s, and does not keep the text of the error",
    async (how) => {
      await redis.command("FLUSHALL");
      const { sms, inbox, message } = await received();
      const failures: unknown[][] = [];
      const fail = (): never => {
        throw new RangeError(SECRETS.join());
      };
      const attempts: InboxAttempt[] = [];
      const handle = (_message: SmsMessage, attempt: InboxAttempt): Promise<never> => {
        attempts.push(attempt);
        return how === "throws" ? fail() : Promise.resolve().then(fail);
      };
      await inbox.start({ concurrency: 1, handle, failed: (...failure) => failures.push(failure) });
      await until(async () => (await inbox.stats()).dead === 1);
      expect(attempts).toEqual([
        { attempt: 1, final: false },
        { attempt: 2, final: true },
      ]);
      const letters = await inbox.deadLetters();
      expect(letters).toMatchObject([{ attempts: 2, reason: expect.stringMatching(/^RangeError at .+:\d+:\d+$/) }]);
      expect(failures.at(-1)).toMatchObject([{ code: "KALEYRA_SMS_HANDLING_FAILED" }, message, 2]);
      for (const [cause] of failures) expect(inspect(cause)).not.toContain(SECRETS[0]);
      // The secrets are only in the dead letter itself, not in its reason.
      expect((await kept()).split(SECRETS.join())).toHaveLength(1);
      await sms.close();
    },
  );

  it("sets a job aside once whose data are JSON but not a message, and reports it", async () => {
    const { errors, messages, inbox } = router();
    const queue = new Queue(name, { connection: { host: "127.0.0.1", port: redis.port } });
    ended.push(() => queue.close());
    const stored = { source: "1", recipient: "2", receivedAt: "3", method: "POST", repaired: false, parts: [] };
    const other = [
      { key: "number", fields: { message: 5 } },
      { key: "part", fields: {}, parts: ["a", 5] },
    ];
    for (const message of other) {
      const entry = { key: message.key, message: { ...stored, ...message } };
      await queue.add("sms", entry, { jobId: `sms-${message.key}`, attempts: 3 });
    }
    await until(async () => (await inbox.stats()).dead === 2);
    expect(errors.map(({ cause }) => (cause as { code: string }).code)).toEqual([
      "KALEYRA_SMS_FOREIGN_JOB",
      "KALEYRA_SMS_FOREIGN_JOB",
    ]);
    expect(messages).toEqual([]);
    expect(await inbox.deadLetters()).toEqual([]);
  });

  it.each([
    ["opts", "{"],
    ["opts", "null"],
    ["ats", "x"],
    ["ats", "9223372036854775807"],
    ["atm", "x"],
    ["atm", "1.5"],
    ["attemptsMade", "x"],
    ["stc", "x"],
    ["progress", "{"],
    ["parent", "{"],
    ["parentKey", "no key"],
    ["rjk", "a:b:c:d:e"],
  ])("handles all messages if the field %s of a job is %j", async (field, value) => {
    const receiver = router({}, { concurrency: 0 });
    const { message } = await receiver.sms.receive(post({ message: "damaged" }));
    await receiver.sms.receive(post({ message: "beside it" }));
    const key = `bull:${name}:sms-${message?.key ?? ""}`;
    await redis.command("HSET", key, field, value);
    const { messages, errors, inbox, sms } = router({ name, leaseMs: 200 }, { concurrency: 2 });
    const attempts: number[] = [];
    sms.on("message", ({ text }, { attempt }) => {
      if (text === "damaged" && attempts.push(attempt) === 1) throw new Error("no");
    });
    await sms.receive(post({ message: "later" }));
    await until(() => messages.length === 4);
    await idle(inbox);
    expect(messages.map(({ text }) => text).sort()).toEqual(["beside it", "damaged", "damaged", "later"]);
    expect(attempts.every(Number.isInteger)).toBe(true);
    expect(errors.filter(({ event }) => event === "message")).toHaveLength(1);
    expect(await redis.command("EXISTS", key)).toBe(0);
  });

  it.each([
    ["opts", "{"],
    ["atm", "x"],
    ["stc", "1.5"],
    ["finishedOn", "never"],
    ["parent", "{"],
  ])("lists and replays all dead letters if the field %s of a job is %j", async (field, value) => {
    const { sms, inbox } = router({ attempts: 2, leaseMs: 200 });
    let isBroken = true;
    const handled: string[] = [];
    sms.on("message", ({ key }) => (isBroken ? Promise.reject(new Error("no")) : void handled.push(key)));
    const sent = [await sms.receive(post()), await sms.receive(post())];
    const keys = sent.map(({ message }) => message?.key);
    await until(async () => (await inbox.stats()).dead === 2);
    await redis.command("HSET", `bull:${name}:sms-${keys[0] ?? ""}`, field, value);
    const letters = await inbox.deadLetters();
    expect(letters.map(({ key }) => key).sort()).toEqual(keys.sort());
    isBroken = false;
    expect(await inbox.replayAll()).toBe(2);
    await until(() => handled.length === 2);
    await idle(inbox);
    expect(handled.sort()).toEqual(keys);
    expect(await inbox.stats()).toMatchObject({ dead: 0 });
  });

  it("makes a dead letter of a message whose process died in each attempt, and reports it", async () => {
    const dies = join(__dirname, "dies.cjs");
    const first = router({ attempts: 2, leaseMs: 200 }, { concurrency: 0 });
    const { message } = await first.sms.receive(post());
    for (let n = 0; n < 2; n++) {
      const child = spawn(process.execPath, [dies, `${redis.port}`, name, "200"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const { errors, messages, inbox } = router({ attempts: 2, leaseMs: 200, name });
    await until(() => errors.length > 0, 10_000);
    expect(errors).toMatchObject([
      { event: "inbox", smsMessage: message, attempt: 2, final: true, cause: { code: "KALEYRA_SMS_CUT_SHORT" } },
    ]);
    expect(messages).toEqual([]);
    const letters = await inbox.deadLetters();
    expect(letters).toMatchObject([{ attempts: 2, reason: "the process ended in each attempt", message }]);
    expect(await inbox.replay(message?.key ?? "")).toBe(1);
    await until(() => messages.length === 1);
  }, 30_000);

  it.each(["there", "away", "silent"])(
    "lets its process end, and prints nothing, if Redis is %s",
    async (state) => {
      const port = state === "away" ? await freePort() : redis.port;
      const child = spawn(process.execPath, [join(__dirname, "dies.cjs"), `${port}`, "ends", "200", "ends"], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      ended.push(() => child.kill("SIGKILL"));
      let printed = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => (printed += text));
      if (state === "silent") redis.pause();
      const [code] = (await once(child, "exit")) as [number | null];
      if (state === "silent") redis.resume();
      expect({ code, printed }).toEqual({ code: 0, printed: "" });
    },
    20_000,
  );
});
