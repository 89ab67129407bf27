// One at a time: tasks of one name run in the order in which they came, tasks of different names beside each other.

import type { MaybePromise } from "../../base/maybe-promise.js";

/** A task that was called and has not returned: one of the same name that it starts comes after it. */
interface Call {
  readonly name: string;
  readonly outer: Call | undefined;
  /** Resolves at the task's end; there only where another waits for it. */
  end?: Promise<void>;
  resolve?: () => void;
}

export class Turns {
  /** For each name of which a task waits or runs, the end of the last one. */
  readonly #last = new Map<string, Promise<unknown>>();
  #call: Call | undefined;

  /** Whether a task of the name was called and has not returned. */
  isCalling(name: string): boolean {
    return this.#calling(name) !== undefined;
  }

  /** Runs the task, at once where none of its name waits or runs. One that throws or rejects, as anything does at the end of the stack, holds up no other. */
  run<Result>(name: string, task: () => MaybePromise<Result>): MaybePromise<Result> {
    const before = this.#last.get(name) ?? this.#endOf(this.#calling(name));
    return before === undefined ? this.#begin(name, task) : this.#add(name, before.then(task, task));
  }

  #begin<Result>(name: string, task: () => MaybePromise<Result>): MaybePromise<Result> {
    const call: Call = { name, outer: this.#call };
    this.#call = call;
    let turn: MaybePromise<Result> | undefined;
    try {
      turn = task();
    } finally {
      // Also where the stack is at its end, at which anything throws.
      this.#call = call.outer;
      if (!(turn instanceof Promise)) call.resolve?.();
    }
    if (!(turn instanceof Promise)) return turn;
    if (call.resolve === undefined) return this.#add(name, turn);
    // What came meanwhile is the last one.
    void turn.then(call.resolve, call.resolve);
    return turn;
  }

  #add<Result>(name: string, turn: Promise<Result>): Promise<Result> {
    this.#last.set(name, turn);
    const end = (): void => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
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
