// The receipt of a callback: its outcome and answer. Also creates every other answer of the router.

import { STATUS_CODES } from "node:http";

import type { InvalidCallback, Issue } from "../callback/invalid.js";
import type { SmsMessage } from "../callback/message.js";
import type { Acknowledgement } from "./acknowledgement.js";

/** The outcome of a callback, and the answer to the provider. */
export interface Receipt {
  /**
   * What became of the callback. `handled`: its handlers have succeeded. `stored`: it is in the inbox. `duplicate`: it was
   * handled before, or is in the inbox. `invalid`: it was rejected. `failed`: a handler failed, or the inbox did. `busy`:
   * `maxInFlight` is reached, or the router is closing.
   */
  readonly outcome: "handled" | "stored" | "duplicate" | "invalid" | "failed" | "busy";
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The HTTP headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of the answer: empty, `ack.body`, or JSON that explains a failure. */
  readonly body: string;
  /** Present only if the callback is valid. */
  readonly message?: SmsMessage;
  /** Why the callback is invalid; present only then. */
  readonly problem?: InvalidCallback;
}

/** The answer to any request. */
export type Answer = Pick<Receipt, "status" | "headers" | "body">;

/** A problem of RFC 9457, without the members that follow from its status. */
interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly issues?: readonly Issue[];
}

const NO_STORE = { "Cache-Control": "no-store" };
/** In seconds. */
const RETRY_AFTER = { "Retry-After": "1" };
/** As in RFC 7617 and RFC 6750, without `error`: it would reveal which part of the credentials is wrong. */
const CHALLENGES = {
  Basic: 'Basic realm="callbacks", charset="UTF-8"',
  Bearer: 'Bearer realm="callbacks"',
};

/** Creates the answers of the router. */
export class Answers {
  readonly #ack: Answer;
  readonly #withProblems: boolean;

  /** @param withProblems - whether the body explains a failure */
  constructor(ack: Acknowledgement, withProblems: boolean) {
    const type = ack.body === "" ? {} : { "Content-Type": "text/plain; charset=utf-8" };
    this.#ack = answer(ack.status, { ...missingDefaults(type, ack.headers), ...ack.headers }, ack.body);
    this.#withProblems = withProblems;
  }

  done(outcome: "handled" | "stored" | "duplicate", message: SmsMessage): Receipt {
    return { outcome, ...this.#ack, message };
  }

  /** A handler failed, and `acknowledgeFailures` is `true`. */
  failedQuietly(message: SmsMessage): Receipt {
    return { outcome: "failed", ...this.#ack, message };
  }

  failed(message: SmsMessage, how: "failed" | "timed-out"): Receipt {
    const problem =
      how === "failed"
        ? {
            status: 500,
            code: "handler-failed",
            detail: "The message was received, but could not be handled. It can be triggered again.",
          }
        : {
            status: 500,
            code: "handler-timeout",
            detail: "The message was received, but was not handled in time. It can be triggered again.",
          };
    return { outcome: "failed", ...this.problem(problem), message };
  }

  /** The package itself failed. */
  broken(): Receipt {
    const problem = { status: 500, code: "internal-error", detail: "The callback could not be processed." };
    return { outcome: "failed", ...this.problem(problem) };
  }

  /** Something before the router has read the body and discarded it: the server is set up wrongly. */
  bodyConsumed(): Receipt {
    const problem = {
      status: 500,
      code: "body-consumed",
      detail: "Something in this server read the body before this endpoint, and discarded it.",
    };
    return { outcome: "failed", ...this.problem(problem) };
  }

  /** The inbox could not store the message. Never a 2xx, because then nobody would send the message again. */
  notStored(message: SmsMessage): Receipt {
    const problem = {
      status: 503,
      code: "not-stored",
      detail: "The message was received, but could not be stored. Try again.",
    };
    return { outcome: "failed", ...this.problem(problem, RETRY_AFTER), message };
  }

  invalid(callback: InvalidCallback): Receipt {
    return { outcome: "invalid", ...this.problem(callback), problem: callback };
  }

  busy(message?: SmsMessage): Receipt & { readonly outcome: "busy" } {
    const problem = {
      status: 503,
      code: "busy",
      detail: "Too many callbacks are in flight, or the server is about to stop. Try again.",
    };
    const receipt = { outcome: "busy", ...this.problem(problem, RETRY_AFTER) } as const;
    return message === undefined ? receipt : { ...receipt, message };
  }

  /**
   * The same answer for every reason, so that it reveals nothing about the credentials.
   *
   * @param scheme - the scheme that the caller is asked for with a 401; without one, the answer is 403
   */
  unauthorized(scheme: keyof typeof CHALLENGES | undefined): Answer {
    const detail = "The caller may not call this endpoint.";
    if (scheme === undefined) return this.problem({ status: 403, code: "unauthorized", detail });
    return this.problem({ status: 401, code: "unauthorized", detail }, { "WWW-Authenticate": CHALLENGES[scheme] });
  }

  problem({ status, code, detail, issues }: Problem, headers: Readonly<Record<string, string>> = {}): Answer {
    if (!this.#withProblems) return answer(status, headers, "");
    const body = {
      type: "about:blank",
      title: STATUS_CODES[status],
      status,
      code,
      detail,
      ...(issues === undefined ? {} : { issues }),
    };
    return answer(status, { ...headers, "Content-Type": "application/problem+json" }, JSON.stringify(body));
  }

  /** An answer without a body. */
  plain(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
    return answer(status, headers, "");
  }
}

function answer(status: number, headers: Readonly<Record<string, string>>, body: string): Answer {
  const length = status === 204 ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  // Frozen, because all acknowledgements share their headers.
  return { status, headers: Object.freeze({ ...NO_STORE, ...headers, ...length }), body };
}

/** The default headers that are not given, in whatever letter case. */
function missingDefaults(
  defaults: Record<string, string>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !names.has(name.toLowerCase())));
}
