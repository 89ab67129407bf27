// What may be there already. Most callbacks are read and handled without waiting for anything; promises for what is there cost more than
// all the rest of the way.

/** A value, or the promise of one. */
export type Eventual<Value> = Value | Promise<Value>;

/** Goes on with a value: at once where it is there. */
export function then<Value, Result>(
  eventual: Eventual<Value>,
  next: (value: Value) => Eventual<Result>,
): Eventual<Result> {
  return eventual instanceof Promise ? eventual.then(next) : next(eventual);
}
