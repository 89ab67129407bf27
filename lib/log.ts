// Everything that the package says to whoever runs it, and is not an event: lines for the logger, and process warnings.

import createDebug from "debug";

/** Where lines go for which no handler is registered. `console` and every common logger fit. */
export interface Logger {
  warn(message: string): void;
  error(message: string): void;
}

/** The voice of one router. Nothing that was sent may be handed to it: no number, no text, no value of a field. */
export interface Log {
  /** A line for the logger, at most one a minute for each code. */
  warn(code: string, message: string): void;
  error(code: string, message: string): void;
  /** A mistake in the set-up: a process warning with a code, once. */
  advise(code: AdviceCode, message: string): void;
  /** A step of a callback, for `DEBUG=express-kaleyra-sms`. */
  readonly debug: (format: string, ...values: unknown[]) => void;
}

/** The codes of the process warnings; the README has a paragraph for each. */
type AdviceCode = "KALEYRA_SMS_BODY_ALREADY_PARSED" | "KALEYRA_SMS_NO_TEXT";

const MINUTE_MS = 60_000;
const debug = createDebug("express-kaleyra-sms");

export function createLog(logger: Logger): Log {
  const lastWritten = new Map<string, number>();
  const advised = new Set<AdviceCode>();

  const isDue = (code: string): boolean => {
    const now = Date.now();
    if (now - (lastWritten.get(code) ?? -Infinity) < MINUTE_MS) return false;
    lastWritten.set(code, now);
    return true;
  };
  return {
    debug,
    warn: (code, message) => {
      if (isDue(code)) logger.warn(`express-kaleyra-sms: ${message} (${code})`);
    },
    error: (code, message) => {
      if (isDue(code)) logger.error(`express-kaleyra-sms: ${message} (${code})`);
    },
    advise: (code, message) => {
      if (advised.has(code)) return;
      advised.add(code);
      process.emitWarning(`${message} See the README of express-kaleyra-sms, "${code}".`, {
        type: "KaleyraSmsWarning",
        code,
      });
    },
  };
}

const FRAME = /\n {4}at [^\n]*/;

/**
 * Names what a handler threw without repeating what it says: an error's own text may hold a number or a message. Its class and
 * the place where it was made do not.
 */
export function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a thrown ${thrown === null ? "null" : typeof thrown}`;
  const { name, message, stack } = thrown;
  const header = `${name}: ${message}`;
  const place = stack?.startsWith(header) === true ? FRAME.exec(stack.slice(header.length))?.[0].trim() : undefined;
  return place === undefined ? name : `${name} ${place}`;
}
