// Everything that the package says to whoever runs it, and is not an event: lines for the logger, and process warnings.

import type { AnswerCode } from "./answer-codes.js";
import { textOf, type CaseDetails, type WarningCode } from "./codes.js";
import { debug, isDebugging } from "./debug.js";
import { emitWarning } from "./process-warning.js";
import { swallow } from "./swallow.js";
import { nameOf } from "./thrown.js";

/** Where lines go for which no handler is registered. `console` and every common logger fit. */
export interface Logger {
  warn(message: string): unknown;
  error(message: string): unknown;
}

/** What a callback was about. */
interface Subject {
  /** Numbers. */
  readonly source?: string;
  readonly recipient?: string;
  /** Texts. */
  readonly text?: string;
  readonly raw?: string | Uint8Array;
}

/** The voice of one router. Nothing that was sent may be handed to it, but as what a callback was about: no number, no text, no value of a field. */
export interface Log {
  /** A line for the logger, at most one a minute for each code. */
  warn(code: AnswerCode, message: string): void;
  error(code: AnswerCode, message: string): void;
  /** A mistake in the set-up: a process warning with a code, once. */
  advise(code: WarningCode, details?: CaseDetails): void;
  /** What became of a callback, for `DEBUG=express-kaleyra-sms`. What it was about is masked. */
  answered(method: string, outcome: string, status: number, about: Subject): void;
}

const MINUTE_MS = 60_000;

export function createLog(logger: Logger): Log {
  const lastWritten = new Map<string, number>();
  const advised = new Set<WarningCode>();

  /** A logger that fails changes nothing, nor does one that is async. */
  const write = (method: "warn" | "error", code: string, message: string): void => {
    try {
      if (!isDue(code)) return;
      swallow(logger[method](`express-kaleyra-sms: ${message} (${code})`), loggerFailed);
    } catch (error) {
      loggerFailed(error);
    }
  };
  /** By a clock that nobody sets. */
  const isDue = (code: string): boolean => {
    const now = performance.now();
    if (now - (lastWritten.get(code) ?? -Infinity) < MINUTE_MS) return false;
    lastWritten.set(code, now);
    return true;
  };
  return {
    answered: (method, outcome, status, about) => {
      if (isDebugging()) debug("%s %s, answered %d%s", method, outcome, status, masked(about));
    },
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

/** Enough to find the callback of a subscriber who complains, and not enough to call one: `: +91******3210 to **50, <28 characters>`. */
function masked({ source, recipient, text, raw }: Subject): string {
  const numbers = [source, recipient].filter((number) => number !== undefined).map(maskedNumber);
  const words = [text, raw].filter((sent) => sent !== undefined).map(maskedText);
  const all = [...(numbers.length === 0 ? [] : [numbers.join(" to ")]), ...words];
  return all.length === 0 ? "" : `: ${all.join(", ")}`;
}

const NUMBER = /^\+?\d{1,20}$/;

/** A sender may be a name as well. */
function maskedNumber(number: string): string {
  if (!NUMBER.test(number)) return maskedText(number);
  const isShort = number.length < 11;
  const head = isShort ? "" : number.slice(0, number.startsWith("+") ? 3 : 2);
  const tail = number.slice(isShort ? Math.max(number.length - 2, 2) : -4);
  return head + "*".repeat(number.length - head.length - tail.length) + tail;
}

function maskedText(sent: string | Uint8Array): string {
  return typeof sent === "string" ? `<${Array.from(sent).length} characters>` : `<${sent.length} bytes>`;
}
