// Observes a router: its channels do, and those that were added, such as the simulator and the metrics. While nobody
// observes, each place costs one check.

import type { UnauthorizedCallback } from "../access/unauthorized.js";
import type { Answer, Receipt } from "../answer/receipt.js";
import type { Observation } from "../base/observation.js";
import type { SmsMessage } from "../callback/message.js";
import type { HandlerObserver, HandlerObservers } from "../handlers/observer.js";

/** The answer to a callback: a receipt, or the answer to a caller that was not authorized, or that was not read. @inline */
export interface ObservedAnswer extends Answer, Partial<Pick<Receipt, "outcome" | "message" | "problem">> {
  /** Why the caller was rejected; present only then. */
  readonly unauthorized?: UnauthorizedCallback;
}

/** The result of storing a message in the inbox, or the error for which it was not stored. */
export type ObservedStore = { readonly stored: "stored" | "duplicate" } | { readonly cause: unknown };

interface StoreObservation extends Observation<ObservedStore> {
  /** Read when the step runs: the context of the callback's trace, to be stored with the message. */
  readonly traceparent?: string | undefined;
}

/** If a function of it throws, the router logs that, and goes on. */
export interface Observer extends HandlerObserver {
  /** A callback arrived. */
  callback(method: "GET" | "POST"): Observation<ObservedAnswer> | undefined;
  /** A message is about to be stored in the inbox. */
  store?(message: SmsMessage): StoreObservation | undefined;
  /** The inbox failed to hand out messages (`take`), or to write how they ended (`end`). */
  inboxFailed?(operation: "take" | "end"): void;
  /**
   * A message became a dead letter: its attempts have failed, its process ended in each of them, or what the inbox has
   * of it cannot be read.
   */
  deadLetter?(cause: "attempts" | "cut-short" | "unreadable"): void;
  /** The router starts to close. */
  closing?(): void;
}

/** The observer that publishes on the channels of the process, to those who have subscribed. */
export interface Channels extends Pick<Observer, "callback" | "handler" | "store"> {
  readonly isActive: Readonly<Record<"callback" | "handler" | "store", () => boolean>>;
}

/** The observers of one router. One that throws harms neither a callback nor another observer. */
export class Observers implements HandlerObservers {
  readonly #channels: Channels;
  readonly #failed: (cause: unknown) => void;
  readonly #added: Observer[] = [];
  /** Those that were added, as one; `undefined` without any. */
  #all: Observer | undefined;
  #withChannels: Observer;

  /** @param failed - called with what an observer threw */
  constructor(channels: Channels, failed: (cause: unknown) => void) {
    this.#channels = channels;
    this.#failed = failed;
    this.#withChannels = together(channels, [], failed);
  }

  add(observer: Observer): void {
    this.#added.push(observer);
    this.#all = together(undefined, this.#added, this.#failed);
    this.#withChannels = together(this.#channels, this.#added, this.#failed);
  }

  get ofCallbacks(): Observer | undefined {
    return this.#channels.isActive.callback() ? this.#withChannels : this.#all;
  }

  get ofHandlers(): Observer | undefined {
    return this.#channels.isActive.handler() ? this.#withChannels : this.#all;
  }

  get ofStores(): Observer | undefined {
    return this.#channels.isActive.store() ? this.#withChannels : this.#all;
  }

  /** Those of what has no channel. */
  get ofEvents(): Observer | undefined {
    return this.#all;
  }
}

/** @param channels - they alone choose the context in which something runs */
function together(
  channels: Channels | undefined,
  added: readonly Observer[],
  failed: (cause: unknown) => void,
): Observer {
  const guarded = <Result>(call: () => Result): Result | undefined => {
    try {
      return call();
    } catch (cause) {
      failed(cause);
      return undefined;
    }
  };
  const each = <Result>(call: (one: Observer) => Result): Result[] =>
    added.flatMap((one) => guarded(() => call(one)) ?? []);
  const joined = <Result, One extends Observation<Result>>(
    published: One | undefined,
    others: ReadonlyArray<Observation<Result>>,
  ): (Observation<Result> & { readonly published: One | undefined }) | undefined => {
    if (published === undefined && others.length === 0) return undefined;
    return {
      published,
      run: published?.run,
      ended: (result) => {
        others.forEach((other) => guarded(() => other.ended(result)));
        guarded(() => published?.ended(result));
      },
    };
  };
  return {
    callback: (method) =>
      joined(
        channels?.callback(method),
        each((one) => one.callback(method)).filter((one) => one !== undefined),
      ),
    handler: (call) =>
      joined(
        channels?.handler(call),
        each((one) => one.handler(call)).filter((one) => one !== undefined),
      ),
    store: (message) => {
      const observation = joined<ObservedStore, StoreObservation>(
        channels?.store?.(message),
        each((one) => one.store?.(message)).filter((one) => one !== undefined),
      );
      return (
        observation && {
          ...observation,
          get traceparent() {
            return guarded(() => observation.published?.traceparent);
          },
        }
      );
    },
    announced: (...announced) => void each((one) => one.announced(...announced)),
    inboxFailed: (operation) => void each((one) => one.inboxFailed?.(operation)),
    deadLetter: (cause) => void each((one) => one.deadLetter?.(cause)),
    closing: () => void each((one) => one.closing?.()),
  };
}
