// Detects a message that a handler receives while it handles another one of the same source. The new message is handled
// only after that handler, so the handler must not wait for it.

import { AsyncLocalStorage } from "node:async_hooks";

import { then, type MaybePromise } from "../../base/maybe-promise.js";

/** A message whose handlers run. `outer` is the message whose handlers received it. */
interface Frame {
  readonly router: Nesting;
  readonly source: string;
  /** A frame that is over is removed from the chain when a new frame is added. */
  outer: Frame | undefined;
  isOver: boolean;
}

/**
 * One for all routers, made by the first `sms.receive`. Up to Node 22, every AsyncLocalStorage that was ever used makes
 * each promise of the process a little slower, for good.
 */
let frames: AsyncLocalStorage<Frame> | undefined;

export class Nesting {
  /** Runs a function that receives a message without HTTP. */
  receive<Result>(receive: () => Result): Result {
    frames ??= new AsyncLocalStorage();
    return receive();
  }

  /** Runs the handlers of a message. */
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
   * Whether a handler of the source still runs and led to this call. Not detected: a handler that started before the
   * first `sms.receive`; whether it awaits the message, or receives it from a timer; and two handlers that wait for
   * each other's source.
   */
  isWithin(source: string): boolean {
    for (let frame = within(); frame !== undefined; frame = frame.outer) {
      if (frame.router === this && frame.source === source) return true;
    }
    return false;
  }
}

/**
 * Returns the innermost message whose handlers still run, and removes all others from the chain behind it.
 * Otherwise an endless series of messages, each received by a handler of the one before, would fill the memory.
 */
function within(): Frame | undefined {
  const innermost = running(frames?.getStore());
  for (let frame = innermost; frame !== undefined; frame = frame.outer) frame.outer = running(frame.outer);
  return innermost;
}

function running(frame: Frame | undefined): Frame | undefined {
  let innermost = frame;
  while (innermost?.isOver === true) innermost = innermost.outer;
  return innermost;
}
