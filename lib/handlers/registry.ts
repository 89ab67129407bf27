// Finds the handlers of an event. A callback gets the handlers that are registered when its handling starts: later
// changes apply to the next callback.

import type { Log } from "../base/log.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { SmsMessage } from "../callback/message.js";
import { findKeywords, optsOut, possibleOptOut, unregisteredMatch } from "../keywords/find-keywords.js";
import type { KeywordMatch } from "../keywords/keyword-match.js";
import {
  EVENTS,
  MESSAGE_EVENTS,
  type HandlerContext,
  type MessageEvent,
  type SmsEvent,
  type SmsEvents,
} from "./events.js";
import { HandlerSet, type Registration } from "./handler-set.js";
import { Registrar } from "./registrar.js";

/** A handler with its payload, ready to be called. */
export interface Call<Event extends SmsEvent = SmsEvent> {
  readonly order: number;
  readonly event: Event;
  /** `undefined` if looking up the handlers failed. */
  readonly payload: SmsEvents[Event] | undefined;
  start(context: HandlerContext): unknown;
}

class RegisteredCall<Event extends SmsEvent> implements Call<Event> {
  readonly #registration: Registration<Event>;
  readonly payload: SmsEvents[Event];

  constructor(registration: Registration<Event>, payload: SmsEvents[Event]) {
    this.#registration = registration;
    this.payload = payload;
  }

  get order(): number {
    return this.#registration.order;
  }

  get event(): Event {
    return this.#registration.event;
  }

  start(context: HandlerContext): unknown {
    // Not called as a method: a handler has no `this`.
    const { handler } = this.#registration;
    return handler(this.payload, context);
  }
}

/** What a message would match. */
export interface Matches {
  /** With what was registered: the keyword, a RegExp, or `POSSIBLE_OPT_OUT`. */
  readonly matches: ReadonlyArray<KeywordMatch & { readonly pattern: string }>;
  /** RegExps that threw. */
  readonly failed: readonly string[];
  /** Whether there are keywords, and none matched. */
  readonly isUnmatched: boolean;
  readonly optOut: boolean;
  /** Also if `POSSIBLE_OPT_OUT` is not registered. */
  readonly possibleOptOut: KeywordMatch | undefined;
}

/** Makes a call that fails with `cause`: a failure before any handler is called is reported like one of a handler. */
export function failedCall<Event extends SmsEvent>(event: Event, order: number, cause: unknown): Call<Event> {
  return {
    order,
    event,
    payload: undefined,
    start: () => {
      throw cause;
    },
  };
}

export class Registry {
  readonly #log: Pick<Log, "advise">;
  readonly #router = new HandlerSet();
  /** The handlers of single business numbers. */
  readonly #ofRecipients = new Map<string, HandlerSet>();
  #registered = 0;
  #isAdvising = false;
  /** Called as soon as a handler of messages is registered. */
  #waitingForListener: Array<() => void> = [];

  constructor(log: Pick<Log, "advise">) {
    this.#log = log;
  }

  /** For all messages. */
  registrar(): Registrar {
    return this.#registrarOf([this.#router], EVENTS);
  }

  /** For the messages of some business numbers. @param recipients - as in `message.recipient` */
  registrarOf(recipients: readonly string[]): Registrar {
    const sets = recipients.map((recipient) => {
      const set = this.#ofRecipients.get(recipient) ?? new HandlerSet();
      this.#ofRecipients.set(recipient, set);
      return set;
    });
    return this.#registrarOf(sets, MESSAGE_EVENTS);
  }

  /**
   * Waits for a handler of `message`, `keyword` or `unmatched`, and then for the next turn of the event loop.
   * By then, the handlers that are registered along with it exist too.
   */
  whenListening(): MaybePromise<void> {
    return this.isListening ? undefined : new Promise((resolve) => this.#waitingForListener.push(resolve));
  }

  /** The calls for a payload of one event, in order of registration. */
  callsOf<Event extends SmsEvent>(event: Event, payload: SmsEvents[Event]): Array<Call<Event>> {
    const calls: Array<Call<Event>> = [];
    addCalls(calls, this.#router, event, payload);
    return calls;
  }

  /** The calls for a valid message, in order of registration. */
  callsOfMessage(message: SmsMessage): Array<Call<MessageEvent>> {
    const sets = this.#setsOf(message);
    const calls: Array<Call<MessageEvent>> = [];
    const add = <Event extends MessageEvent>(event: Event, payload: SmsEvents[Event]): void => {
      for (const set of sets) addCalls(calls, set, event, payload);
    };
    add("message", message);
    const hasKeywords = sets.some(({ keywords }) => !keywords.isEmpty);
    const found = hasKeywords ? findKeywords(message, indexesOf(sets)) : [];
    for (const one of found) {
      const { registered } = one;
      if ("cause" in one) {
        calls.push(failedCall("keyword", registered[0]?.order ?? 0, one.cause));
        continue;
      }
      for (const registration of registered) calls.push(new RegisteredCall(registration, one.match));
      add("keyword", one.match);
    }
    if (found.length === 0) {
      if (message.keyword !== undefined && sets.some((set) => set.of("keyword").length > 0))
        add("keyword", unregisteredMatch(message.keyword, message));
      if (hasKeywords) add("unmatched", message);
    }
    return calls.length > 1 ? calls.sort((a, b) => a.order - b.order) : calls;
  }

  /** What a message would match, without a call. */
  matchesOf(message: SmsMessage): Matches {
    const sets = this.#setsOf(message);
    const indexes = indexesOf(sets);
    const found = findKeywords(message, indexes);
    const failed = found.flatMap((one) => ("cause" in one ? [String(one.pattern)] : []));
    const matches = found.flatMap((one) =>
      "cause" in one ? [] : [{ ...one.match, pattern: String(one.pattern ?? one.match.keyword) }],
    );
    const isUnmatched = found.length === 0 && sets.some(({ keywords }) => !keywords.isEmpty);
    const possible = possibleOptOut(message, indexes);
    return { matches, failed, isUnmatched, optOut: optsOut(message, indexes), possibleOptOut: possible };
  }

  /** The business numbers that have handlers of their own. */
  get recipients(): readonly string[] {
    return [...this.#ofRecipients].flatMap(([recipient, set]) => (set.isListening ? [recipient] : []));
  }

  /** Whether a message opts out. */
  optsOut(message: SmsMessage): boolean {
    return optsOut(message, indexesOf(this.#setsOf(message)));
  }

  /** The handlers of the router, and those of the message's recipient. */
  #setsOf({ recipient }: SmsMessage): readonly HandlerSet[] {
    const scope = this.#ofRecipients.get(recipient);
    return scope === undefined ? [this.#router] : [this.#router, scope];
  }

  #registrarOf(sets: readonly HandlerSet[], events: readonly SmsEvent[]): Registrar {
    const nextOrder = (): number => {
      if (this.#waitingForListener.length > 0) setImmediate(() => this.#resumeWaiting());
      return this.#registered++;
    };
    return new Registrar({ sets, events, nextOrder, whenOptOut: () => this.#adviseSoon() });
  }

  /** Whether a handler of messages is registered, for the router or for a number. */
  get isListening(): boolean {
    return this.#all().some(({ isListening }) => isListening);
  }

  #all(): HandlerSet[] {
    return [this.#router, ...this.#ofRecipients.values()];
  }

  /** In the next turn of the event loop, warns if nothing gets what only may be an opt-out. */
  #adviseSoon(): void {
    if (this.#isAdvising) return;
    this.#isAdvising = true;
    setImmediate(() => {
      const isHeard = (set: HandlerSet): boolean => set.keywords.possible.length > 0 || set.of("unmatched").length > 0;
      const sets = this.#all();
      this.#isAdvising = false;
      if (sets.some(({ keywords }) => keywords.hasOptOut) && !sets.some(isHeard))
        this.#log.advise("KALEYRA_SMS_POSSIBLE_OPT_OUT_UNHEARD");
    });
  }

  #resumeWaiting(): void {
    if (!this.isListening) return;
    for (const resolve of this.#waitingForListener) resolve();
    this.#waitingForListener = [];
  }
}

function indexesOf(sets: readonly HandlerSet[]): Array<HandlerSet["keywords"]> {
  return sets.map(({ keywords }) => keywords);
}

/** A loop, since this runs for every message: `map` and a spread cost a microsecond more. */
function addCalls<Event extends SmsEvent>(
  calls: Array<Call<Event>>,
  set: HandlerSet,
  event: Event,
  payload: SmsEvents[Event],
): void {
  for (const registration of set.of(event)) calls.push(new RegisteredCall(registration, payload));
}
