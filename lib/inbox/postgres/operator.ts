// What an operator calls: each method rejects if the database is out of reach, or the inbox is closed.

import { codedError } from "../../base/errors.js";
import { readLimit, requireString } from "../inbox-options.js";
import type { Inbox, InboxStats } from "../inbox.js";
import type { DeadLetter, InspectedInbox, KeptMessage } from "../operable-inbox.js";
import { storedText } from "../stored-message.js";
import { isConflict } from "./failure.js";
import type { Notifications } from "./notifications.js";
import type { Requests, Row } from "./requests.js";
import { messageOf, rowSource } from "./rows.js";
import type { SetUp } from "./set-up.js";
import { STATE, statementsOf } from "./sql.js";

/** How many dead letters are replayed in one transaction. */
const REPLAY_BATCH = 500;
/** How often a transaction is repeated that another one has ended. */
const MAX_CONFLICTS = 20;

type Statement = keyof ReturnType<typeof statementsOf>;

export class Operator implements Omit<InspectedInbox, keyof Inbox> {
  readonly #requests: Requests;
  readonly #setUp: SetUp;
  readonly #statements: ReturnType<typeof statementsOf>;
  readonly #notifications: Notifications;
  readonly #onReplayed: () => void;
  readonly #onForgotten: (source: string) => void;
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;

  /**
   * @param onReplayed - called when messages may be due
   * @param onForgotten - called when the messages of a source are erased
   */
  constructor(
    requests: Requests,
    setUp: SetUp,
    schema: string,
    notifications: Notifications,
    onReplayed: () => void,
    onForgotten: (source: string) => void,
  ) {
    this.#requests = requests;
    this.#setUp = setUp;
    this.#statements = statementsOf(schema);
    this.#notifications = notifications;
    this.#onReplayed = onReplayed;
    this.#onForgotten = onForgotten;
  }

  async stats(): Promise<InboxStats> {
    const [row] = await this.#rows("stats");
    return {
      waiting: Number(row?.r_waiting),
      running: Number(row?.r_running),
      delayed: Number(row?.r_delayed),
      dead: Number(row?.r_dead),
      oldestWaitingMs: Number(row?.r_age),
    };
  }

  async deadLetters({ limit, after }: Parameters<InspectedInbox["deadLetters"]>[0] = {}): Promise<DeadLetter[]> {
    const pageSize = readLimit(limit);
    if (after !== undefined) requireString("deadLetters({ after })", after);
    const letters: DeadLetter[] = [];
    let last: number | null = null;
    let rows: readonly Row[];
    do {
      const key = after === undefined ? null : storedText(after);
      rows = await this.#rows("letters", key, last, pageSize - letters.length);
      letters.push(...rows.flatMap((row) => letterOf(row) ?? []));
      last = Number(rows.at(-1)?.seq);
    } while (rows.length > 0 && letters.length < pageSize);
    return letters;
  }

  async get(key: string): Promise<KeptMessage | undefined> {
    requireString("get(key)", key);
    const [row] = await this.#rows("get", storedText(key));
    if (row === undefined) return undefined;
    const [state, message] = [stateOf(row), messageOf(row.key, row.source, row.body)];
    if (state === undefined || message === undefined) return undefined;
    const kept = { state, message, attempts: Number(row.attempts) };
    return state === "dead" ? { ...kept, reason: reasonOf(row) } : kept;
  }

  async replay(key: string): Promise<number> {
    requireString("replay(key)", key);
    const [row] = await this.#rows("replay", storedText(key));
    this.#replayed();
    return Number(Object.values(row ?? {})[0]);
  }

  async replayAll(): Promise<number> {
    let replayed = 0;
    let last = 0;
    for (;;) {
      const [row] = await this.#rows("replaySome", last, REPLAY_BATCH);
      replayed += Number(row?.replayed);
      this.#replayed();
      if (row?.last === null || row?.last === undefined) return replayed;
      last = Number(row.last);
    }
  }

  async discard(key: string): Promise<number> {
    requireString("discard(key)", key);
    return (await this.#rows("discard", storedText(key))).length;
  }

  async forget(source: string): Promise<number> {
    requireString("forget(source)", source);
    const [row] = await this.#rows("forget", rowSource(source));
    this.#onForgotten(source);
    return Number(Object.values(row ?? {})[0]);
  }

  async countOf(source: string): Promise<number> {
    requireString("countOf(source)", source);
    const [row] = await this.#rows("countOf", rowSource(source));
    return Number(row?.messages);
  }

  async isUnused(): Promise<boolean> {
    const [row] = await this.#rows("isUnused");
    return Number(row?.unused) === 1;
  }

  /** Waits for the methods that run. Does not reject. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running);
  }

  #replayed(): void {
    this.#onReplayed();
    this.#notifications.notify();
  }

  async #rows(statement: Statement, ...values: unknown[]): Promise<Row[]> {
    if (this.#isClosed) throw codedError("KALEYRA_SMS_INBOX_CLOSED");
    const running = this.#repeated(statement, values);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      this.#setUp.failed(error);
      throw this.#setUp.errorOf(error);
    } finally {
      this.#running.delete(running);
    }
  }

  /** Repeats a transaction that was ended because of another one: it has written nothing. */
  async #repeated(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    for (let conflicts = 1; ; conflicts++) {
      try {
        const inbox = await this.#setUp.inbox();
        return await this.#requests.rows(this.#statements[statement], [inbox, ...values]);
      } catch (error) {
        if (!isConflict(error) || conflicts > MAX_CONFLICTS) throw error;
      }
    }
  }
}

function reasonOf({ reason }: Row): string {
  return typeof reason === "string" ? reason : "unknown";
}

/** `undefined` if the row is unreadable. */
function stateOf({ state, delayed }: Row): KeptMessage["state"] | undefined {
  switch (Number(state)) {
    case STATE.waiting:
      return Number(delayed) === 1 ? "delayed" : "waiting";
    case STATE.behind:
    case STATE.held:
      return "waiting";
    case STATE.running:
      return "running";
    case STATE.dead:
      return "dead";
    default:
      return undefined;
  }
}

/** `undefined` if the row is unreadable. */
function letterOf(row: Row): DeadLetter | undefined {
  const message = messageOf(row.key, row.source, row.body);
  if (message === undefined) return undefined;
  const failedAt = new Date(Number(row.at)).toISOString();
  return { key: message.key, message, attempts: Number(row.attempts), failedAt, reason: reasonOf(row) };
}
