// Handles each message once, and the messages of one source one after the other, within this process.

import { then, type MaybePromise } from "../../base/maybe-promise.js";
import type { TimeLimit } from "../../base/time-limit.js";
import type { Handling, Late } from "../../handlers/handling.js";
import type { HandledKeys } from "./handled-keys.js";
import { Running, type Ended } from "./running.js";
import { Turns } from "./turns.js";

interface Identity {
  readonly key: string;
  readonly source: string;
}

/** A message whose handlers are being called. They may receive the same message again. */
interface Start {
  readonly key: string;
  readonly outer: Start | undefined;
  /** Set only if a duplicate waits for the message. */
  running?: Running;
}

export class Once {
  readonly #handledKeys: HandledKeys | undefined;
  readonly #limit: TimeLimit;
  readonly #mostLate: number;
  readonly #turns = new Turns();
  /** The messages that wait for their turn or are being handled, by key. */
  readonly #inFlight = new Map<string, Running>();
  /** The messages whose handlers are past their time limit, and may never end. The oldest first. */
  readonly #late = new Map<string, { readonly running: Running; readonly late: Late }>();
  #start: Start | undefined;

  /**
   * @param handledKeys - `undefined` if duplicates are to be handled again
   * @param mostLate - how many messages past their time limit are remembered; beyond it, a duplicate of the oldest is
   * handled again
   */
  constructor(handledKeys: HandledKeys | undefined, limit: TimeLimit, mostLate: number) {
    this.#handledKeys = handledKeys;
    this.#limit = limit;
    this.#mostLate = mostLate;
  }

  /** Returns how the message ended; `duplicate` if an earlier delivery was handled. Neither throws nor rejects. */
  handle({ key, source }: Identity, handle: () => MaybePromise<Handling>): MaybePromise<Ended | "duplicate"> {
    const handledKeys = this.#handledKeys;
    if (handledKeys === undefined) return then(this.#turns.run(source, handle), outcomeWithoutLate);
    if (handledKeys.has(key)) return "duplicate";
    const first = this.#inFlight.get(key) ?? this.#late.get(key)?.running ?? this.#starting(key);
    // The duplicate ends as the first delivery does, even if that one is past its time limit.
    if (first !== undefined)
      return first.wait(this.#limit).then((ended) => (ended === "handled" ? "duplicate" : ended));
    const start: Start = { key, outer: this.#start };
    this.#start = start;
    let handling: MaybePromise<Handling> | undefined;
    try {
      handling = this.#turns.run(source, handle);
    } finally {
      this.#start = start.outer;
      if (handling === undefined) start.running?.end("failed");
    }
    if (handling instanceof Promise) this.#remember(key, start.running ?? new Running(), handling);
    else this.#end(key, start.running, handling.outcome);
    return then(handling, outcomeOf);
  }

  /** Whether a delivery of the message was handled, so that this one does not wait. */
  isHandled({ key }: Identity): boolean {
    return this.#handledKeys?.has(key) === true;
  }

  /** Whether the handlers of a message of the source are being called and have not returned. */
  isCalling(source: string): boolean {
    return this.#turns.isCalling(source);
  }

  /** Forgets the messages that have not ended. */
  close(): void {
    this.#inFlight.clear();
    for (const { late } of this.#late.values()) late.release();
    this.#late.clear();
  }

  #remember(key: string, running: Running, handling: Promise<Handling>): void {
    this.#inFlight.set(key, running);
    const end = ({ outcome, late }: Handling): void => {
      this.#inFlight.delete(key);
      if (late === undefined) this.#end(key, running, outcome);
      else {
        this.#addLate(key, running, late);
        void late.ended().then((ended) => {
          if (this.#late.get(key)?.running === running) this.#late.delete(key);
          this.#end(key, running, ended);
        });
      }
    };
    // At the end of the stack, anything may reject.
    void handling.then(end, () => end({ outcome: "failed" }));
  }

  #addLate(key: string, running: Running, late: Late): void {
    this.#late.set(key, { running, late });
    const [oldest] = this.#late;
    if (oldest === undefined || this.#late.size <= this.#mostLate) return;
    this.#late.delete(oldest[0]);
    oldest[1].late.release();
  }

  #end(key: string, running: Running | undefined, outcome: Ended): void {
    if (outcome === "handled") this.#handledKeys?.add(key);
    running?.end(outcome);
  }

  #starting(key: string): Running | undefined {
    let start = this.#start;
    while (start !== undefined && start.key !== key) start = start.outer;
    return start && (start.running ??= new Running());
  }
}

function outcomeOf({ outcome }: Handling): Ended {
  return outcome;
}

/** The outcome, without waiting for late handlers. */
function outcomeWithoutLate({ outcome, late }: Handling): Ended {
  late?.release();
  return outcome;
}
