// A message is handled once, and those of one source in turn, as far as the memory of this process reaches.

import { then, type MaybePromise } from "../../base/maybe-promise.js";
import type { TimeLimit } from "../../base/time-limit.js";
import type { Handling, Late } from "../../handlers/handling.js";
import type { HandledKeys } from "./handled-keys.js";
import { Running, type Ended } from "./running.js";
import { Turns } from "./turns.js";

/** What a message is known by. */
interface Known {
  readonly key: string;
  readonly source: string;
}

/** A message whose handlers are being called, and may receive it again. */
interface Start {
  readonly key: string;
  readonly outer: Start | undefined;
  /** There only where a repeat waits for it. */
  running?: Running;
}

export class Once {
  readonly #handledKeys: HandledKeys | undefined;
  readonly #limit: TimeLimit;
  readonly #mostLate: number;
  readonly #turns = new Turns();
  /** The messages that wait for their turn or are being handled. */
  readonly #inFlight = new Map<string, Running>();
  /** Those whose handlers are past their time limit, and may never end. The oldest stands first. */
  readonly #late = new Map<string, { readonly running: Running; readonly late: Late }>();
  #start: Start | undefined;

  /**
   * @param handledKeys - `undefined` where repeats are to be handled again
   * @param mostLate - how many messages are remembered whose handlers do not end: beyond it, a repeat of the oldest is handled again
   */
  constructor(handledKeys: HandledKeys | undefined, limit: TimeLimit, mostLate: number) {
    this.#handledKeys = handledKeys;
    this.#limit = limit;
    this.#mostLate = mostLate;
  }

  /** What became of a message; `duplicate` where an earlier delivery of it was handled. Neither throws nor rejects. */
  handle({ key, source }: Known, handle: () => MaybePromise<Handling>): MaybePromise<Ended | "duplicate"> {
    const handledKeys = this.#handledKeys;
    if (handledKeys === undefined) return then(this.#turns.run(source, handle), forgotten);
    if (handledKeys.has(key)) return "duplicate";
    const first = this.#inFlight.get(key) ?? this.#late.get(key)?.running ?? this.#starting(key);
    // Also where it is past its time limit: the repeat ends as it does.
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

  /** Whether a delivery of the message was handled, so that this one waits for nothing. */
  isHandled({ key }: Known): boolean {
    return this.#handledKeys?.has(key) === true;
  }

  /** Whether the handlers of a message of the source are being called and have not returned. */
  isCalling(source: string): boolean {
    return this.#turns.isCalling(source);
  }

  /** Forgets what does not end. */
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

/** The outcome, where nobody asks how late handlers end. */
function forgotten({ outcome, late }: Handling): Ended {
  late?.release();
  return outcome;
}
