// Values that may be there already, without a promise. Most callbacks are read and handled synchronously: promises for
// them would cost more than all other processing.

/** A value, or the promise of one. @inline */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Calls `next` with the value: synchronously if it is there, otherwise when its promise resolves. */
export function then<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
