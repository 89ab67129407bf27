// Writes rounds to PostgreSQL: each with one call of a function, which is one round trip and one commit.

import { randomInt } from "node:crypto";

import type { SmsMessage } from "../../callback/message.js";
import type { MaybePromise } from "../../base/maybe-promise.js";
import { CUT_SHORT } from "../attempt.js";
import { backoffAfter } from "../retry.js";
import type { CutShort, Engine, Entry, Explanation, Lease, Round, Written } from "../rounds/engine.js";
import { messageOf as messageOfText, storedText, textOf } from "../stored-message.js";
import { isBrief, isConflict, isOfStatement } from "./failure.js";
import type { Notifications } from "./notifications.js";
import type { PostgresInboxSettings } from "./postgres-options.js";
import { Pruning } from "./pruning.js";
import type { Requests, Row } from "./requests.js";
import { messageOf, rowSource, storedReason } from "./rows.js";
import type { SetUp } from "./set-up.js";
import { STATE, statementsOf } from "./sql.js";
import { Suspects } from "./suspects.js";

/** How often it looks for messages of other processes, in milliseconds, although they would notify it. */
const LOOK_MS = 1_000;
/** How often it looks if notifications do not reach this process, in milliseconds. */
const POLL_MS = 200;
/** When to look again for due messages that another process has locked, in milliseconds. */
const LOCKED_MS = 20;
/** For how long after a message was taken it may start without asking whether it was forgotten, in milliseconds. */
const FRESH_MS = 20;
/** How often a transaction is repeated that another one has ended. */
const MAX_CONFLICTS = 5;
/** The end of the ids of processes. They are drawn at random. */
const MAX_ID = 2 ** 47;

/** How a row that was taken ends without an attempt. */
interface SetAside {
  readonly seq: number;
  readonly owner: number;
  readonly source: string;
  /** `null`: it was forgotten. */
  readonly state: typeof STATE.unreadable | null;
}

export class PostgresEngine implements Engine {
  readonly #requests: Requests;
  readonly #setUp: SetUp;
  readonly #settings: PostgresInboxSettings;
  readonly #notifications: Notifications;
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #pruning: Pruning;
  readonly #suspects: Suspects;
  #owner = randomInt(1, MAX_ID);
  /** The next id, if others take this process for dead. */
  #spare = randomInt(1, MAX_ID);
  #turn = 0;
  #lease: Lease | undefined;
  /** Whether the last round was sent to the server. */
  #isSent = false;
  #due = 0;
  /** The entries of the last round, and until when they may be started without asking. By the monotonic clock. */
  #fresh: { readonly entries: ReadonlySet<Entry>; readonly until: number } = { entries: new Set(), until: 0 };
  #aside: SetAside[] = [];
  /** Dead letters of dead processes that are not reported yet. */
  #deadLetters: CutShort[] = [];

  constructor(requests: Requests, setUp: SetUp, settings: PostgresInboxSettings, notifications: Notifications) {
    this.#requests = requests;
    this.#setUp = setUp;
    this.#settings = settings;
    this.#notifications = notifications;
    this.#statements = statementsOf(settings.schema);
    this.#pruning = new Pruning(requests, this.#statements.prune, settings.retentionMs);
    this.#suspects = new Suspects(settings.leaseMs);
  }

  get lookMs(): number {
    return Math.min(this.#notifications.isArriving ? LOOK_MS : POLL_MS, this.#settings.leaseMs / 4);
  }

  async write(round: Round): Promise<Written> {
    const now = Date.now();
    const isRenewal = round.known.length > 0 && this.#isLeaseOld(now);
    const { arrivals, ended, started } = round;
    const changes = arrivals.length + ended.length + started.length + this.#aside.length;
    const writes = changes > 0 || round.isUncertain || isRenewal;
    if (!writes && round.free + round.spare === 0) return this.#nothing();
    this.#isSent = false;
    try {
      const inbox = await this.#setUp.inbox();
      if (round.isTaking) await this.#takeOver(inbox);
      return await this.#write(inbox, round, writes);
    } catch (error) {
      this.#suspects.failed();
      this.#setUp.failed(error);
      throw error;
    }
  }

  gone(entries: readonly Entry[]): MaybePromise<ReadonlySet<Entry>> {
    const fresh = performance.now() < this.#fresh.until ? this.#fresh.entries : undefined;
    const asked = fresh === undefined ? entries : entries.filter((entry) => !fresh.has(entry));
    return asked.length === 0 ? new Set() : this.#gone(asked);
  }

  explain(error: unknown): Explanation {
    const isUnwritten = !this.#isSent || isOfStatement(error);
    return { error: this.#setUp.errorOf(error), isBrief: isBrief(error), isUnwritten };
  }

  /** Others need not wait until the lease ends. Waits for what still runs. Does not reject. */
  async close(): Promise<void> {
    await this.#pruning.close();
    if (this.#lease === undefined) return;
    const leave = async (owner: number): Promise<unknown> =>
      this.#requests.rows(this.#statements.leave, [await this.#setUp.inbox(), owner]);
    await leave(this.#lease.owner).catch(() => undefined);
  }

  async #write(inbox: number, round: Round, writes: boolean): Promise<Written> {
    const { keys, arrivals, numbers } = distinct(round.arrivals);
    const isOwner = round.free + round.spare > 0 || round.known.length > 0 || round.isUncertain;
    const aside = this.#aside;
    const inspects = round.isTaking && this.#suspects.isDue();
    const values = [
      writes,
      ...this.#endedOf(round, aside),
      keys,
      arrivals.map(({ source }) => rowSource(source)),
      arrivals.map(textOf),
      round.started.map(({ seq }) => seq),
      round.started.map(({ message }) => rowSource(message.source)),
      round.isUncertain ? round.known : null,
      round.free,
      round.spare,
      inspects,
    ];
    let sentAt = 0;
    let freshUntil = 0;
    const rows = await this.#repeated(() => {
      sentAt = Date.now();
      const process = [isOwner ? this.#owner : null, this.#spare, ++this.#turn, this.#settings.leaseMs];
      return this.#requests.withClient((run) => {
        this.#isSent = true;
        // Not from the answer: that may wait long until it is read.
        freshUntil = performance.now() + FRESH_MS;
        return run(this.#statements.round, [inbox, ...process, ...values]);
      });
    });
    this.#aside = this.#aside.filter((one) => !aside.includes(one));
    const found = new Map<unknown, Row[]>();
    for (const row of rows) {
      const known = found.get(row.r_kind);
      if (known === undefined) found.set(row.r_kind, [row]);
      else known.push(row);
    }
    const of = (kind: string): readonly Row[] => found.get(kind) ?? [];
    this.#renew(of("owner"), sentAt);
    if (inspects) this.#suspects.seen(of("expired"), of("lease"));
    const isNew = arrivals.length + round.ended.length > 0;
    this.#plan(of("due"), isNew);
    this.#pruning.prune(inbox);

    const duplicates = new Set(of("duplicate").map(({ r_n }) => Number(r_n)));
    const stored = numbers.map((n) => (n === undefined || duplicates.has(n) ? "duplicate" : "stored"));
    const claimed = of("claimed").flatMap((row) => this.#entryOf(row, arrivals[Number(row.r_n) - 1]));
    const taken = of("taken").flatMap((row) =>
      // Not the arrival: of a dead letter that came again, the message as it came first is kept.
      this.#entryOf(row, messageOf(row.r_key, row.r_source, row.r_body)),
    );
    // Those to run first: otherwise, a held one would start in the place of one of them.
    const entries = [...taken, ...claimed].sort((a, b) => Number(a.isHeld) - Number(b.isHeld));
    this.#fresh = { entries: new Set(entries), until: freshUntil };
    const deadLetters = this.#deadLetters.splice(0);
    const hasUnreadable = this.#aside.some(({ state }) => state !== null);
    if (this.#aside.length > 0) this.#due = 0;
    return { stored, entries, deadLetters, hasUnreadable, lease: this.#lease, due: this.#due };
  }

  /** @param message - `undefined` if the row has none: the next round sets it aside */
  #entryOf(row: Row, message: SmsMessage | undefined): Entry[] {
    const seq = Number(row.r_seq);
    const owner = this.#owner;
    const isHeld = Number(row.r_state) === STATE.held;
    if (message !== undefined) return [{ seq, owner, message, attempts: Number(row.r_attempts), isHeld }];
    const state = row.r_body === null ? null : STATE.unreadable;
    this.#aside.push({ seq, owner, source: String(row.r_source), state });
    return [];
  }

  /** The values of a round that are about ended messages, each in an array. */
  #endedOf({ ended }: Round, aside: readonly SetAside[]): unknown[][] {
    const values: unknown[][] = [[], [], [], [], [], [], []];
    const add = (...one: unknown[]): void => {
      for (const [n, value] of one.entries()) values[n]?.push(value);
    };
    for (const { entry, outcome } of ended) {
      const { seq, owner, attempts, message } = entry;
      const row = [seq, owner, rowSource(message.source)];
      if (outcome.outcome === "handled") add(...row, null, attempts, 0, null);
      else if (outcome.outcome === "released") add(...row, STATE.waiting, attempts - 1, null, null);
      else if (attempts >= this.#settings.attempts) add(...row, STATE.dead, attempts, 0, storedReason(outcome.reason));
      else add(...row, STATE.waiting, attempts, backoffAfter(attempts, this.#settings), null);
    }
    for (const { seq, owner, source, state } of aside) add(seq, owner, source, state, 0, 0, null);
    return values;
  }

  #renew([row]: readonly Row[], sentAt: number): void {
    if (row === undefined) return;
    const owner = Number(row.r_n);
    if (owner === this.#spare) this.#spare = randomInt(1, MAX_ID);
    this.#owner = owner;
    // The server's clock started the lease later than this one.
    this.#lease = { owner, until: sentAt + this.#settings.leaseMs };
  }

  #plan([row]: readonly Row[], isNew: boolean): void {
    const waitMs = row === undefined || row.r_n === null ? Infinity : Number(row.r_n);
    // What this process could have taken, it has. So others have locked it.
    this.#due = Date.now() + Math.max(waitMs, LOCKED_MS);
    if (waitMs <= 0 && isNew) this.#notifications.notify();
  }

  /** Takes over the messages of dead processes. */
  async #takeOver(inbox: number): Promise<void> {
    const dead = this.#suspects.dead();
    if (dead.length === 0) return;
    const { attempts } = this.#settings;
    const values = [dead.map(({ owner }) => owner), dead.map(({ until }) => until), attempts, CUT_SHORT];
    const rows = await this.#repeated(() => this.#requests.rows(this.#statements.takeOver, [inbox, ...values]));
    this.#suspects.takenOver(dead);
    for (const { row_attempts, row_body } of rows) {
      const message = messageOfText(String(row_body));
      if (message !== undefined) this.#deadLetters.push({ message, attempts: Number(row_attempts) });
    }
  }

  async #gone(entries: readonly Entry[]): Promise<ReadonlySet<Entry>> {
    const inbox = await this.#setUp.inbox();
    const owners = Array.from(new Set(entries.map(({ owner }) => owner)));
    const rows = await this.#requests.rows(this.#statements.startable, [inbox, owners]);
    const startable = new Set(rows.map(({ seq, owner }) => `${String(seq)} ${String(owner)}`));
    return new Set(entries.filter(({ seq, owner }) => !startable.has(`${seq} ${owner}`)));
  }

  /** Repeats a transaction that was ended because of another one: it has written nothing. */
  async #repeated(request: () => Promise<Row[]>): Promise<Row[]> {
    for (let conflicts = 1; ; conflicts++) {
      try {
        return await request();
      } catch (error) {
        if (!isConflict(error) || conflicts > MAX_CONFLICTS) throw error;
      }
    }
  }

  #nothing(): Written {
    return { stored: [], entries: [], deadLetters: [], hasUnreadable: false, lease: this.#lease, due: this.#due };
  }

  /** A quarter of it is over. */
  #isLeaseOld(now: number): boolean {
    const { leaseMs } = this.#settings;
    return this.#lease === undefined || this.#lease.until - now < leaseMs * 0.75 || this.#lease.until - now > leaseMs;
  }
}

interface Distinct {
  /** Of each key, the first message. */
  readonly arrivals: readonly SmsMessage[];
  /** Their keys, as the rows have them. */
  readonly keys: readonly string[];
  /** Of each message given, its number among `arrivals`, from 1; `undefined` if one with its key came before. */
  readonly numbers: ReadonlyArray<number | undefined>;
}

function distinct(given: readonly SmsMessage[]): Distinct {
  const first = new Map<string, SmsMessage>();
  const numbers = given.map((message) => {
    const key = storedText(message.key);
    return first.has(key) ? undefined : first.set(key, message).size;
  });
  return { arrivals: Array.from(first.values()), keys: Array.from(first.keys()), numbers };
}
