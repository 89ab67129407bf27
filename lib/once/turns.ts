// One at a time: tasks of one name run in the order in which they came, tasks of different names beside each other.

import type { Eventual } from "../eventual.js";

export class Turns {
  /** For each name of which a task waits or runs, the end of the last one. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the task, at once where none of its name waits or runs. The task neither throws nor rejects. */
  run<Result>(name: string, task: () => Eventual<Result>): Eventual<Result> {
    const before = this.#last.get(name);
    const turn = before === undefined ? task() : before.then(task);
    if (!(turn instanceof Promise)) return turn;
    this.#last.set(name, turn);
    void turn.then(() => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    });
    return turn;
  }
}
