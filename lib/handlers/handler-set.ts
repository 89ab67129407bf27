// The handlers of one receiver of messages: of the router, or of one business number.

import { KeywordIndex } from "../keywords/keyword-index.js";
import type { Handler, SmsEvent } from "./events.js";

/** A registered handler. Handlers start in the order of `order`. */
export interface Registration<Event extends SmsEvent> {
  readonly order: number;
  readonly event: Event;
  /** The function that the user passed, by which `off` finds the registration. */
  readonly given: Handler<Event>;
  readonly handler: Handler<Event>;
}

/** The list is replaced, never changed, so that a callback that is being handled keeps its handlers. */
interface Handlers<Event extends SmsEvent> {
  list: ReadonlyArray<Registration<Event>>;
}

const none = (): { list: [] } => ({ list: [] });

export class HandlerSet {
  readonly keywords = new KeywordIndex<Registration<"keyword">>();
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

  of<Event extends SmsEvent>(event: Event): ReadonlyArray<Registration<Event>> {
    return this.#handlers[event].list;
  }

  add<Event extends SmsEvent>(registration: Registration<Event>): void {
    const handlers: Handlers<Event> = this.#handlers[registration.event];
    handlers.list = [...handlers.list, registration];
  }

  /** Returns `false` if the registration was deleted before. */
  delete<Event extends SmsEvent>(registration: Registration<Event>): boolean {
    const handlers: Handlers<Event> = this.#handlers[registration.event];
    const index = handlers.list.indexOf(registration);
    if (index !== -1) handlers.list = handlers.list.toSpliced(index, 1);
    return index !== -1;
  }

  /** Whether a message can meet a handler here. */
  get isListening(): boolean {
    const { message, keyword, unmatched } = this.#handlers;
    return !this.keywords.isEmpty || [message, keyword, unmatched].some(({ list }) => list.length > 0);
  }
}
