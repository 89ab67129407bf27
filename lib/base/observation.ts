// What an observer makes of something that begins: it is called at the end, and may choose the context in which it runs.

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
