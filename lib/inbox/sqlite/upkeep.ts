// The operator's methods on the tables: what they read and write.

import type { InboxStats } from "../inbox.js";
import type { DeadLetter, KeptMessage } from "../operable-inbox.js";
import { storedSource } from "../stored-message.js";
import { text, type Row } from "./driver.js";
import { messageOf } from "./rows.js";
import { STATE } from "./sql.js";
import type { Statements } from "./statements.js";

export class Upkeep {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Counts the messages in each state. */
  stats(now: number): InboxStats {
    const { waiting, running, delayed, dead, ...oldest } = this.#statements.row("stats", now, now);
    const since = Object.values(oldest).filter((at) => at !== null && Number(at) <= now);
    return {
      waiting: Number(waiting),
      running: Number(running),
      delayed: Number(delayed),
      dead: Number(dead),
      oldestWaitingMs: since.length === 0 ? 0 : now - Math.min(...since.map(Number)),
    };
  }

  /** Lists at most `limit` dead letters, beginning after the one with the key `after`. */
  deadLetters(limit: number, after: string | undefined): DeadLetter[] {
    const letters: DeadLetter[] = [];
    let last = after === undefined ? 0 : (this.#seqOf(after) ?? 0);
    let rows: Row[];
    do {
      rows = this.#statements.rows("letters", last, limit - letters.length);
      letters.push(...rows.flatMap((letter) => letterOf(letter) ?? []));
      last = Number(rows.at(-1)?.seq);
    } while (rows.length > 0 && letters.length < limit);
    return letters;
  }

  get(key: string, now: number): KeptMessage | undefined {
    const seq = this.#seqOf(key);
    const [one] = seq === undefined ? [] : this.#statements.rows("one", seq);
    if (one === undefined) return undefined;
    const [state, message] = [stateOf(one, now), messageOf(one)];
    if (state === undefined || message === undefined) return undefined;
    const kept = { state, message, attempts: Number(one.attempts) };
    return state === "dead" ? { ...kept, reason: reasonOf(one) } : kept;
  }

  /** @returns whether a dead letter has that key */
  discard(key: string, now: number): boolean {
    const seq = this.#seqOf(key);
    if (seq === undefined) return false;
    this.#statements.run("keepKeyOfDead", now, seq);
    return this.#statements.run("discard", seq) === 1;
  }

  /** @returns whether a dead letter has that key */
  replay(key: string, now: number): boolean {
    const seq = this.#seqOf(key);
    return seq !== undefined && this.#statements.run("replay", now, seq) === 1;
  }

  /** Replays messages that were dead letters at the instant `at`. @returns their number, at most `limit` */
  replaySome(limit: number, at: number, now: number): number {
    const dead = this.#statements.rows("oldestDead", at, limit);
    for (const { seq } of dead) this.#statements.run("replay", now, seq);
    return dead.length;
  }

  #seqOf(key: string): number | undefined {
    return this.#statements.rows("seqOf", key).map(({ seq }) => Number(seq))[0];
  }

  /** Counts the messages that `forget` would erase. */
  countOf(source: string): number {
    const stored = storedSource(source);
    return Number(this.#statements.row("countOf", stored, stored).messages);
  }

  /** Erases the messages of a subscriber. @returns their number */
  forget(source: string, now: number): number {
    const stored = storedSource(source);
    this.#statements.run("keepKeysOf", now, stored, stored);
    return this.#statements.run("forget", stored, stored) + this.#statements.run("forgetRunning", stored);
  }
}

function reasonOf({ reason }: Row): string {
  return text(reason) ?? "unknown";
}

/** `undefined` if the row is unreadable. */
function stateOf({ state, at }: Row, now: number): KeptMessage["state"] | undefined {
  switch (Number(state)) {
    case STATE.waiting:
      return Number(at) > now ? "delayed" : "waiting";
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
function letterOf(letter: Row): DeadLetter | undefined {
  const message = messageOf(letter);
  return (
    message && {
      key: message.key,
      message,
      attempts: Number(letter.attempts),
      failedAt: new Date(Number(letter.at)).toISOString(),
      reason: reasonOf(letter),
    }
  );
}
