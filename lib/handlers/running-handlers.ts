// The handlers of one payload that still run. They may never end: their promises must not keep the message in memory.

import type { Observation } from "../base/observation.js";
import { whenSettled } from "../base/when-settled.js";
import type { SmsEvent } from "./events.js";
import type { Late } from "./handling.js";
import type { HandlerResult } from "./observer.js";

export interface Failure<Event extends SmsEvent> {
  readonly event: Event;
  readonly cause: unknown;
}

interface Unended<Event extends SmsEvent> {
  readonly event: Event;
  readonly observation: Observation<HandlerResult> | undefined;
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

  add(event: Event, result: PromiseLike<unknown>, observation: Observation<HandlerResult> | undefined): void {
    const one: Unended<Event> = {
      event,
      observation,
      release: whenSettled(result, (rejected) => {
        this.#unended.delete(one);
        if (rejected !== undefined) this.#failures.push({ event, cause: rejected.cause });
        observation?.ended(rejected === undefined ? { result: "ok" } : { result: "error", cause: rejected.cause });
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
  reportTimeout(causeOf: (event: Event) => Error): void {
    for (const { event, observation } of this.#unended)
      observation?.ended({ result: "timeout", cause: causeOf(event) });
  }

  ended(): Promise<"handled" | "failed"> {
    // Replaces the earlier promise, which nobody awaits any more.
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  release(): void {
    for (const { release } of this.#unended) release();
  }
}
