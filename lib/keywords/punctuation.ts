// Keywords of punctuation only, such as `?`. Marks around a word are ignored; without one, they are compared as typed.

import { nextWord } from "../callback/words.js";
import { unify, unifyPhrase } from "./fold.js";
import type { Hit } from "./phrase-tree.js";

export class Punctuation<Value> {
  readonly #phrases = new Map<string, Value>();
  /** The number of words in the longest phrase that was ever registered. */
  #longest = 0;

  get isEmpty(): boolean {
    return this.#phrases.size === 0;
  }

  /** Replaces the value of a phrase. If `change` returns `undefined`, the phrase is removed. */
  update(phrase: string, change: (value: Value | undefined) => Value | undefined): void {
    const words = unifyPhrase(phrase);
    const key = words.join(" ");
    const value = change(this.#phrases.get(key));
    if (value === undefined) this.#phrases.delete(key);
    else this.#phrases.set(key, value);
    this.#longest = Math.max(this.#longest, words.length);
  }

  get(phrase: string): Value | undefined {
    return this.#phrases.get(unifyPhrase(phrase).join(" "));
  }

  /**
   * Returns the longest phrase at `from` in the text, after any white space.
   *
   * @param accept - returns what to find for a value, or `undefined` if the phrase does not count there
   */
  longestAt<Found>(
    text: string,
    from: number,
    accept: (value: Value, end: number) => Found | undefined,
  ): Hit<Found> | undefined {
    if (this.isEmpty) return undefined;
    const words: string[] = [];
    let hit: Hit<Found> | undefined;
    for (let word = nextWord(text, from); word !== undefined; word = nextWord(text, word.end)) {
      const unified = unify(text.slice(word.start, word.end));
      if (unified === "") continue;
      if (words.push(unified) > this.#longest) break;
      const value = this.#phrases.get(words.join(" "));
      const found = value === undefined ? undefined : accept(value, word.end);
      if (found !== undefined) hit = { value: found, end: word.end };
    }
    return hit;
  }
}
