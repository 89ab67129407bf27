// Runs tasks of one name one after the other, in order of arrival. Tasks of different names run concurrently.

import type { MaybePromise } from "../../base/maybe-promise.js";

/** A task that was called and has not returned. A task of the same name that it starts waits for its end. */
interface Call {
  readonly name: string;
  readonly outer: Call | undefined;
  /** Resolves when the task ends. Set only if another task waits for it. */
  end?: Promise<void>;
  resolve?: () => void;
}

export class Turns {
  /** The tasks of each name that wait or run: how many, and the end of the last one. */
  readonly #queues = new Map<string, { last: Promise<unknown>; length: number }>();
  #call: Call | undefined;

  /** How many tasks of the name wait or run. Tasks that have not returned yet do not count. */
  lengthOf(name: string): number {
    return this.#queues.get(name)?.length ?? 0;
  }

  /** Whether a task of the name was called and has not returned. */
  isCalling(name: string): boolean {
    return this.#calling(name) !== undefined;
  }

  /**
   * Runs the task: at once if no task of its name waits or runs. A task that throws or rejects, as any function does at
   * the end of the stack, holds up no other.
   */
  run<Result>(name: string, task: () => MaybePromise<Result>): MaybePromise<Result> {
    const before = this.#queues.get(name)?.last ?? this.#endOf(this.#calling(name));
    return before === undefined ? this.#begin(name, task) : this.#add(name, before.then(task, task));
  }

  #begin<Result>(name: string, task: () => MaybePromise<Result>): MaybePromise<Result> {
    const call: Call = { name, outer: this.#call };
    this.#call = call;
    let turn: MaybePromise<Result> | undefined;
    try {
      turn = task();
    } finally {
      // A `finally`, since even a task that does not throw fails when the stack overflows.
      this.#call = call.outer;
      if (!(turn instanceof Promise)) call.resolve?.();
    }
    if (!(turn instanceof Promise)) return turn;
    if (call.resolve === undefined) return this.#add(name, turn);
    // A task that came meanwhile is already the last of its name.
    void turn.then(call.resolve, call.resolve);
    return turn;
  }

  #add<Result>(name: string, turn: Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(name) ?? { last: turn, length: 0 };
    queue.last = turn;
    queue.length++;
    this.#queues.set(name, queue);
    const end = (): void => {
      queue.length--;
      if (queue.length === 0) this.#queues.delete(name);
    };
    void turn.then(end, end);
    return turn;
  }

  #calling(name: string): Call | undefined {
    let call = this.#call;
    while (call !== undefined && call.name !== name) call = call.outer;
    return call;
  }

  #endOf(call: Call | undefined): Promise<void> | undefined {
    if (call === undefined) return undefined;
    return (call.end ??= new Promise((resolve) => (call.resolve = resolve)));
  }
}
