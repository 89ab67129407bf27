// Remembers, in the memory of this process, the keys of the handled messages.
//
// At the end of the stack, any call may throw. A key is then not remembered, and all others are: it enters the queue
// before the index, and leaves it after the index.

import { KeyIndex } from "./key-index.js";
import { KEY_WORDS, KeyQueue } from "./key-queue.js";

/** How many keys whose time is over are removed at once, so that no callback waits for a million of them. */
const MOST_EXPIRED = 64;

export class HandledKeys {
  readonly #windowMs: number;
  readonly #max: number;
  readonly #queue = new KeyQueue();
  /** The keys of the queue, without those that are in it again further back. */
  readonly #index = new KeyIndex(this.#queue);
  /** The last key that was given, and its words. */
  #key = "";
  readonly #words = new Int32Array(KEY_WORDS);
  readonly #bytes = Buffer.from(this.#words.buffer);

  /** @param max - how many keys are remembered; beyond it, the oldest is forgotten */
  constructor(windowMs: number, max: number) {
    this.#windowMs = windowMs;
    this.#max = max;
  }

  /** @param key - the key of a message: a SHA-256 digest in base64url */
  has(key: string): boolean {
    const position = this.#index.find(this.#wordsOf(key));
    return position !== undefined && this.#queue.untilAt(position) > performance.now();
  }

  add(key: string): void {
    const now = performance.now();
    const words = this.#wordsOf(key);
    const earlier = this.#index.find(words);
    if (earlier !== undefined) this.#index.remove(earlier);
    this.#index.add(this.#queue.push(words, now + this.#windowMs));
    for (let n = 0; this.#index.size > this.#max || (n < MOST_EXPIRED && this.#queue.firstUntil <= now); n++) {
      this.#index.remove(this.#queue.first);
      this.#queue.shift();
    }
  }

  #wordsOf(key: string): Int32Array {
    if (key !== this.#key) this.#bytes.write(key, "base64url");
    this.#key = key;
    return this.#words;
  }
}
