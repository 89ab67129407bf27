// Handles each message once, and the messages of one source one after the other, within this process.

import { then, type MaybePromise } from "../../base/maybe-promise.js";
import type { TimeLimit } from "../../base/time-limit.js";
import type { Handling, Late } from "../../handlers/handling.js";
import type { HandledKeys } from "./handled-keys.js";
import { Running, type Ended } from "./pending-message.js";
import { Turns } from "./turns.js";

type Outcome = Ended | "duplicate" | "source" | "capacity";

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

/** The slots of duplicates that wait for a message in flight. */
export interface DuplicateSlots {
  /** Whether there is room for one more. */
  enter(): boolean;
  leave(): void;
}

interface OnceSettings {
  /** `undefined`: duplicates are handled again. */
  readonly handledKeys: HandledKeys | undefined;
  readonly limit: TimeLimit;
  readonly maxInFlight: number;
  readonly duplicates: DuplicateSlots;
}

export class Once {
  readonly #handledKeys: HandledKeys | undefined;
  readonly #limit: TimeLimit;
  /** How many messages past their time limit are remembered. Beyond it, a duplicate of the oldest is handled again. */
  readonly #maxLate: number;
  /** How many messages of one source may wait or run: the others leave room for other sources. */
  readonly #maxOfSource: number;
  readonly #duplicates: DuplicateSlots;
  readonly #turns = new Turns();
  /** The messages that wait for their turn or are being handled, by key. */
  readonly #inFlight = new Map<string, Running>();
  /** The messages whose handlers are past their time limit, and may never end. The oldest first. */
  readonly #late = new Map<string, { readonly running: Running; readonly late: Late }>();
  #start: Start | undefined;

  constructor({ handledKeys, limit, maxInFlight, duplicates }: OnceSettings) {
    this.#handledKeys = handledKeys;
    this.#limit = limit;
    this.#maxLate = maxInFlight;
    this.#maxOfSource = Math.max(1, Math.floor(maxInFlight / 4));
    this.#duplicates = duplicates;
  }

  /**
   * Returns how the message ended. `duplicate`: an earlier delivery was handled. `source`: too many messages of its
   * source are in flight. `capacity`: too many duplicates are. Neither throws nor rejects.
   */
  handle({ key, source }: Identity, handle: () => MaybePromise<Handling>): MaybePromise<Outcome> {
    const handledKeys = this.#handledKeys;
    if (handledKeys?.has(key) === true) return "duplicate";
    const first = this.#inFlight.get(key) ?? this.#late.get(key)?.running ?? this.#starting(key);
    // The duplicate ends as the first delivery does, even if that one is past its time limit.
    if (first !== undefined) return this.#waitFor(first);
    if (this.#turns.lengthOf(source) >= this.#maxOfSource) return "source";
    if (handledKeys === undefined) return then(this.#turns.run(source, handle), outcomeWithoutLate);
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

  async #waitFor(first: Running): Promise<Outcome> {
    if (!this.#duplicates.enter()) return "capacity";
    const ended = await first.wait(this.#limit);
    this.#duplicates.leave();
    return ended === "handled" ? "duplicate" : ended;
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
    if (oldest === undefined || this.#late.size <= this.#maxLate) return;
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
