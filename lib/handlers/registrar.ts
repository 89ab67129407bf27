// Registers handlers, for the router or for some business numbers.

import { invalidArgument } from "../base/errors.js";
import { isOptOut, patternsOf, type KeywordPattern } from "../keywords/patterns.js";
import { assertEvent, type Handler, type SmsEvent } from "./events.js";
import type { HandlerSet, Registration } from "./handler-set.js";

interface RegistrarOptions {
  /** The sets in which each handler is registered. */
  readonly sets: readonly HandlerSet[];
  /** The events that handlers can be registered for. */
  readonly events: readonly SmsEvent[];
  /** Called for each registration, and returns its place in the order of all. */
  readonly nextOrder: () => number;
  /** Called when a word that opts out is registered. */
  readonly whenOptOut: () => void;
}

export class Registrar {
  readonly #sets: readonly HandlerSet[];
  readonly #events: readonly SmsEvent[];
  readonly #nextOrder: () => number;
  readonly #whenOptOut: () => void;

  constructor({ sets, events, nextOrder, whenOptOut }: RegistrarOptions) {
    this.#sets = sets;
    this.#events = events;
    this.#nextOrder = nextOrder;
    this.#whenOptOut = whenOptOut;
  }

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
    assertEvent(event, this.#events);
    const last = this.#sets[0]?.of(event).findLast(({ given }) => given === handler);
    if (last !== undefined) this.#delete(last);
  }

  addKeyword(pattern: KeywordPattern, handler: Handler<"keyword">): void {
    const patterns = patternsOf(pattern);
    const registration = this.#register("keyword", handler, handler);
    for (const { keywords } of this.#sets) for (const one of patterns) keywords.add(one, registration);
    if (patterns.some(isOptOut)) this.#whenOptOut();
  }

  /** @throws TypeError if the event is not `keyword`, or the pattern is not valid */
  removeKeyword(event: SmsEvent, pattern: KeywordPattern, handler: Handler<"keyword">): void {
    assertEvent(event, this.#events);
    if (event !== "keyword") throw invalidArgument(`A pattern goes with "keyword", not with "${event}".`);
    const patterns = patternsOf(pattern);
    for (const { keywords } of this.#sets)
      for (const one of patterns) keywords.remove(one, ({ given }) => given === handler);
  }

  #add<Event extends SmsEvent>(event: Event, given: Handler<Event>, handler: Handler<Event>): Registration<Event> {
    assertEvent(event, this.#events);
    const registration = this.#register(event, given, handler);
    for (const set of this.#sets) set.add(registration);
    return registration;
  }

  #register<Event extends SmsEvent>(event: Event, given: Handler<Event>, handler: Handler<Event>): Registration<Event> {
    if (typeof given !== "function")
      throw invalidArgument(`The handler of "${event}" must be a function, not ${typeof given}.`);
    return { order: this.#nextOrder(), event, given, handler };
  }

  /** Returns `false` if the registration was deleted before. */
  #delete<Event extends SmsEvent>(registration: Registration<Event>): boolean {
    return this.#sets.map((set) => set.delete(registration)).includes(true);
  }
}
