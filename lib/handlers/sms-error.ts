// The payload of `error`: an error that is safe to print.

import { inspect, type InspectOptions } from "node:util";

import { textOf, type Code } from "../base/error-messages.js";
import { codeOf } from "../base/errors.js";
import { nameOf } from "../base/thrown.js";
import type { SmsMessage } from "../callback/message.js";

interface Failure {
  /** The event whose handler failed; `inbox` if the inbox did. */
  readonly event: "message" | "keyword" | "unmatched" | "inbox";
  readonly cause: unknown;
  readonly smsMessage: SmsMessage | undefined;
  readonly attempt: number;
  readonly final: boolean;
}

/**
 * A handler failed, or the inbox did.
 *
 * Its `message` and its properties hold no number and no text of an SMS: `console.error`, `JSON.stringify` and
 * `util.inspect` print none, and of `cause` only its class and place. `cause` itself is unchanged. A serializer that
 * reads it, such as pino's, prints whatever it holds: docs/errors.md has one that does not.
 *
 * @example
 * sms.on("error", (error) => {
 *   console.error(error);
 *   if (error.final && error.smsMessage) alertSomeone(error.smsMessage.id);
 * });
 */
export class SmsError extends Error {
  /** One of the codes in docs/codes.md, such as `KALEYRA_SMS_HANDLER_FAILED`. */
  readonly code: Code;
  /** The event whose handler failed. `inbox`: the inbox could not store a message, or not take messages out. */
  readonly event: Failure["event"];
  /** Which attempt at the message failed, from 1. */
  readonly attempt: number;
  /** Whether the package does not retry the message by itself. */
  readonly final: boolean;
  /** What was thrown, unchanged. Not enumerable. */
  declare readonly cause: unknown;
  /** The message, if there is one. Not enumerable, since it holds numbers and a text. */
  declare readonly smsMessage: SmsMessage | undefined;

  /** Made by the package only. @hidden */
  constructor({ event, cause, smsMessage, attempt, final }: Failure) {
    const { code, message } = describe(event, cause);
    super(message, { cause });
    this.code = code;
    this.event = event;
    this.attempt = attempt;
    this.final = final;
    Object.defineProperty(this, "smsMessage", { value: smsMessage });
  }

  /** @hidden */
  override get name(): string {
    return "SmsError";
  }

  /** Without the message, and with the class and the place of `cause`. */
  toJSON(): object {
    const { name, message } = this;
    return { name, message, ...this.#details() };
  }

  /** @hidden */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `${this.stack ?? this.message} ${inspect(this.#details(), options)}`;
  }

  #details(): object {
    const { code, event, attempt, final } = this;
    return { code, event, attempt, final, cause: nameOf(this.cause) };
  }
}

const HANDLER_FAILED = "KALEYRA_SMS_HANDLER_FAILED";
const INBOX_FAILED = "KALEYRA_SMS_INBOX_FAILED";

/** Of an error of the package, its own words and code. A handler may also throw one that it got from an inbox. */
function describe(event: Failure["event"], cause: unknown): { code: Code; message: string } {
  const code = codeOf(cause);
  if (code !== undefined && (event === "inbox" || code === "KALEYRA_SMS_HANDLER_TIMEOUT"))
    return { code, message: (cause as Error).message };
  const why = nameOf(cause);
  return event === "inbox"
    ? { code: INBOX_FAILED, message: textOf(INBOX_FAILED, { why }) }
    : { code: HANDLER_FAILED, message: textOf(HANDLER_FAILED, { message: `A handler of "${event}" failed: ${why}.` }) };
}
