// One at a time: tasks of one name run in the order in which they came, tasks of different names beside each other.

export class Turns {
  /** For each name, the end of the last task that came. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the task, at once where none of its name is waiting or running. The task must not reject. */
  run<Result>(name: string, task: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name);
    const turn = before === undefined ? task() : before.then(task);
    this.#last.set(name, turn);
    void turn.then(() => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    });
    return turn;
  }
}
