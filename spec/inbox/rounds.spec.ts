// The loop that engines with rounds share: what goes into a round, what comes of one that fails or whose answer is lost,
// and how it ends. The engine is one in memory that fails on demand.

import { afterEach, describe, expect, it, jest } from "@jest/globals";
import type { SmsMessage } from "express-kaleyra-sms";

import type { Engine, Explanation, Round, Written } from "../../dist/inbox/rounds/engine";
import { RoundWorker } from "../../dist/inbox/rounds/worker";
import { deferred } from "../support/recorder";
import { until } from "./waiting";

type Work = Parameters<RoundWorker["start"]>[0];
type Outcome = Awaited<ReturnType<Work["handle"]>>;

interface Row {
  readonly seq: number;
  readonly message: SmsMessage;
  attempts: number;
  owner: number | undefined;
  isDead: boolean;
}

/** What happens to a round: it fails, its answer is lost, or it takes its time. */
type Fate = (commit: () => Written) => Written | Promise<Written>;

class Failure extends Error {
  constructor(readonly explanation: Omit<Explanation, "error">) {
    super("failed");
  }
}

const fails: Fate = () => {
  throw new Failure({ isBrief: false, isUnwritten: true });
};
const failsBriefly: Fate = () => {
  throw new Failure({ isBrief: true, isUnwritten: true });
};
const isLost: Fate = (commit) => {
  commit();
  throw new Failure({ isBrief: false, isUnwritten: false });
};
/** Not written, but nobody knows. */
const isUnknown: Fate = () => {
  throw new Failure({ isBrief: false, isUnwritten: false });
};

const LEASE_MS = 600;

/** The rows, and what one process does with them. */
class MemoryEngine implements Engine {
  readonly lookMs = 60_000;
  readonly rounds: Round[] = [];
  /** The fates of the next rounds. */
  fates: Fate[] = [];
  readonly #rows: Row[];
  readonly #owner: number;
  readonly #attempts: number;

  constructor(rows: Row[], { owner = 1, attempts = 1 } = {}) {
    this.#rows = rows;
    this.#owner = owner;
    this.#attempts = attempts;
  }

  write(round: Round): Written | Promise<Written> {
    this.rounds.push(round);
    const fate = this.fates.shift() ?? ((commit) => commit());
    return fate(() => this.#commit(round));
  }

  gone(): ReadonlySet<never> {
    return new Set();
  }

  explain(error: unknown): Explanation {
    if (!(error instanceof Failure)) throw error;
    return { error, ...error.explanation };
  }

  #commit({ arrivals, ended, known, isUncertain, free, spare }: Round): Written {
    for (const { entry, outcome } of ended) {
      const row = this.#rows.find(({ seq, owner }) => seq === entry.seq && owner === entry.owner);
      if (row === undefined) continue;
      row.owner = undefined;
      if (outcome.outcome === "handled") this.#rows.splice(this.#rows.indexOf(row), 1);
      // Not counted down or up: the same outcome may be written again.
      else if (outcome.outcome === "released") row.attempts = entry.attempts - 1;
      else row.isDead = (row.attempts = entry.attempts) >= this.#attempts;
    }
    for (const row of isUncertain ? this.#rows : []) {
      if (row.owner !== this.#owner || known.includes(row.seq) || ended.some(({ entry }) => entry.seq === row.seq))
        continue;
      row.owner = undefined;
      row.attempts--;
    }
    const stored = arrivals.map((message) => {
      if (this.#rows.some((row) => row.message.key === message.key)) return "duplicate";
      add(this.#rows, message);
      return "stored";
    });
    const taken = this.#startable().slice(0, free + spare);
    for (const row of taken) {
      row.owner = this.#owner;
      row.attempts++;
    }
    const owner = this.#owner;
    return {
      stored,
      entries: taken.map(({ seq, message, attempts }) => ({ seq, message, attempts, owner, isHeld: false })),
      deadLetters: [],
      hasUnreadable: false,
      lease: { owner, until: Date.now() + LEASE_MS },
      due: this.#startable().length > 0 ? Date.now() : Infinity,
    };
  }

  /** Of each source, the first message, unless it runs. */
  #startable(): Row[] {
    const living = this.#rows.filter(({ isDead }) => !isDead);
    const heads = living.filter(
      ({ message }, n) => living.findIndex((row) => row.message.source === message.source) === n,
    );
    return heads.filter(({ owner }) => owner === undefined);
  }
}

let seqs = 0;
function add(rows: Row[], message: SmsMessage): void {
  rows.push({ seq: ++seqs, message, attempts: 0, owner: undefined, isDead: false });
}

const message = (key: string, source = key): SmsMessage => ({ key, source }) as SmsMessage;
const signal = new AbortController().signal;

interface Options {
  readonly owner?: number;
  readonly attempts?: number;
}

const closing: Array<() => Promise<void>> = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const close of closing.splice(0)) await close().catch(() => undefined);
});

/** A worker that has not started, and what it handled and reported. */
function process(rows: Row[], options: Options = {}) {
  const engine = new MemoryEngine(rows, options);
  const worker = new RoundWorker(engine, { attempts: options.attempts ?? 1, leaseMs: LEASE_MS });
  const handled: Array<readonly [key: string, attempt: number]> = [];
  const errors: unknown[] = [];
  const start = (handle: () => Outcome | Promise<Outcome> = () => ({ outcome: "handled" }), concurrency = 4): void =>
    worker.start({
      concurrency,
      handle: ({ key }, { attempt }) => {
        handled.push([key, attempt]);
        return handle();
      },
      failed: (cause) => errors.push(cause),
    });
  const store = (key: string, source?: string): Promise<string> => worker.store(message(key, source), signal);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= worker.close());
  closing.push(close);
  return { engine, handled, errors, start, store, close };
}

const keys = (round: Round | undefined): string[] => round?.arrivals.map(({ key }) => key) ?? [];

describe("a round", () => {
  it("has everything that came in a turn, in order, and the next one what came while it was written", async () => {
    const { engine, store } = process([]);
    const isWritten = deferred();
    engine.fates = [(commit) => isWritten.promise.then(commit)];
    const first = [store("1"), store("2"), store("1")];
    await until(() => engine.rounds.length === 1);
    const second = [store("3"), store("2")];
    isWritten.resolve();
    expect(await Promise.all(first)).toEqual(["stored", "stored", "duplicate"]);
    expect(await Promise.all(second)).toEqual(["stored", "duplicate"]);
    expect(engine.rounds.map(keys)).toEqual([
      ["1", "2", "1"],
      ["3", "2"],
    ]);
  });

  it("waits while more comes in each turn, and for 5 ms at most", async () => {
    const { engine, store } = process([]);
    let now = 0;
    jest.spyOn(performance, "now").mockImplementation(() => now);
    const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const stored: Array<Promise<string>> = [];
    for (const at of [0, 1, 4.9, 5, 5]) {
      now = at;
      stored.push(store(`${at} ${stored.length}`));
      await nextTurn();
    }
    await Promise.all(stored);
    expect(engine.rounds.map((round) => round.arrivals.length)).toEqual([4, 1]);
  });

  it("takes as many messages as can run, and the first of each source first", async () => {
    const rows: Row[] = [];
    for (const [key, source] of ["1a", "1b", "2a", "3a"].entries()) add(rows, message(`${key}`, source[0]));
    const { engine, handled, start } = process(rows);
    const ends: Array<() => void> = [];
    start(() => new Promise((resolve) => ends.push(() => resolve({ outcome: "handled" }))), 2);
    await until(() => handled.length === 2);
    expect(handled).toEqual([
      ["0", 1],
      ["2", 1],
    ]);
    ends[0]?.();
    await until(() => handled.length === 3);
    expect(handled.at(-1)).toEqual(["1", 1]);
    expect(engine.rounds.map(({ free }) => free)).toEqual([2, 1]);
    for (const end of ends) end();
  });
});

describe("holding messages to run them next", () => {
  it("has no more than twice of what ended in a round, however long it goes on", async () => {
    const rows: Row[] = [];
    for (let key = 0; key < 20; key++) add(rows, message(`${key}`));
    const { handled, start } = process(rows);
    const ends: Array<() => void> = [];
    start(() => new Promise((resolve) => ends.push(() => resolve({ outcome: "handled" }))), 2);
    for (let n = 0; n < 10; n++) {
      await until(() => handled.length === n + 2);
      ends[n]?.();
      await until(() => rows.length === 19 - n);
      expect(rows.filter(({ owner }) => owner !== undefined).length).toBeLessThanOrEqual(4);
    }
    for (const end of ends) end();
  });
});

describe("a round that fails", () => {
  it("rejects what came, with the error for users", async () => {
    const { engine, store } = process([]);
    engine.fates = [fails];
    await expect(store("1")).rejects.toBeInstanceOf(Failure);
    expect(await store("1")).toBe("stored");
  });

  it("keeps what came, and reports nothing, if the failure is brief", async () => {
    const { engine, store, errors, start } = process([]);
    start();
    engine.fates = [failsBriefly, failsBriefly];
    expect(await store("1")).toBe("stored");
    expect(engine.rounds.map(keys).filter(([key]) => key === "1")).toHaveLength(3);
    expect(errors).toEqual([]);
  });

  it("is tried again after twice the time, up to a sixth of a lease, and reported once a second", async () => {
    const { engine, errors, start } = process([]);
    const delays = jest.spyOn(globalThis, "setTimeout");
    engine.fates = Array.from({ length: 7 }, () => fails);
    start();
    await until(() => engine.rounds.length === 8);
    expect(delays.mock.calls.map(([, ms]) => ms).slice(0, 7)).toEqual([10, 20, 40, 80, 100, 100, 100]);
    expect(errors).toHaveLength(1);
  });
});

describe("a round whose answer is lost", () => {
  it("counts no attempt: what it took is taken again, and handled once", async () => {
    const rows: Row[] = [];
    add(rows, message("1"));
    const { engine, handled, start } = process(rows);
    engine.fates = [isLost];
    start();
    await until(() => rows.length === 0);
    expect(handled).toEqual([["1", 1]]);
    expect(engine.rounds.map(({ isUncertain }) => isUncertain).slice(0, 3)).toEqual([false, true, false]);
  });

  it("is made good for although later rounds fail, too", async () => {
    const rows: Row[] = [];
    add(rows, message("1"));
    const { engine, handled, start } = process(rows);
    engine.fates = [isLost, fails, isUnknown, failsBriefly];
    start();
    await until(() => rows.length === 0);
    expect(handled).toEqual([["1", 1]]);
  });

  it("writes no outcome twice", async () => {
    const rows: Row[] = [];
    add(rows, message("1"));
    const { engine, handled, start } = process(rows, { attempts: 2 });
    engine.fates = [(commit) => commit(), isLost];
    start(() => (handled.length === 1 ? { outcome: "failed", reason: "Error" } : { outcome: "handled" }));
    await until(() => rows.length === 0);
    expect(handled).toEqual([
      ["1", 1],
      ["1", 2],
    ]);
  });
});

describe("closing", () => {
  it.each([
    ["", []],
    [", though that fails at first", [fails, isUnknown, failsBriefly]],
  ])("gives back what a round took whose answer is lost%s", async (_case, later) => {
    const rows: Row[] = [];
    add(rows, message("1"));
    const { engine, close, handled, start } = process(rows);
    const answer = deferred();
    engine.fates = [(commit) => answer.promise.then(() => isLost(commit)), ...later];
    start();
    await until(() => engine.rounds.length === 1);
    const closed = close();
    answer.resolve();
    await closed;
    expect(rows).toMatchObject([{ owner: undefined, attempts: 0 }]);
    const next = process(rows, { owner: 2 });
    next.start();
    await until(() => rows.length === 0);
    expect([...handled, ...next.handled]).toEqual([["1", 1]]);
  });

  it("rejects with the failure if that does not succeed in time", async () => {
    const { engine, close, start, store } = process([]);
    engine.fates = Array.from({ length: 200 }, () => isUnknown);
    start();
    await until(() => engine.rounds.length === 1);
    await expect(close()).rejects.toBeInstanceOf(Failure);
    const rounds = engine.rounds.length;
    await expect(store("1")).rejects.toMatchObject({ code: "KALEYRA_SMS_INBOX_CLOSED" });
    expect(engine.rounds).toHaveLength(rounds);
  });

  it("writes nothing more if no round can have taken anything", async () => {
    const { engine, close, start, store } = process([]);
    engine.fates = [isUnknown, fails, fails];
    // It only receives.
    await expect(store("1")).rejects.toBeInstanceOf(Failure);
    expect(engine.rounds).toHaveLength(1);
    engine.fates.shift();
    start();
    await until(() => engine.rounds.length === 2);
    await close();
    expect(engine.rounds).toHaveLength(2);
  });

  it("gives back what comes of the round that is being written, and waits for what runs", async () => {
    const rows: Row[] = [];
    for (const key of ["1", "2"]) add(rows, message(key));
    const { engine, close, handled, start } = process(rows);
    const [isWritten, isHandled] = [deferred(), deferred()];
    engine.fates = [(commit) => commit(), (commit) => isWritten.promise.then(commit)];
    start(() => isHandled.promise.then(() => ({ outcome: "handled" as const })), 1);
    await until(() => handled.length === 1);
    isHandled.resolve();
    await until(() => engine.rounds.length === 2);
    const closed = close();
    isWritten.resolve();
    await closed;
    expect(handled).toEqual([["1", 1]]);
    expect(rows).toMatchObject([{ message: { key: "2" }, owner: undefined, attempts: 0 }]);
  });
});
