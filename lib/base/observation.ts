// What an observer returns when something begins: it is called at the end, and may choose the context for the run.

export interface Observation<Result> {
  /** Runs the step that is observed: synchronously, and once. Absent if no observer chooses a context. */
  readonly run?: (<Value>(step: () => Value) => Value) | undefined;
  /** Called when it has ended. */
  ended(result: Result): void;
}

/** Runs a step as its observers want it. */
export function within<Value>({ run }: Pick<Observation<never>, "run">, step: () => Value): Value {
  return run === undefined ? step() : run(step);
}
