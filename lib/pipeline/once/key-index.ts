// Finds the keys of a queue: hash tables with open addressing. Each has a part of the keys, so that no callback waits
// long while one grows.

import { randomFillSync } from "node:crypto";

import { beginOf, KEY_WORDS, type KeyQueue } from "./key-queue.js";

const TABLE_BITS = 6;
const SMALLEST_SLOTS = 16;
/** A slot is a hash, and the position of its key plus 1. It is free if that is 0. */
const SLOT_WORDS = 2;

/** A hash belongs into the slot of its last bits, or into the next free one. The slots are a power of two. */
interface Table {
  slots: Int32Array;
  full: number;
}

export class KeyIndex {
  readonly #queue: KeyQueue;
  readonly #tables: readonly [Table, ...Table[]] = [
    newTable(),
    ...Array.from({ length: 2 ** TABLE_BITS - 1 }, newTable),
  ];
  /** Random, so that nobody can choose keys that all belong into one slot. */
  readonly #factors = randomFillSync(new Int32Array(KEY_WORDS)).map((factor) => factor | 1);
  #size = 0;

  constructor(queue: KeyQueue) {
    this.#queue = queue;
  }

  /** How many keys it has. */
  get size(): number {
    return this.#size;
  }

  /** Returns the position of a key, or `undefined`. */
  find(key: Int32Array): number | undefined {
    const hash = this.#hash(key, 0);
    const { slots } = this.#tableOf(hash);
    const last = slots.length - SLOT_WORDS;
    for (let slot = slotOf(hash, last); slots[slot + 1] !== 0; slot = (slot + SLOT_WORDS) & last) {
      const position = (slots[slot + 1] ?? 0) - 1;
      if (slots[slot] === hash && this.#isAt(position, key)) return position;
    }
    return undefined;
  }

  /** Adds the key at a position. */
  add(position: number): void {
    const hash = this.#hashAt(position);
    const table = this.#tableOf(hash);
    // At four fifths, a key is still found in a few steps, and takes 20 bytes at most.
    if ((table.full + 1) * SLOT_WORDS > table.slots.length * 0.8) table.slots = enlarged(table.slots);
    put(table.slots, hash, position + 1);
    table.full++;
    this.#size++;
  }

  /** Removes the key at a position, if it has it. */
  remove(position: number): void {
    const hash = this.#hashAt(position);
    const table = this.#tableOf(hash);
    const { slots } = table;
    const last = slots.length - SLOT_WORDS;
    let free = slotOf(hash, last);
    for (; slots[free + 1] !== position + 1; free = (free + SLOT_WORDS) & last) if (slots[free + 1] === 0) return;
    // What comes after it moves up, unless that would be before the slot where it belongs.
    for (let slot = (free + SLOT_WORDS) & last; slots[slot + 1] !== 0; slot = (slot + SLOT_WORDS) & last) {
      const moved = slots[slot] ?? 0;
      if (((slot - moved * SLOT_WORDS) & last) < ((slot - free) & last)) continue;
      slots[free] = moved;
      slots[free + 1] = slots[slot + 1] ?? 0;
      free = slot;
    }
    slots[free + 1] = 0;
    table.full--;
    this.#size--;
  }

  #isAt(position: number, key: Int32Array): boolean {
    const words = this.#queue.wordsAt(position);
    const begin = beginOf(position);
    for (let n = 0; n < KEY_WORDS; n++) if (words[begin + n] !== key[n]) return false;
    return true;
  }

  #hashAt(position: number): number {
    return this.#hash(this.#queue.wordsAt(position), beginOf(position));
  }

  #hash(words: Int32Array, begin: number): number {
    let hash = 0;
    for (let n = 0; n < KEY_WORDS; n++) hash = (hash + Math.imul(words[begin + n] ?? 0, this.#factors[n] ?? 0)) | 0;
    // The last bits of a product say little of the first ones.
    return hash ^ (hash >>> 16);
  }

  #tableOf(hash: number): Table {
    return this.#tables[hash >>> (32 - TABLE_BITS)] ?? this.#tables[0];
  }
}

function newTable(): Table {
  return { slots: new Int32Array(SMALLEST_SLOTS * SLOT_WORDS), full: 0 };
}

/** @param last - where the last slot begins */
function slotOf(hash: number, last: number): number {
  return (hash * SLOT_WORDS) & last;
}

function put(slots: Int32Array, hash: number, value: number): void {
  const last = slots.length - SLOT_WORDS;
  let slot = slotOf(hash, last);
  while (slots[slot + 1] !== 0) slot = (slot + SLOT_WORDS) & last;
  slots[slot] = hash;
  slots[slot + 1] = value;
}

function enlarged(slots: Int32Array): Int32Array {
  const larger = new Int32Array(slots.length * 2);
  for (let slot = 0; slot < slots.length; slot += SLOT_WORDS) {
    const value = slots[slot + 1] ?? 0;
    if (value !== 0) put(larger, slots[slot] ?? 0, value);
  }
  return larger;
}
