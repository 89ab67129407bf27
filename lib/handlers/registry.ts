// Registers handlers, and finds those of an event. A callback gets the handlers that are registered when its handling
// starts: later changes apply to the next callback.

import { invalidArgument } from "../base/errors.js";
import type { MaybePromise } from "../base/maybe-promise.js";
import type { SmsMessage } from "../callback/message.js";
import { KeywordIndex, unregisteredMatch } from "../keywords/keyword-index.js";
import { patternsOf, type KeywordPattern } from "../keywords/patterns.js";
import { assertEvent, type Handler, type HandlerContext, type SmsEvent, type SmsEvents } from "./events.js";

/** A registered handler. Handlers start in the order of `order`. */
interface Registration<Event extends SmsEvent> {
  readonly order: number;
  readonly event: Event;
  /** The function that the user passed, by which `remove` finds the registration. */
  readonly given: Handler<Event>;
  readonly handler: Handler<Event>;
}

/** A handler with its payload, ready to be called. */
export interface Call<Event extends SmsEvent = SmsEvent> {
  readonly order: number;
  readonly event: Event;
  start(context: HandlerContext): unknown;
}

class RegisteredCall<Event extends SmsEvent> implements Call<Event> {
  readonly #registration: Registration<Event>;
  readonly #payload: SmsEvents[Event];

  constructor(registration: Registration<Event>, payload: SmsEvents[Event]) {
    this.#registration = registration;
    this.#payload = payload;
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
    return handler(this.#payload, context);
  }
}

/** Makes a call that fails with `cause`: a failure before any handler is called is reported like one of a handler. */
export function failedCall<Event extends SmsEvent>(event: Event, order: number, cause: unknown): Call<Event> {
  return {
    order,
    event,
    start: () => {
      throw cause;
    },
  };
}

/** The events that a valid callback can emit. */
export type MessageEvent = "message" | "keyword" | "unmatched";

/** The list is replaced, never changed, so that a callback that is being handled keeps its handlers. */
interface Handlers<Event extends SmsEvent> {
  list: ReadonlyArray<Registration<Event>>;
}

const none = (): { list: [] } => ({ list: [] });

export class Registry {
  readonly #handlers: { readonly [Event in SmsEvent]: Handlers<Event> } = {
    message: none(),
    keyword: none(),
    unmatched: none(),
    invalid: none(),
    unauthorized: none(),
    duplicate: none(),
    busy: none(),
    error: none(),
  };
  readonly #keywords = new KeywordIndex<Registration<"keyword">>();
  #registered = 0;
  /** Called as soon as a handler of messages is registered. */
  #waitingForListener: Array<() => void> = [];

  /** @throws TypeError if the event does not exist, or the handler is not a function */
  add<Event extends SmsEvent>(event: Event, handler: Handler<Event>): void {
    this.#add(event, handler, handler);
  }

  /** Removes the handler when it is called. */
  addOnce<Event extends SmsEvent>(event: Event, handler: Handler<Event>): void {
    const registration: Registration<Event> = this.#add(event, handler, (payload, context): unknown =>
      this.#delete(registration) ? handler(payload, context) : undefined,
    );
  }

  /** Removes the last registration of the handler, as Node's `EventEmitter` does. */
  remove<Event extends SmsEvent>(event: Event, handler: Handler<Event>): void {
    assertEvent(event);
    const last = this.#handlers[event].list.findLast(({ given }) => given === handler);
    if (last !== undefined) this.#delete(last);
  }

  addKeyword(pattern: KeywordPattern, handler: Handler<"keyword">): void {
    const patterns = patternsOf(pattern);
    const registration = this.#register("keyword", handler, handler);
    for (const one of patterns) this.#keywords.add(one, registration);
  }

  /** @throws TypeError if the event is not `keyword`, or the pattern is not valid */
  removeKeyword(event: SmsEvent, pattern: KeywordPattern, handler: Handler<"keyword">): void {
    assertEvent(event);
    if (event !== "keyword") throw invalidArgument(`A pattern goes with "keyword", not with "${event}".`);
    for (const one of patternsOf(pattern)) this.#keywords.remove(one, ({ given }) => given === handler);
  }

  /**
   * Waits for a handler of `message`, `keyword` or `unmatched`, and then for the next turn of the event loop.
   * By then, the handlers that are registered along with it exist too.
   */
  whenListening(): MaybePromise<void> {
    return this.#isListening() ? undefined : new Promise((resolve) => this.#waitingForListener.push(resolve));
  }

  /** The calls for a payload of one event, in order of registration. */
  callsOf<Event extends SmsEvent>(event: Event, payload: SmsEvents[Event]): Array<Call<Event>> {
    return this.#handlers[event].list.map((registration) => new RegisteredCall(registration, payload));
  }

  /** The calls for a valid message, in order of registration. */
  callsOfMessage(message: SmsMessage): Array<Call<MessageEvent>> {
    const calls: Array<Call<MessageEvent>> = this.callsOf("message", message);
    const found = this.#keywords.isEmpty ? [] : this.#keywords.find(message);
    for (const one of found) {
      const { registered } = one;
      if ("cause" in one) {
        calls.push(failedCall("keyword", registered[0]?.order ?? 0, one.cause));
        continue;
      }
      const { match } = one;
      for (const registration of registered) calls.push(new RegisteredCall(registration, match));
      for (const registration of this.#handlers.keyword.list) calls.push(new RegisteredCall(registration, match));
    }
    if (found.length === 0) {
      if (message.keyword !== undefined && this.#handlers.keyword.list.length > 0) {
        calls.push(...this.callsOf("keyword", unregisteredMatch(message.keyword, message)));
      }
      if (!this.#keywords.isEmpty) calls.push(...this.callsOf("unmatched", message));
    }
    return calls.sort((a, b) => a.order - b.order);
  }

  #add<Event extends SmsEvent>(event: Event, given: Handler<Event>, handler: Handler<Event>): Registration<Event> {
    assertEvent(event);
    const registration = this.#register(event, given, handler);
    const handlers: Handlers<Event> = this.#handlers[event];
    handlers.list = [...handlers.list, registration];
    return registration;
  }

  #register<Event extends SmsEvent>(event: Event, given: Handler<Event>, handler: Handler<Event>): Registration<Event> {
    if (typeof given !== "function")
      throw invalidArgument(`The handler of "${event}" must be a function, not ${typeof given}.`);
    if (this.#waitingForListener.length > 0) setImmediate(() => this.#resumeWaiting());
    return { order: this.#registered++, event, given, handler };
  }

  #isListening(): boolean {
    const { message, keyword, unmatched } = this.#handlers;
    return !this.#keywords.isEmpty || [message, keyword, unmatched].some(({ list }) => list.length > 0);
  }

  #resumeWaiting(): void {
    if (!this.#isListening()) return;
    for (const resolve of this.#waitingForListener) resolve();
    this.#waitingForListener = [];
  }

  /** Returns `false` if the registration was deleted before. */
  #delete<Event extends SmsEvent>(registration: Registration<Event>): boolean {
    const handlers: Handlers<Event> = this.#handlers[registration.event];
    const index = handlers.list.indexOf(registration);
    if (index !== -1) handlers.list = handlers.list.toSpliced(index, 1);
    return index !== -1;
  }
}
