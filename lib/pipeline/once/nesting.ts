// Whether a message was received by a handler of one of the same source: that one is handled when this handler has ended, so that it must not wait.

import { AsyncLocalStorage } from "node:async_hooks";

/** The source of the message whose handlers run, and that of the one whose handlers received it. */
interface Frame {
  readonly source: string;
  readonly outer: Frame | undefined;
}

export class Nesting {
  /** Only for those who call `sms.receive`: up to Node 22 it makes every promise of the process a little slower. */
  #frames: AsyncLocalStorage<Frame> | undefined;
  /** During the first call, when no handler was started within a frame yet. */
  #isFirst = false;

  /** Runs what receives a message by another way than HTTP. */
  receive<Result>(receive: () => Result): Result {
    this.#isFirst = this.#frames === undefined;
    this.#frames ??= new AsyncLocalStorage();
    try {
      return receive();
    } finally {
      this.#isFirst = false;
    }
  }

  /** Starts the handlers of a message. */
  handle<Result>(source: string, handle: () => Result): Result {
    const frames = this.#frames;
    return frames === undefined ? handle() : frames.run({ source, outer: frames.getStore() }, handle);
  }

  /** Whether a handler of the source is on the way to here; of the first call that is not known. */
  mayBeWithin(source: string): boolean {
    let frame = this.#frames?.getStore();
    while (frame !== undefined && frame.source !== source) frame = frame.outer;
    return frame !== undefined || this.#isFirst;
  }
}
