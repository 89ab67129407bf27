// Everything that the package reports to its user, apart from events: log lines, process warnings and debug output.

import type { AnswerCode } from "./answer-messages.js";
import { textOf, type CaseDetails, type WarningCode } from "./error-messages.js";
import { debug, isDebugging } from "./debug.js";
import { emitWarning } from "./process-warning.js";
import { swallow } from "./swallow.js";
import { nameOf } from "./thrown.js";

/** Gets a line for each event without a handler, and for failures. `console` and every common logger fit. */
export interface Logger {
  /** Optional. Gets one line about the first valid callback. */
  info?(message: string): unknown;
  /** Gets one line about what callers did, at most one a minute for each code. */
  warn(message: string): unknown;
  /** Gets one line about a failure, at most one a minute for each code. */
  error(message: string): unknown;
}

/** The content of a callback, which is masked before it is written. */
interface Subject {
  readonly source?: string;
  readonly recipient?: string;
  readonly text?: string;
  readonly raw?: string | Uint8Array;
}

/**
 * The log of one router. Received data (a number, a text, the value of a field) may be passed only as the subject of
 * `answered`, which masks it.
 */
export interface Log {
  /** Writes a line to the logger, if it has a method for it. */
  info(code: AnswerCode, message: string): void;
  /** Writes a line to the logger, at most one a minute for each code. */
  warn(code: AnswerCode, message: string): void;
  /** Writes a line to the logger, at most one a minute for each code. */
  error(code: AnswerCode, message: string): void;
  /** Emits a process warning about a mistake in the set-up, once for each code. */
  advise(code: WarningCode, details?: CaseDetails): void;
  /** Shows the outcome of a callback under `DEBUG=express-kaleyra-sms`. The subject is masked. */
  answered(method: string, outcome: string, status: number, subject: Subject): void;
}

const MINUTE_MS = 60_000;

export function createLog(logger: Logger): Log {
  const lastWritten = new Map<string, number>();
  const advised = new Set<WarningCode>();

  /** Ignores a logger that throws or rejects. */
  const write = (method: "info" | "warn" | "error", code: string, message: string): void => {
    try {
      if (!isDue(code)) return;
      swallow(logger[method]?.(`express-kaleyra-sms: ${message} (${code})`), loggerFailed);
    } catch (error) {
      loggerFailed(error);
    }
  };
  /** Measured with a monotonic clock, since the system time can be set. */
  const isDue = (code: string): boolean => {
    const now = performance.now();
    if (now - (lastWritten.get(code) ?? -Infinity) < MINUTE_MS) return false;
    lastWritten.set(code, now);
    return true;
  };
  return {
    answered: (method, outcome, status, subject) => {
      if (isDebugging()) debug("%s %s, answered %d%s", method, outcome, status, masked(subject));
    },
    info: (code, message) => write("info", code, message),
    warn: (code, message) => write("warn", code, message),
    error: (code, message) => write("error", code, message),
    advise: (code, details) => {
      if (advised.has(code)) return;
      advised.add(code);
      if (!emitWarning(code, details)) write("warn", code, textOf(code, details));
    },
  };
}

function loggerFailed(error: unknown): void {
  debug("the logger failed: %s", nameOf(error));
}

/**
 * Masks a subject: `: +91******3210 to **50, <28 characters>`. It is enough to find the callback of a subscriber who
 * complains, but not enough to call anyone.
 */
function masked({ source, recipient, text, raw }: Subject): string {
  const numbers = [source, recipient].filter((number) => number !== undefined).map(maskedNumber);
  const texts = [text, raw].filter((sent) => sent !== undefined).map(maskedText);
  const all = [...(numbers.length === 0 ? [] : [numbers.join(" to ")]), ...texts];
  return all.length === 0 ? "" : `: ${all.join(", ")}`;
}

const NUMBER = /^\+?\d{1,20}$/;

/** `+91******3210`. A sender may also be a name: then its length. */
export function maskedNumber(number: string): string {
  if (!NUMBER.test(number)) return maskedText(number);
  const isShort = number.length < 11;
  const head = isShort ? "" : number.slice(0, number.startsWith("+") ? 3 : 2);
  const tail = number.slice(isShort ? Math.max(number.length - 2, 2) : -4);
  return head + "*".repeat(number.length - head.length - tail.length) + tail;
}

function maskedText(sent: string | Uint8Array): string {
  return typeof sent === "string" ? `<${Array.from(sent).length} characters>` : `<${sent.length} bytes>`;
}
