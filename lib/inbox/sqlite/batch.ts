// What a round brings to the file and gets from it, as plain data: it crosses to the thread and back.

import type { SmsMessage } from "../../callback/message.js";
import type { InboxOutcome } from "../inbox.js";
import type { Lease } from "../rounds/engine.js";

/** A message that is to be stored. */
export interface Arrival {
  readonly key: string;
  readonly source: string;
  /** The message as text. */
  readonly text: string;
}

/** The row of a message that this process has taken. */
export interface OwnRow {
  readonly seq: number;
  /** The id of the process in the file under which it was taken. */
  readonly owner: number;
}

export interface TakenState extends OwnRow {
  /** Whether the file says that the message is held, not running. */
  readonly isHeld: boolean;
}

export interface EndedRow extends OwnRow {
  readonly source: string;
  readonly attempts: number;
  readonly outcome: InboxOutcome;
}

/** The input of a round. What is not explained here is explained in `Round`. */
export interface Batch {
  readonly arrivals: readonly Arrival[];
  readonly ended: readonly EndedRow[];
  readonly started: readonly OwnRow[];
  readonly known: readonly number[];
  readonly isUncertain: boolean;
  readonly isWoken: boolean;
  readonly isTaking: boolean;
  readonly free: number;
  readonly spare: number;
}

/** A message that this process takes. */
export interface TakenRow<Message = SmsMessage> extends TakenState {
  readonly attempts: number;
  /** A message from the file, or the number of one of the arrivals: what came is not sent back. */
  readonly message: Message | number;
}

/** The result of a round. What is not explained here is explained in `Written`. */
export interface BatchResult<Message = SmsMessage> {
  readonly stored: ReadonlyArray<"stored" | "duplicate">;
  readonly refused?: Error;
  readonly entries: ReadonlyArray<TakenRow<Message>>;
  readonly deadLetters: ReadonlyArray<{ readonly message: Message; readonly attempts: number }>;
  readonly hasUnreadable: boolean;
  readonly lease: Lease;
  readonly due: number;
  readonly failure?: Error;
}
