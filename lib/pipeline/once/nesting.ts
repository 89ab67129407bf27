// Whether a message was received by a handler of one of the same source: that one is handled when this handler has ended, so that it must not wait.

import { AsyncLocalStorage } from "node:async_hooks";

/** A message whose handlers run, and the one whose handlers received it. */
interface Frame {
  readonly router: Nesting;
  readonly source: string;
  readonly outer: Frame | undefined;
}

/**
 * One for all routers: up to Node 22 each one that was ever used makes every promise of the process a little slower, for good. So it is made only for
 * those who call `sms.receive`.
 */
let frames: AsyncLocalStorage<Frame> | undefined;

export class Nesting {
  /** During the first call, when no handler was started within a frame yet. */
  #isFirst = false;

  /** Runs what receives a message by another way than HTTP. */
  receive<Result>(receive: () => Result): Result {
    this.#isFirst = frames === undefined;
    frames ??= new AsyncLocalStorage();
    try {
      return receive();
    } finally {
      this.#isFirst = false;
    }
  }

  /** Starts the handlers of a message. */
  handle<Result>(source: string, handle: () => Result): Result {
    return frames === undefined ? handle() : frames.run({ router: this, source, outer: frames.getStore() }, handle);
  }

  /** Whether a handler of the source is on the way to here; of the first call of the process that is not known. */
  mayBeWithin(source: string): boolean {
    let frame = frames?.getStore();
    while (frame !== undefined && (frame.router !== this || frame.source !== source)) frame = frame.outer;
    return frame !== undefined || this.#isFirst;
  }
}
