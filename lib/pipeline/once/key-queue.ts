// Keys in order of handling, and until when each is remembered. They are outside of V8's heap, where a million of them
// are no work for the garbage collector. The queue grows and shrinks by pages, so no callback waits for a copy of it.

/** The words of a key: a key is a SHA-256 digest. */
export const KEY_WORDS = 8;

/** Positions count up to here, and begin again at 0: the first ones are free by then. */
const LAST_POSITION = 2 ** 30 - 1;
const PAGE_BITS = 10;
const PAGE_KEYS = 2 ** PAGE_BITS;

interface Page {
  readonly words: Int32Array;
  readonly until: Float64Array;
}

export class KeyQueue {
  readonly #pages: Page[] = [];
  /** The last page that was emptied, for the next one: otherwise, each would wait for the garbage collector. */
  #spare: Page | undefined;
  /** The position at which the first page begins. */
  #start = 0;
  #first = 0;
  #end = 0;

  /** The position of the oldest key. */
  get first(): number {
    return this.#first;
  }

  /** Until when the oldest key is remembered. `Infinity` if the queue is empty. */
  get firstUntil(): number {
    return this.#first === this.#end ? Infinity : this.untilAt(this.#first);
  }

  untilAt(position: number): number {
    return this.#pageAt(position).until[position % PAGE_KEYS] ?? 0;
  }

  /** The words of several keys. Those of the key at this position begin at `beginOf(position)`. */
  wordsAt(position: number): Int32Array {
    return this.#pageAt(position).words;
  }

  /** Adds a key. Returns its position. */
  push(key: Int32Array, until: number): number {
    const position = this.#end;
    const page = this.#pageAt(position);
    page.words.set(key, beginOf(position));
    page.until[position % PAGE_KEYS] = until;
    this.#end = after(position);
    return position;
  }

  /** Removes the oldest key. */
  shift(): void {
    this.#first = after(this.#first);
    if (this.#first % PAGE_KEYS !== 0) return;
    this.#spare = this.#pages.shift();
    this.#start = (this.#start + PAGE_KEYS) & LAST_POSITION;
  }

  /** The page of a position. It is made for the first key in it. */
  #pageAt(position: number): Page {
    return (this.#pages[((position - this.#start) & LAST_POSITION) >>> PAGE_BITS] ??= this.#newPage());
  }

  #newPage(): Page {
    const page = this.#spare;
    this.#spare = undefined;
    return page ?? { words: new Int32Array(PAGE_KEYS * KEY_WORDS), until: new Float64Array(PAGE_KEYS) };
  }
}

export function beginOf(position: number): number {
  return (position % PAGE_KEYS) * KEY_WORDS;
}

function after(position: number): number {
  return (position + 1) & LAST_POSITION;
}
