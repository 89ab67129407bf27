// What may be there already. Most callbacks are read and handled without waiting for anything; promises for what is there cost more than
// all the rest of the way.

/** A value, or the promise of one. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Goes on with a value: at once where it is there. */
export function then<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
