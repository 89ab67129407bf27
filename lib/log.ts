// Everything that the package says to whoever runs it, and is not an event: lines for the logger, and process warnings.

import createDebug from "debug";

/** Where lines go for which no handler is registered. `console` and every common logger fit. */
export interface Logger {
  warn(message: string): void;
  error(message: string): void;
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
  warn(code: string, message: string): void;
  error(code: string, message: string): void;
  /** A mistake in the set-up: a process warning with a code, once. */
  advise(code: AdviceCode, message: string): void;
  /** What became of a callback, for `DEBUG=express-kaleyra-sms`. What it was about is masked. */
  answered(method: string, outcome: string, status: number, about: Subject): void;
}

/** The codes of the process warnings; the README has a paragraph for each. */
type AdviceCode =
  | "KALEYRA_SMS_BODY_ALREADY_PARSED"
  | "KALEYRA_SMS_NOT_ESCAPED"
  | "KALEYRA_SMS_NO_AUTHENTICATION"
  | "KALEYRA_SMS_NO_TEXT"
  | "KALEYRA_SMS_PROFILE_DIFFERS"
  | "KALEYRA_SMS_TRUST_PROXY";

const MINUTE_MS = 60_000;
const debug = createDebug("express-kaleyra-sms");

export function createLog(logger: Logger): Log {
  const lastWritten = new Map<string, number>();
  const advised = new Set<AdviceCode>();

  /** A logger that fails changes nothing. */
  const write = (method: "warn" | "error", code: string, message: string): void => {
    if (!isDue(code)) return;
    try {
      logger[method](`express-kaleyra-sms: ${message} (${code})`);
    } catch (error) {
      debug("the logger failed: %s", nameOf(error));
    }
  };
  const isDue = (code: string): boolean => {
    const now = Date.now();
    if (now - (lastWritten.get(code) ?? -Infinity) < MINUTE_MS) return false;
    lastWritten.set(code, now);
    return true;
  };
  return {
    answered: (method, outcome, status, about) => {
      if (debug.enabled) debug("%s %s, answered %d%s", method, outcome, status, masked(about));
    },
    warn: (code, message) => write("warn", code, message),
    error: (code, message) => write("error", code, message),
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

const NAME = /^[A-Za-z_$][\w$]{0,80}$/;
const PLACE = /^ {4}at .*?([^\s()]+:\d+:\d+)\)?$/m;

/**
 * Names what a handler threw without repeating what it says: an error's own text, name and functions may hold a number or a
 * message. Its class and the place where it was made do not. Anything may be thrown: nothing of it is trusted.
 */
export function nameOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return `a thrown ${thrown === null ? "null" : typeof thrown}`;
    const { name } = thrown.constructor;
    const known = NAME.test(name) ? name : "Error";
    const place = placeOf(thrown);
    return place === undefined ? known : `${known} at ${place}`;
  } catch {
    return "a thrown object";
  }
}

/** File, line and column of the innermost function, which stand behind the error's own text. */
function placeOf({ message, stack }: Error): string | undefined {
  const end = stack?.indexOf(message) ?? -1;
  return end === -1 ? undefined : PLACE.exec(stack?.slice(end + message.length) ?? "")?.[1];
}
