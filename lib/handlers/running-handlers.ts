// The handlers of one payload that still run. They may never end: their promises must not keep the message in memory.

import { whenSettled } from "../base/when-settled.js";
import type { SmsEvent } from "./events.js";
import type { Late } from "./handling.js";
import type { HandlerObserver } from "./observer.js";

export interface Failure<Event extends SmsEvent> {
  readonly event: Event;
  readonly cause: unknown;
}

/** Reports to an observer that a handler has ended. */
type Ended = ReturnType<HandlerObserver["handler"]>;

interface Unended<Event extends SmsEvent> {
  readonly event: Event;
  readonly ended: Ended | undefined;
  readonly release: () => void;
}

export class Running<Event extends SmsEvent> implements Late {
  readonly #unended = new Set<Unended<Event>>();
  readonly #failures: Array<Failure<Event>>;
  #resolve: ((ended: "handled" | "failed") => void) | undefined;

  /** @param failures - the list to which failures are added */
  constructor(failures: Array<Failure<Event>>) {
    this.#failures = failures;
  }

  add(event: Event, result: PromiseLike<unknown>, ended: Ended | undefined): void {
    const one: Unended<Event> = {
      event,
      ended,
      release: whenSettled(result, (rejected) => {
        this.#unended.delete(one);
        if (rejected !== undefined) this.#failures.push({ event, cause: rejected.cause });
        if (rejected === undefined) ended?.("ok");
        else ended?.("error", rejected.cause);
        if (this.#unended.size === 0) this.#resolve?.(this.#failures.length === 0 ? "handled" : "failed");
      }),
    };
    this.#unended.add(one);
  }

  /** The event of each handler that still runs. */
  get events(): Event[] {
    return Array.from(this.#unended, ({ event }) => event);
  }

  /** Reports those that still run as past their time limit. */
  reportTimeout(): void {
    for (const { ended } of this.#unended) ended?.("timeout");
  }

  ended(): Promise<"handled" | "failed"> {
    // Replaces the earlier promise, which nobody awaits any more.
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  release(): void {
    for (const { release } of this.#unended) release();
  }
}
