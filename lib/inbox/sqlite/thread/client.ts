// The file in a thread of its own: sends it what is to be read and written, and starts it again if it ends.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import { codedError, invalidOption } from "../../../base/errors.js";
import { emitWarning } from "../../../base/process-warning.js";
import { isRecord } from "../../../base/record.js";
import { nameOf } from "../../../base/thrown.js";
import type { Lease } from "../../rounds/engine.js";
import type { Backend, Changes, Operations } from "../backend.js";
import type { Batch, BatchResult, TakenState } from "../batch.js";
import { descriptorOf, isStillAt } from "../file.js";
import { unwrittenLease } from "../processes.js";
import type { SqliteInboxSettings } from "../sqlite-options.js";
import { RECEIVE, receivedError, type Beginning, type Calls, type Reply, type SentResults } from "./wire.js";

/** In a bundle, this is the folder of the bundle, or nothing at all. */
const FILE = typeof __dirname === "string" ? join(__dirname, "sqlite-thread.js") : "";

/** The pause after the second end of the thread, in milliseconds. After the first there is none; it doubles with each. */
const PAUSE_MS = 100;
const MAX_PAUSE_MS = 10_000;
/** For how long a thread must have worked, so that its end counts as the first one, in milliseconds. */
const STEADY_MS = 60_000;
/** Closing gives the thread up when it has not answered for so long, in milliseconds: its disk may hang. */
const HANGING_MS = 10_000;
/** For how long a message that runs according to the file may start without asking whether it was forgotten. */
const FRESH_MS = 100;

let hasWarned = false;

/**
 * Whether the thread's file is there. Warns if it is not.
 *
 * @throws TypeError if this process may not start threads
 */
export function canRunThread(): boolean {
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  if (permission?.has("worker") === false)
    throw invalidOption(
      "options.thread of sqliteInbox needs a thread, which this process may not start: " +
        "run Node with --allow-worker, or set thread: false.",
    );
  if (existsSync(FILE)) return true;
  hasWarned ||= emitWarning("KALEYRA_SMS_NO_THREAD");
  return false;
}

interface Pending {
  /** By the monotonic clock. */
  readonly since: number;
  readonly resolve: (reply: { readonly result: unknown; readonly at: number }) => void;
  readonly reject: (error: Error) => void;
}

type SentResult<Name extends keyof Calls> = Name extends keyof SentResults
  ? SentResults[Name]
  : Awaited<ReturnType<Calls[Name]>>;

export class ThreadBackend implements Backend {
  readonly #settings: SqliteInboxSettings;
  readonly #path: string;
  readonly #changes: Changes;
  /** The process's own descriptor of the file. */
  readonly #descriptor: number;
  #worker: Worker | undefined;
  /** Resolves when the thread has ended, or is given up. */
  #over: Promise<void> = Promise.resolve();
  #resolveOver = (): void => undefined;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #startedAt = -Infinity;
  /** How often it has ended, without working steadily in between. */
  #ends = 0;
  /** Why the thread has ended, and until when it is not started again. */
  #end: { readonly error: Error; readonly until: number } | undefined;
  /** An end that failed no call: it is reported with the next round. */
  #unreported: Error | undefined;
  #lease: Lease = unwrittenLease();
  /** When the last round was committed, in milliseconds since the epoch. */
  #committedAt = -Infinity;
  #watchdog: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param path - of the inbox's file, which is there */
  constructor(settings: SqliteInboxSettings, path: string, changes: Changes) {
    this.#settings = settings;
    this.#path = path;
    this.#changes = changes;
    this.#descriptor = descriptorOf(path);
    this.#start();
  }

  async write(batch: Batch): Promise<BatchResult> {
    // The thread needs all of them only to release what it does not know.
    const known = batch.isUncertain ? batch.known : batch.known.slice(0, 1);
    const { result, at } = await this.#ask("write", { ...batch, known });
    const written = RECEIVE.write(result);
    this.#committedAt = at;
    this.#lease = written.lease;
    const failure = this.#unreported;
    this.#unreported = undefined;
    return failure === undefined ? written : { failure, ...written };
  }

  /** A held message may be forgotten at any time. One that runs, according to the file, may just as well have begun. */
  gone(rows: readonly TakenState[]): readonly number[] | Promise<readonly number[]> {
    const age = Date.now() - this.#committedAt;
    if (age >= 0 && age < FRESH_MS && !rows.some(({ isHeld }) => isHeld)) return [];
    const asked = rows.map(({ seq, owner, isHeld }) => ({ seq, owner, isHeld }));
    return this.#ask("gone", asked).then(({ result }) => result);
  }

  readonly operations: Operations = {
    stats: async () => (await this.#ask("stats")).result,
    deadLetters: async (limit, after) => RECEIVE.deadLetters((await this.#ask("deadLetters", limit, after)).result),
    get: async (key) => RECEIVE.get((await this.#ask("get", key)).result),
    replay: async (key) => (await this.#ask("replay", key)).result,
    replayAll: async () => (await this.#ask("replayAll")).result,
    discard: async (key) => (await this.#ask("discard", key)).result,
    forget: async (source) => (await this.#ask("forget", source)).result,
    countOf: async (source) => (await this.#ask("countOf", source)).result,
  };

  closing(): void {
    this.#watchdog ??= setInterval(() => this.#giveUpIfHanging(), HANGING_MS / 10).unref();
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    const closed = worker === undefined ? undefined : this.#ask("close");
    this.#isClosed = true;
    await closed?.catch(() => undefined);
    const impatient = setTimeout(() => {
      if (worker !== undefined) this.#giveUp(worker);
    }, HANGING_MS);
    await this.#over;
    clearTimeout(impatient);
    clearInterval(this.#watchdog);
  }

  #ask<Name extends keyof Calls>(
    name: Name,
    ...args: Parameters<Calls[Name]>
  ): Promise<{ readonly result: SentResult<Name>; readonly at: number }> {
    return new Promise((resolve, reject) => {
      const worker = this.#running();
      const id = ++this.#lastId;
      // While an answer is to come, the process must not end.
      if (this.#pending.size === 0) worker.ref();
      this.#pending.set(id, {
        since: performance.now(),
        // It was this call's result in the thread.
        resolve: ({ result, at }) => resolve({ result: result as SentResult<Name>, at }),
        reject,
      });
      worker.postMessage({ id, name, args });
    });
  }

  /** @throws Error if the inbox is closed, or the thread has just ended */
  #running(): Worker {
    if (this.#isClosed) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
    if (this.#worker !== undefined) return this.#worker;
    if (this.#end !== undefined && performance.now() < this.#end.until) throw this.#end.error;
    return this.#start();
  }

  /** @throws Error if the file is gone or another one: what waits is not in it */
  #start(): Worker {
    if (!isStillAt(this.#path, this.#descriptor)) throw codedError("KALEYRA_SMS_INBOX_FILE_LOST");
    const beginning: Beginning = {
      settings: this.#settings,
      descriptor: this.#descriptor,
      lease: this.#lease,
    };
    const worker = new Worker(FILE, {
      name: "express-kaleyra-sms: sqliteInbox",
      workerData: beginning,
      // Under Yarn's Plug'n'Play, no module is found without the hook that the app was started with.
      ...(process.versions.pnp === undefined ? OWN_START() : {}),
    });
    let why: string | undefined;
    let failure: Error | undefined;
    worker.on("message", (reply: Reply) => {
      if ("failed" in reply) failure = receivedError(reply.failed);
      else this.#received(worker, reply);
    });
    worker.on("error", (error: unknown) => (why = reasonOf(error)));
    worker.on("exit", (code) => {
      this.#ended(worker, failure ?? codedError("KALEYRA_SMS_INBOX_THREAD_ENDED", { why: why ?? `exit code ${code}` }));
    });
    // Last: a listener of messages keeps the process alive.
    worker.unref();
    this.#over = new Promise((resolve) => (this.#resolveOver = resolve));
    this.#worker = worker;
    this.#startedAt = performance.now();
    return worker;
  }

  #received(worker: Worker, reply: Exclude<Reply, { readonly failed: unknown }>): void {
    if ("change" in reply) {
      if (reply.change === "wake") this.#changes.wake();
      else this.#changes.forget(reply.source);
      return;
    }
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) worker.unref();
    if ("error" in reply) pending?.reject(receivedError(reply.error));
    else pending?.resolve(reply);
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const now = performance.now();
    this.#ends = now - this.#startedAt >= STEADY_MS ? 1 : this.#ends + 1;
    const pauseMs = this.#ends === 1 ? 0 : Math.min(PAUSE_MS * 2 ** (this.#ends - 2), MAX_PAUSE_MS);
    this.#end = { error, until: now + pauseMs };
    const pending = Array.from(this.#pending.values());
    this.#pending.clear();
    if (pending.length === 0) this.#unreported = error;
    for (const { reject } of pending) reject(error);
    this.#resolveOver();
  }

  #giveUpIfHanging(): void {
    const [oldest] = this.#pending.values();
    const worker = this.#worker;
    if (worker === undefined || oldest === undefined || performance.now() - oldest.since < HANGING_MS) return;
    this.#giveUp(worker);
  }

  /** Does not wait for its end: while the thread waits for the disk, nothing can end it. */
  #giveUp(worker: Worker): void {
    const error = codedError("KALEYRA_SMS_INBOX_THREAD_ENDED", { why: "it did not answer" });
    void worker.terminate();
    worker.unref();
    this.#ended(worker, error);
    this.#end = { error, until: Infinity };
  }
}

/**
 * How a thread is started that has nothing of the app's: loaders, a debugger or a test runner have no business there. The
 * process itself has already emitted Node's warning that its driver is experimental.
 */
const OWN_START = () => ({
  execArgv: ["--disable-warning=ExperimentalWarning", ...FINDING.filter(isGiven)],
  env: { ...process.env, NODE_OPTIONS: "" },
});

/** Flags on which it depends which driver is found. Node before 22.13 has none of its own without the first. */
const FINDING = ["--experimental-sqlite", "--preserve-symlinks"];
const isGiven = (flag: string): boolean =>
  process.execArgv.includes(flag) || (process.env.NODE_OPTIONS ?? "").split(" ").includes(flag);

/** Node's code of an error, or its class and place: its text may contain what was sent. */
function reasonOf(error: unknown): string {
  const { code } = isRecord(error) ? error : {};
  return typeof code === "string" && /^ERR_[A-Z_]+$/.test(code) ? code : nameOf(error);
}
