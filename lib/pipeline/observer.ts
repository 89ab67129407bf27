// Observes the callbacks of a router: the simulator does. Without an observer, each place costs one check.

import type { UnauthorizedCallback } from "../access/unauthorized.js";
import type { Answer, Receipt } from "../answer/receipt.js";
import type { HandlerObserver } from "../handlers/observer.js";

/** The answer to a callback: a receipt, or the answer to a caller that was not authorized, or that was not read. */
export interface ObservedAnswer extends Answer, Partial<Pick<Receipt, "outcome" | "message" | "problem">> {
  readonly unauthorized?: UnauthorizedCallback;
}

/** If a function of it throws, the router logs that, and goes on. */
export interface Observer extends HandlerObserver {
  /** A callback arrived. @returns a function that is called with its answer */
  callback(method: "GET" | "POST"): (answer: ObservedAnswer) => void;
  /** The router starts to close. */
  closing(): void;
}

/** The observers of one router. One that throws harms neither a callback nor another observer. */
export class Observers {
  readonly #all: Observer[] = [];
  readonly #failed: (cause: unknown) => void;
  /** All observers as one; `undefined` without any. */
  current: Observer | undefined;

  /** @param failed - called with what an observer threw */
  constructor(failed: (cause: unknown) => void) {
    this.#failed = failed;
  }

  add(observer: Observer): void {
    this.#all.push(observer);
    this.current = together(this.#all, this.#failed);
  }
}

function together(all: readonly Observer[], failed: (cause: unknown) => void): Observer {
  const guarded = <Result>(call: () => Result): Result | undefined => {
    try {
      return call();
    } catch (cause) {
      failed(cause);
      return undefined;
    }
  };
  const each = <Result>(call: (one: Observer) => Result): Array<Result | undefined> =>
    all.map((one) => guarded(() => call(one)));
  return {
    callback: (method) => {
      const ends = each((one) => one.callback(method));
      return (answer) => ends.forEach((end) => guarded(() => end?.(answer)));
    },
    handler: (call) => {
      const ends = each((one) => one.handler(call));
      return (...result) => ends.forEach((end) => guarded(() => end?.(...result)));
    },
    announced: (event, payload) => each((one) => one.announced(event, payload)),
    closing: () => each((one) => one.closing()),
  };
}
