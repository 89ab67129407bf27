// What the inbox needs of its file: in this process or in a thread.

import type { MaybePromise } from "../../base/maybe-promise.js";
import type { InspectedInbox } from "../operable-inbox.js";
import type { Batch, BatchResult, TakenState } from "./batch.js";

/** What an operator calls, with checked arguments. */
export type Operations = Pick<InspectedInbox, "stats" | "get" | "replay" | "discard" | "forget" | "countOf"> & {
  deadLetters(limit: number, after: string | undefined): ReturnType<InspectedInbox["deadLetters"]>;
  replayAll(): Promise<number>;
};

export interface Backend {
  write(batch: Batch): MaybePromise<BatchResult>;
  /** @returns the rows that may not be started any more, of those that this process has taken */
  gone(rows: readonly TakenState[]): MaybePromise<readonly number[]>;
  readonly operations: Operations;
  /** To be called when no more rounds come, other than those that end what runs. */
  closing(): void;
  /** Waits for what an operator has called, and closes the file. Does not reject. */
  close(): Promise<void>;
}

/** What the operations report to the process that hands messages out. */
export interface Changes {
  /** A message may be due. */
  wake(): void;
  /** A subscriber was forgotten. */
  forget(source: string): void;
}
