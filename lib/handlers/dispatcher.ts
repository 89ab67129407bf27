// Calls the handlers of an event, awaits them together, and returns the outcome.

import { debug } from "../base/debug.js";
import { codedError } from "../base/errors.js";
import type { Log } from "../base/log.js";
import { then, type MaybePromise } from "../base/maybe-promise.js";
import { within, type Observation } from "../base/observation.js";
import { swallow } from "../base/swallow.js";
import { nameOf } from "../base/thrown.js";
import type { TimeLimit } from "../base/time-limit.js";
import type { SmsMessage } from "../callback/message.js";
import type { Announced, Announcement, HandlerContext, MessageEvent, SmsEvent, SmsEvents } from "./events.js";
import type { Handling, Late } from "./handling.js";
import type { HandlerObservers, HandlerResult } from "./observer.js";
import { failedCall, type Call, type Registry } from "./registry.js";
import { Running, type Failure } from "./running-handlers.js";
import { SmsError } from "./sms-error.js";

interface Run<Event extends SmsEvent> {
  readonly failures: ReadonlyArray<Failure<Event>>;
  /** Set if handlers exceeded the time limit. */
  readonly late?: Late;
}

/** Returns what a dead letter says of the error that a handler threw. */
export type DescribeFailure = (cause: unknown) => string;

interface Deps {
  readonly registry: Registry;
  readonly limit: TimeLimit;
  readonly log: Log;
  readonly describe: DescribeFailure | undefined;
  readonly observers: HandlerObservers;
}

export class Dispatcher {
  readonly #registry: Registry;
  readonly #limit: TimeLimit;
  readonly #log: Log;
  readonly #describe: DescribeFailure | undefined;
  readonly #observers: HandlerObservers;
  #running = 0;

  constructor({ registry, limit, log, describe, observers }: Deps) {
    this.#registry = registry;
    this.#limit = limit;
    this.#log = log;
    this.#describe = describe;
    this.#observers = observers;
  }

  /** Whether no handler runs. One that is past its time limit does not count. */
  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Runs all handlers that apply to a message, and emits `error` for each failure. Neither throws nor rejects. */
  handle(message: SmsMessage, attempt: Attempt = ONLY): MaybePromise<Handling> {
    if (this.#limit.isOver) return CLOSED;
    const calls = found("message", () => this.#registry.callsOfMessage(message));
    if (calls.length === 0) return WITHOUT_HANDLER;
    return then(this.#run(calls, attempt, message), ({ failures, late }) => {
      const [first] = failures;
      if (first === undefined) return HANDLED;
      const errors = failures.map(async ({ event, cause }) => {
        const { attempt: number, final } = attempt;
        await this.announce("error", new SmsError({ event, cause, smsMessage: message, attempt: number, final }));
      });
      const reason = this.#reasonOf(first.cause);
      return Promise.all(errors).then(() =>
        late === undefined ? { outcome: "failed", reason } : { outcome: "timed-out", late, reason },
      );
    });
  }

  /**
   * Emits an event that does not change the answer. Logs failures of its handlers, and an event without a handler.
   * Neither throws nor rejects.
   */
  announce(...announced: Announced): MaybePromise<void> {
    const [event, payload] = announced;
    this.#observers.ofEvents?.announced(...announced);
    const calls = found(event, () => this.#registry.callsOf(event, payload));
    if (calls.length === 0) {
      this.#logUnhandled(event, payload);
      return;
    }
    return then(this.#run(calls, ONLY, messageOf(payload)), ({ failures, late }) => {
      late?.release();
      for (const { cause } of failures) {
        this.#log.error(`handler-of-${event}-failed`, `A handler of "${event}" failed: ${nameOf(cause)}.`);
      }
    });
  }

  /** Starts all calls, then waits for those that have not ended. A failed call does not stop the others. */
  #run<Event extends SmsEvent>(
    calls: ReadonlyArray<Call<Event>>,
    attempt: Attempt,
    message: SmsMessage | undefined,
  ): MaybePromise<Run<Event>> {
    const context = new Context(attempt, message, this.#registry);
    const started: Started<Event> = { failures: [], running: undefined };
    const observer = this.#observers.ofHandlers;
    for (const call of calls) {
      const { event, payload } = call;
      const observation = observer?.handler({
        event,
        payload,
        message,
        attempt: attempt.attempt,
        final: attempt.final,
      });
      if (observation === undefined) start(call, context, started);
      else within(observation, () => start(call, context, started, observation));
    }
    const { failures, running } = started;
    return running === undefined ? { failures } : this.#waitFor(running, failures, context);
  }

  async #waitFor<Event extends SmsEvent>(
    running: Running<Event>,
    failures: ReadonlyArray<Failure<Event>>,
    context: Context,
  ): Promise<Run<Event>> {
    this.#running++;
    const isInTime = await this.#limit.wait(running.ended());
    this.#running--;
    if (isInTime) return { failures };
    running.reportTimeout(timeout);
    context.expire();
    // A closed router does not wait any longer.
    if (this.#limit.isOver) running.release();
    const late = running.events.map((event) => ({ event, cause: timeout(event) }));
    return { failures: [...failures, ...late], late: running };
  }

  /**
   * What `describeFailure` returns is the user's. If it throws, or returns no string, the class and the place are used.
   */
  #reasonOf(cause: unknown): string {
    try {
      const reason: unknown = this.#describe?.(cause);
      // Databases change or reject half a surrogate pair and U+0000.
      if (typeof reason === "string") return reason.toWellFormed().replaceAll("\0", "\ufffd");
      swallow(reason, () => undefined);
    } catch (error) {
      debug("options.describeFailure failed: %s", nameOf(error));
    }
    return nameOf(cause);
  }

  #logUnhandled(event: Announcement, payload: SmsEvents[Announcement]): void {
    if ("issues" in payload) {
      const what = `Rejected a callback: ${payload.detail}`;
      this.#log.warn(payload.code, `${what} Register sms.on("invalid", ...) to keep its content.`);
    } else if (payload instanceof SmsError) {
      const [code, failed] =
        payload.event === "inbox"
          ? (["inbox-failed", "The inbox"] as const)
          : (["handler-failed", `A handler of "${payload.event}"`] as const);
      const advice = 'Register sms.on("error", ...) to get the error itself.';
      this.#log.error(code, `${failed} failed: ${nameOf(payload.cause)}. ${advice}`);
    } else if (event === "unauthorized" && "ip" in payload) {
      const what = `Rejected a caller: ${payload.reason}`;
      this.#log.warn("unauthorized", `${what} Register sms.on("unauthorized", ...) to handle each one.`);
    } else if (event === "busy" && "reason" in payload) {
      const what = `Answered a callback 503 (${payload.reason}).`;
      this.#log.warn("busy", `${what} Register sms.on("busy", ...) to count them.`);
    }
  }
}

/** The calls of one payload. */
interface Started<Event extends SmsEvent> {
  readonly failures: Array<Failure<Event>>;
  /** `undefined` while none of them has to be waited for. */
  running: Running<Event> | undefined;
}

function start<Event extends SmsEvent>(
  call: Call<Event>,
  context: HandlerContext,
  started: Started<Event>,
  observation?: Observation<HandlerResult>,
): void {
  const { event } = call;
  const { failures } = started;
  try {
    const result = call.start(context);
    if (isThenable(result)) {
      (started.running ??= new Running(failures)).add(event, result, observation);
      return;
    }
  } catch (cause) {
    failures.push({ event, cause });
    observation?.ended({ result: "error", cause });
    return;
  }
  observation?.ended({ result: "ok" });
}

/** Returns a failing call if looking up the handlers throws, so that the failure is reported like one of a handler. */
function found<Event extends SmsEvent>(
  event: Event,
  find: () => ReadonlyArray<Call<MessageEvent | Event>>,
): ReadonlyArray<Call<MessageEvent | Event>> {
  try {
    return find();
  } catch (cause) {
    return [failedCall(event, 0, cause)];
  }
}

const HANDLED: Handling = { outcome: "handled" };
const WITHOUT_HANDLER: Handling = { outcome: "handled", hadNoHandler: true };
const CLOSED: Handling = { outcome: "closed" };

/** Which attempt at a message, from 1, and whether it is the last. */
interface Attempt {
  readonly attempt: number;
  readonly final: boolean;
}

/** Without an inbox, nothing is retried. */
const ONLY: Attempt = { attempt: 1, final: true };

/** The message that a payload is about. */
function messageOf(payload: SmsEvents[Announcement]): SmsMessage | undefined {
  if (payload instanceof SmsError) return payload.smsMessage;
  if ("parts" in payload) return payload;
  return "message" in payload ? payload.message : undefined;
}

/** The second argument of handlers. What few handlers use is made when they do. */
class Context implements HandlerContext {
  readonly #attempt: Attempt;
  readonly #message: SmsMessage | undefined;
  readonly #registry: Registry;
  #optOut: boolean | undefined;
  #controller: AbortController | undefined;
  #expired = false;

  constructor(attempt: Attempt, message: SmsMessage | undefined, registry: Registry) {
    this.#attempt = attempt;
    this.#message = message;
    this.#registry = registry;
  }

  get attempt(): number {
    return this.#attempt.attempt;
  }

  get final(): boolean {
    return this.#attempt.final;
  }

  get optOut(): boolean {
    return (this.#optOut ??= this.#message !== undefined && this.#registry.optsOut(this.#message));
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#expired) this.#controller.abort();
    return this.#controller.signal;
  }

  expire(): void {
    this.#expired = true;
    this.#controller?.abort();
  }
}

function timeout(event: SmsEvent): Error {
  return codedError("KALEYRA_SMS_HANDLER_TIMEOUT", { why: `that of "${event}"` });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}
