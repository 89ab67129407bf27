// Keeps what flows of a body while the caller is checked. A stream gives its chunks to the listeners of the moment: if
// something else reads the body, the chunks are gone when the check ends.

import type { IncomingRequest } from "./requests.js";

export class FlowingBody {
  readonly #req: IncomingRequest;
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #isKeeping = false;
  /** Something read from the body before. */
  readonly #isLate: boolean;
  /** A body that is declared too large is rejected unread. */
  readonly #isTooLarge: boolean;

  /**
   * Does not make a body flow: it stays paused if nothing else reads it, so that strangers fill no memory.
   *
   * @param limit - bytes to keep; of a larger body, one chunk more is kept
   */
  constructor(req: IncomingRequest, limit: number) {
    this.#req = req;
    this.#limit = limit;
    this.#isLate = wasReadFrom(req);
    this.#isTooLarge = Number(req.headers["content-length"] ?? 0) > limit;
    if (this.#isLate || this.#isTooLarge) return;
    if (req.readableFlowing === true || req.listenerCount("readable") > 0) this.#start();
    else req.on("resume", this.#start).on("newListener", this.#startIfReadable);
  }

  /** Whether a part of the body is gone. */
  get isIncomplete(): boolean {
    return this.#isLate || (!this.#isKeeping && !this.#isTooLarge && wasReadFrom(this.#req));
  }

  /** Ends it, and returns what was kept. */
  take(): readonly Buffer[] {
    const kept = this.#chunks;
    this.#chunks = [];
    if (!this.#isLate) this.#ignoreStart().off("data", this.#keep);
    return kept;
  }

  readonly #start = (): void => {
    this.#isKeeping = true;
    this.#ignoreStart().on("data", this.#keep);
  };

  /** An iterator of the body reads it without a `resume`. */
  readonly #startIfReadable = (event: string | symbol): void => {
    if (event === "readable") this.#start();
  };

  #ignoreStart(): IncomingRequest {
    return this.#req.off("resume", this.#start).off("newListener", this.#startIfReadable);
  }

  readonly #keep = (chunk: Buffer | string): void => {
    if (this.#size > this.#limit) return;
    const bytes = bytesOf(this.#req, chunk);
    this.#size += bytes.length;
    this.#chunks.push(bytes);
  };
}

/** In some tests and on some platforms, the request is not a stream: there is nothing left to read. */
export function wasReadFrom({ readableEnded, readableDidRead }: IncomingRequest): boolean {
  return readableEnded || (readableDidRead as boolean | undefined) !== false;
}

export function bytesOf(req: IncomingRequest, chunk: Buffer | string): Buffer {
  return typeof chunk === "string" ? Buffer.from(chunk, req.readableEncoding ?? "utf8") : chunk;
}
