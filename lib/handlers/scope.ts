// The methods that register handlers, of the router and of a scope.

import type { KeywordPattern } from "../keywords/patterns.js";
import type { Handler, MessageEvent, SmsEvent } from "./events.js";
import type { Registrar } from "./registrar.js";

/** Methods that register handlers. Each returns the object that it is called on, so calls can be chained. */
export interface Registers<Events extends SmsEvent> {
  /**
   * Registers a handler. Handlers of one callback start in order of registration, run concurrently, and are awaited.
   *
   * @throws TypeError if the event does not exist
   * @example
   * sms.on("message", async (message) => {
   *   await save({ from: message.source, text: message.text });
   * });
   */
  on<Event extends Events>(event: Event, handler: Handler<Event>): this;
  /** Registers a handler for the next event only. */
  once<Event extends Events>(event: Event, handler: Handler<Event>): this;
  /** Removes the last registration of a handler. A callback that is being handled still calls it. */
  off<Event extends Events>(event: Event, handler: Handler<Event>): this;
  /** Removes a handler that `keyword` registered. */
  off(event: "keyword", pattern: KeywordPattern, handler: Handler<"keyword">): this;
  /**
   * Registers a handler for a keyword: a word or a phrase at the start of the text, or after the console's keyword, or
   * as the console's keyword. Case, Unicode form, missing accents, white space and marks around a word do not matter.
   * `alone`, `OPT_OUT`, `POSSIBLE_OPT_OUT`, `OPT_IN` and `HELP` have rules of their own: see docs/keywords.md.
   *
   * A RegExp is matched against the whole text. A stranger wrote that text, so avoid patterns that backtrack.
   *
   * @throws TypeError if a pattern is empty
   * @example
   * sms.keyword(OPT_OUT, ({ source }) => optOut(source));
   * sms.keyword("JOIN", ({ args, source }) => join(source, args[0]));
   */
  keyword(pattern: KeywordPattern, handler: Handler<"keyword">): this;
}

/**
 * Registers handlers for the messages of some business numbers. Handlers of the router run for these as well.
 *
 * @interface
 */
export type Scope = Registers<MessageEvent>;

/** @param self - what the methods return */
export function registers<Events extends SmsEvent, Self>(registrar: Registrar, self: () => Self) {
  return {
    on: <Event extends Events>(event: Event, handler: Handler<Event>): Self => {
      registrar.add(event, handler);
      return self();
    },
    once: <Event extends Events>(event: Event, handler: Handler<Event>): Self => {
      registrar.addOnce(event, handler);
      return self();
    },
    off: (event: SmsEvent, ...rest: [Handler<SmsEvent>] | [KeywordPattern, Handler<"keyword">]): Self => {
      if (rest.length === 1) registrar.remove(event, rest[0]);
      else registrar.removeKeyword(event, ...rest);
      return self();
    },
    keyword: (pattern: KeywordPattern, handler: Handler<"keyword">): Self => {
      registrar.addKeyword(pattern, handler);
      return self();
    },
  };
}
