// Observes the callbacks of a router: the simulator does. Without an observer, each place costs one check.

import type { UnauthorizedCallback } from "../access/unauthorized.js";
import type { Answer, Receipt } from "../answer/receipt.js";
import type { HandlerObserver } from "../handlers/observer.js";

/** The answer to a callback: a receipt, or the answer to a caller that was not authorized, or that was not read. */
export interface ObservedAnswer extends Answer, Partial<Pick<Receipt, "outcome" | "message" | "problem">> {
  readonly unauthorized?: UnauthorizedCallback;
}

/** Its functions must not throw. */
export interface Observer extends HandlerObserver {
  /** A callback arrived. @returns a function that is called with its answer */
  callback(method: "GET" | "POST"): (answer: ObservedAnswer) => void;
  /** The router starts to close. */
  closing(): void;
}

/** The observers of one router. */
export class Observers {
  readonly #all: Observer[] = [];
  /** All observers as one; `undefined` without any. */
  current: Observer | undefined;

  add(observer: Observer): void {
    this.#all.push(observer);
    this.current = this.#all.length === 1 ? observer : together(this.#all);
  }
}

function together(all: readonly Observer[]): Observer {
  return {
    callback: (method) => {
      const ends = all.map((one) => one.callback(method));
      return (answer) => ends.forEach((end) => end(answer));
    },
    handler: (call) => {
      const ends = all.map((one) => one.handler(call));
      return (...result) => ends.forEach((end) => end(...result));
    },
    announced: (event, payload) => all.forEach((one) => one.announced(event, payload)),
    closing: () => all.forEach((one) => one.closing()),
  };
}
