// What writes the rounds of an inbox. A round is everything that came and ended since the last one, in one transaction.

import type { MaybePromise } from "../../base/maybe-promise.js";
import type { SmsMessage } from "../../callback/message.js";
import type { InboxOutcome } from "../inbox.js";

/** A message that this process has taken. */
export interface Entry {
  /** Its row. */
  readonly seq: number;
  /**
   * The id of the process in the database under which it was taken. The process has another one if its lease has ended
   * since.
   */
  readonly owner: number;
  readonly message: SmsMessage;
  /** The number of attempts, this one included. */
  readonly attempts: number;
  /** Whether the database says that the message is held to run next, not running. */
  isHeld: boolean;
}

export interface Ended {
  readonly entry: Entry;
  readonly outcome: InboxOutcome;
}

/** The id of a process in the database, and when its lease ends, in milliseconds since the epoch. */
export interface Lease {
  readonly owner: number;
  readonly until: number;
}

/** The input of a round. */
export interface Round {
  readonly arrivals: readonly SmsMessage[];
  readonly ended: readonly Ended[];
  /** Messages that the database says are held, and that run now. */
  readonly started: readonly Entry[];
  /** The rows of all messages that this process has, and that have not ended: others must not take them. */
  readonly known: readonly number[];
  /** Whether the process may own messages that are not `known`: a round that took them may have been committed. */
  readonly isUncertain: boolean;
  /** Whether a message may be due that the engine does not know of: one was replayed, or another process stored it. */
  readonly isWoken: boolean;
  /** Whether this process hands messages out. It does not if it only receives, or closes. */
  readonly isTaking: boolean;
  /** How many messages the process could run now; 0 if it takes none. */
  readonly free: number;
  /** How many more it would probably run before the next round. */
  readonly spare: number;
}

/** A message that no handler made a dead letter: its process ended during each attempt. */
export interface CutShort {
  readonly message: SmsMessage;
  readonly attempts: number;
}

/** The result of a round. */
export interface Written {
  /** One for each arrival; empty if they were `refused`. */
  readonly stored: ReadonlyArray<"stored" | "duplicate">;
  /** Why the arrivals were not stored, though the rest was written. */
  readonly refused?: Error;
  /** The messages that this process takes, from the database or from the arrivals. */
  readonly entries: readonly Entry[];
  readonly deadLetters: readonly CutShort[];
  /** Whether a row was set aside that is not a message. */
  readonly hasUnreadable: boolean;
  /**
   * Taken messages may be started before `until`, by the clock of this process. With another `owner` than before, the
   * former entries that have not started belong to other processes.
   */
  readonly lease: Lease | undefined;
  /** When the next message is due, in milliseconds since the epoch by the clock of this process; `Infinity` if none is. */
  readonly due: number;
  /** A failure to report that stopped nothing else. */
  readonly failure?: Error;
}

/** Writes rounds, one after the other: the next one only when the last one has settled. */
export interface Engine {
  /** How often a round is written though nothing came, ended or is due, in milliseconds: to look at other processes. */
  readonly lookMs: number;
  /** Writes a round in one transaction. Throws or rejects if it was not written, or may not have been. */
  write(round: Round): MaybePromise<Written>;
  /**
   * The entries that may not be started any more: another process has forgotten them, or taken them over. Asked before
   * entries start, never while a round is written.
   */
  gone(entries: readonly Entry[]): MaybePromise<ReadonlySet<Entry>>;
  /** Explains what `write` or `gone` has just thrown. */
  explain(error: unknown): Explanation;
}

export interface Explanation {
  /** The error for users: nothing that was sent is in it. */
  readonly error: unknown;
  /** Whether the failure may be over in a moment, as a lock is. Then the arrivals wait. */
  readonly isBrief: boolean;
  /** Whether the round was certainly not committed. */
  readonly isUnwritten: boolean;
}
