// What the process and the thread send each other. Messages cross as text: that costs less than copying the objects.

import { codeOf, errorFrom, type ErrorParts } from "../../../base/errors.js";
import { isRecord } from "../../../base/record.js";
import type { SmsMessage } from "../../../callback/message.js";
import type { DeadLetter, KeptMessage } from "../../operable-inbox.js";
import type { Lease } from "../../rounds/engine.js";
import { messageOf, textOf } from "../../stored-message.js";
import type { Backend, Changes, Operations } from "../backend.js";
import type { BatchResult, TakenRow } from "../batch.js";
import type { SqliteInboxSettings } from "../sqlite-options.js";

/** What the thread is made with. */
export interface Beginning {
  readonly settings: SqliteInboxSettings;
  /** The process's own descriptor of the file. */
  readonly descriptor: number;
  readonly lease: Lease;
}

export interface Calls extends Operations, Pick<Backend, "write" | "gone" | "close"> {}

export type Call = {
  [Name in keyof Calls]: { readonly id: number; readonly name: Name; readonly args: Parameters<Calls[Name]> };
}[keyof Calls];

export type Reply =
  | { readonly id: number; readonly result: unknown; readonly at: number }
  | { readonly id: number; readonly error: SentError }
  | { readonly change: keyof Changes; readonly source: string }
  /** The file could not be opened: the thread ends. */
  | { readonly failed: SentError };

export interface SentError extends Omit<ErrorParts, "cause"> {
  readonly cause: SentError | undefined;
}

/** An error without anything but its text, its place and its codes. */
export function sentError(given: unknown): SentError {
  const error = isRecord(given) ? given : {};
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const { errcode } = error;
  return {
    ...{ own: codeOf(given), name: text(error.name) ?? "Error", message: text(error.message) ?? "" },
    ...{ stack: text(error.stack), code: text(error.code) },
    errcode: typeof errcode === "number" ? errcode : undefined,
    cause: error.cause === undefined ? undefined : sentError(error.cause),
  };
}

export function receivedError({ cause, ...parts }: SentError): Error {
  return errorFrom({ ...parts, cause: cause && receivedError(cause) });
}

type Sent<Kept extends { readonly message: SmsMessage }> = Omit<Kept, "message"> & { readonly message: string };

const sent = <Kept extends { readonly message: SmsMessage }>(kept: Kept): Sent<Kept> => ({
  ...kept,
  message: textOf(kept.message),
});

/** The result of a round, as it is sent. */
interface SentBatchResult extends Omit<BatchResult<string>, "refused" | "failure"> {
  readonly refused: SentError | undefined;
  readonly failure: SentError | undefined;
}

/** What the calls whose results hold messages or errors send in their place. */
export interface SentResults {
  readonly write: SentBatchResult;
  readonly deadLetters: ReadonlyArray<Sent<DeadLetter>>;
  readonly get: Sent<KeptMessage> | undefined;
}

export const SEND = {
  write: ({ entries, deadLetters, refused, failure, ...result }: BatchResult): SentResults["write"] => ({
    ...result,
    entries: entries.map((row) => ({
      ...row,
      message: typeof row.message === "number" ? row.message : textOf(row.message),
    })),
    deadLetters: deadLetters.map(sent),
    refused: refused && sentError(refused),
    failure: failure && sentError(failure),
  }),
  deadLetters: (letters: readonly DeadLetter[]): SentResults["deadLetters"] => letters.map(sent),
  get: (kept: KeptMessage | undefined): SentResults["get"] => kept && sent(kept),
} as const;

/** The text was a message in the thread: it is one here. */
const received = <Kept extends { readonly message: string }>(
  kept: Kept,
): Array<Omit<Kept, "message"> & { readonly message: SmsMessage }> => {
  const message = messageOf(kept.message);
  return message === undefined ? [] : [{ ...kept, message }];
};

export const RECEIVE = {
  write: ({ entries, deadLetters, refused, failure, ...result }: SentResults["write"]): BatchResult => ({
    ...result,
    entries: entries.flatMap(({ message, ...row }): TakenRow[] =>
      typeof message === "number" ? [{ ...row, message }] : received({ ...row, message }),
    ),
    deadLetters: deadLetters.flatMap(received),
    ...(refused && { refused: receivedError(refused) }),
    ...(failure && { failure: receivedError(failure) }),
  }),
  deadLetters: (letters: SentResults["deadLetters"]): DeadLetter[] => letters.flatMap(received),
  get: (kept: SentResults["get"]): KeptMessage | undefined => kept && received(kept)[0],
} as const;
