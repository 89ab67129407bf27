// The handlers of one payload that have not ended. They may never do so: what they returned holds nothing of the message.

import { whenSettled } from "../base/when-settled.js";
import type { SmsEvent } from "./events.js";
import type { Late } from "./handling.js";

export interface Failure<Event extends SmsEvent> {
  readonly event: Event;
  readonly cause: unknown;
}

interface Unended<Event extends SmsEvent> {
  readonly event: Event;
  readonly release: () => void;
}

export class Running<Event extends SmsEvent> implements Late {
  readonly #unended = new Set<Unended<Event>>();
  readonly #failures: Array<Failure<Event>>;
  #resolve: ((ended: "handled" | "failed") => void) | undefined;

  /** @param failures - gets those that fail */
  constructor(failures: Array<Failure<Event>>) {
    this.#failures = failures;
  }

  add(event: Event, result: PromiseLike<unknown>): void {
    const one: Unended<Event> = {
      event,
      release: whenSettled(result, (rejected) => {
        this.#unended.delete(one);
        if (rejected !== undefined) this.#failures.push({ event, cause: rejected.cause });
        if (this.#unended.size === 0) this.#resolve?.(this.#failures.length === 0 ? "handled" : "failed");
      }),
    };
    this.#unended.add(one);
  }

  /** Of each handler that still runs. */
  get events(): Event[] {
    return Array.from(this.#unended, ({ event }) => event);
  }

  ended(): Promise<"handled" | "failed"> {
    // In place of the one before, whose time is over.
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  release(): void {
    for (const { release } of this.#unended) release();
  }
}
