// Who listens to what. A callback takes what is registered when its handling starts; what changes later is for the next one.

import type { SmsMessage } from "../callback/message.js";
import { assertEvent, type Handler, type HandlerContext, type SmsEvent, type SmsEvents } from "./events.js";
import { KeywordIndex, unregisteredMatch } from "./keyword-index.js";
import { patternsOf, type KeywordPattern } from "./keywords.js";

/** A handler as it was registered. Handlers start in the order of `order`. */
interface Registration<Event extends SmsEvent> {
  readonly order: number;
  readonly event: Event;
  readonly handler: Handler<Event>;
  readonly once: boolean;
}

/** A handler to be called, and with what. */
export interface Call<Event extends SmsEvent = SmsEvent> {
  readonly order: number;
  readonly event: Event;
  start(context: HandlerContext): unknown;
}

/** The events that a valid callback leads to. */
export type MessageEvent = "message" | "keyword" | "unmatched";

/** Replaced, never changed, so that a callback that is being handled keeps what it took. */
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
    duplicate: none(),
    error: none(),
  };
  readonly #keywords = new KeywordIndex<Registration<"keyword">>();
  #registered = 0;

  /** @throws TypeError where there is no such event, or the handler is no function */
  add<Event extends SmsEvent>(event: Event, handler: Handler<Event>, once: boolean): void {
    assertEvent(event);
    const handlers: Handlers<Event> = this.#handlers[event];
    handlers.list = [...handlers.list, this.#register(event, handler, once)];
  }

  /** Takes out the last registration of the handler, as Node's own emitters do. */
  remove<Event extends SmsEvent>(event: Event, handler: Handler<Event>): void {
    assertEvent(event);
    const handlers: Handlers<Event> = this.#handlers[event];
    const last = handlers.list.findLastIndex((registration) => registration.handler === handler);
    if (last !== -1) handlers.list = handlers.list.toSpliced(last, 1);
  }

  addKeyword(pattern: KeywordPattern, handler: Handler<"keyword">): void {
    const registration = this.#register("keyword", handler, false);
    for (const one of patternsOf(pattern)) this.#keywords.add(one, registration);
  }

  removeKeyword(pattern: KeywordPattern, handler: Handler<"keyword">): void {
    for (const one of patternsOf(pattern))
      this.#keywords.remove(one, (registration) => registration.handler === handler);
  }

  /** What a payload of one event leads to, in order of registration. */
  callsOf<Event extends SmsEvent>(event: Event, payload: SmsEvents[Event]): Array<Call<Event>> {
    return this.#handlers[event].list.map((registration) => this.#call(registration, payload));
  }

  /** What a valid callback leads to, in order of registration. */
  callsOfMessage(message: SmsMessage): Array<Call<MessageEvent>> {
    const calls: Array<Call<MessageEvent>> = this.callsOf("message", message);
    const found = this.#keywords.isEmpty ? [] : this.#keywords.find(message);
    for (const { match, registered } of found) {
      for (const registration of registered) calls.push(this.#call(registration, match));
      calls.push(...this.callsOf("keyword", match));
    }
    if (found.length === 0) {
      if (message.keyword !== undefined && this.#handlers.keyword.list.length > 0) {
        calls.push(...this.callsOf("keyword", unregisteredMatch(message.keyword, message)));
      }
      if (!this.#keywords.isEmpty) calls.push(...this.callsOf("unmatched", message));
    }
    return calls.sort((a, b) => a.order - b.order);
  }

  #register<Event extends SmsEvent>(event: Event, handler: Handler<Event>, once: boolean): Registration<Event> {
    if (typeof handler !== "function")
      throw new TypeError(`The handler of "${event}" must be a function, not ${typeof handler}.`);
    return { order: this.#registered++, event, handler, once };
  }

  #call<Event extends SmsEvent>(registration: Registration<Event>, payload: SmsEvents[Event]): Call<Event> {
    const { order, event, handler } = registration;
    const start = (context: HandlerContext): unknown =>
      this.#claim(registration) ? handler(payload, context) : undefined;
    return { order, event, start };
  }

  /** Takes out a registration made with `once`; `false` where it was taken out before. */
  #claim<Event extends SmsEvent>(registration: Registration<Event>): boolean {
    if (!registration.once) return true;
    const handlers: Handlers<Event> = this.#handlers[registration.event];
    const index = handlers.list.indexOf(registration);
    if (index !== -1) handlers.list = handlers.list.toSpliced(index, 1);
    return index !== -1;
  }
}
