// Whether a message was received by a handler of one of the same source: that one is handled when this handler has ended, so that it must not wait.

import { AsyncLocalStorage } from "node:async_hooks";

import { then, type MaybePromise } from "../../base/maybe-promise.js";

/** A message whose handlers run, and the one whose handlers received it. */
interface Frame {
  readonly router: Nesting;
  readonly source: string;
  /** One that is over is left out as soon as another is within. */
  outer: Frame | undefined;
  isOver: boolean;
}

/**
 * One for all routers: up to Node 22 each one that was ever used makes every promise of the process a little slower, for good. So it is made only for
 * those who call `sms.receive`.
 */
let frames: AsyncLocalStorage<Frame> | undefined;

export class Nesting {
  /** Runs what receives a message by another way than HTTP. */
  receive<Result>(receive: () => Result): Result {
    frames ??= new AsyncLocalStorage();
    return receive();
  }

  /** Starts the handlers of a message. */
  handle<Result>(source: string, handle: () => MaybePromise<Result>): MaybePromise<Result> {
    if (frames === undefined) return handle();
    const frame: Frame = { router: this, source, outer: within(), isOver: false };
    const end = <Value>(value: Value): Value => {
      frame.isOver = true;
      return value;
    };
    return then(frames.run(frame, handle), end);
  }

  /**
   * Whether a handler of the source that still runs is on the way to here. Not known: of a handler that was started before anything had called
   * `sms.receive`; whether it awaits what it receives, or left that to a timer; and of two handlers that wait for each other's source.
   */
  isWithin(source: string): boolean {
    for (let frame = within(); frame !== undefined; frame = frame.outer) {
      if (frame.router === this && frame.source === source) return true;
    }
    return false;
  }
}

/** The innermost message whose handlers still run, and behind it only such: an endless row of messages, each from a handler of the last, leaves nothing. */
function within(): Frame | undefined {
  const innermost = running(frames?.getStore());
  for (let frame = innermost; frame !== undefined; frame = frame.outer) frame.outer = running(frame.outer);
  return innermost;
}

function running(frame: Frame | undefined): Frame | undefined {
  let one = frame;
  while (one?.isOver === true) one = one.outer;
  return one;
}
