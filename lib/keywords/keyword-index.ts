// Holds what is registered for keywords, and finds the longest keyword at a place of a text. The cost does not grow
// with the number of registered strings.

import { types } from "node:util";

import type { Condition } from "./consent.js";
import { unify, type FoldedWord } from "./fold.js";
import type { Pattern, Phrase } from "./patterns.js";
import { PhraseTree, type Closeness, type Hit } from "./phrase-tree.js";
import { Punctuation } from "./punctuation.js";
import { foldPhrase, type TypedText } from "./typed-text.js";

/** Something registered for a keyword. */
export interface Entry<Registered> {
  readonly registered: Registered;
  /** What must follow the keyword. */
  readonly condition: Condition | undefined;
  readonly isOptOut: boolean;
}

/** A keyword, and everything registered for it. */
export interface Keyword<Registered> {
  /** As first registered. */
  readonly spelling: string;
  /** The same for all spellings of the keyword. */
  readonly key: string;
  readonly entries: ReadonlyArray<Entry<Registered>>;
}

/** A RegExp, and everything registered for it. */
export interface RegisteredRegExp<Registered> {
  readonly regExp: RegExp;
  readonly registered: readonly Registered[];
}

/** Returns the keyword with those of its entries that count where it ends in the text; `undefined` if none does. */
export type Accept<Registered> = (keyword: Keyword<Registered>, end: number) => Keyword<Registered> | undefined;

export class KeywordIndex<Registered> {
  readonly #phrases = new PhraseTree<Keyword<Registered>>();
  readonly #punctuation = new Punctuation<Keyword<Registered>>();
  readonly #regExps = new Map<string, RegisteredRegExp<Registered>>();
  #possible: readonly Registered[] = [];
  #optOuts = 0;

  get isEmpty(): boolean {
    const hasPhrase = !this.#phrases.isEmpty || !this.#punctuation.isEmpty;
    return !hasPhrase && this.#regExps.size === 0 && this.#possible.length === 0;
  }

  /** Whether a word that opts out is registered. */
  get hasOptOut(): boolean {
    return this.#optOuts > 0;
  }

  /** What is registered for `POSSIBLE_OPT_OUT`. */
  get possible(): readonly Registered[] {
    return this.#possible;
  }

  /** By their text. */
  get regExps(): ReadonlyMap<string, RegisteredRegExp<Registered>> {
    return this.#regExps;
  }

  /** Has no effect if the same is already registered for another spelling of the keyword. */
  add(pattern: Pattern, registered: Registered): void {
    const added = (list: readonly Registered[]): readonly Registered[] =>
      list.includes(registered) ? list : [...list, registered];
    if (pattern === "possible") this.#possible = added(this.#possible);
    else if (types.isRegExp(pattern)) this.#updateRegExp(pattern, added);
    else {
      const entry = { registered, condition: pattern.condition, isOptOut: pattern.isOptOut === true };
      this.#updatePhrase(pattern, (entries) =>
        entries.some((one) => isSame(one, entry)) ? entries : [...entries, entry],
      );
    }
  }

  /** Removes the last registration for the pattern that `fits` accepts. */
  remove(pattern: Pattern, fits: (registered: Registered) => boolean): void {
    const removed = (list: readonly Registered[]): readonly Registered[] => withoutLast(list, fits);
    if (pattern === "possible") this.#possible = removed(this.#possible);
    else if (types.isRegExp(pattern)) this.#updateRegExp(pattern, removed);
    else
      this.#updatePhrase(pattern, (entries) =>
        withoutLast(entries, (one) => fits(one.registered) && one.condition === pattern.condition),
      );
  }

  /** Returns the longest keyword that begins with the next word at or after `from`. */
  longestAt(
    text: TypedText,
    from: number,
    closeness: Closeness,
    accept: Accept<Registered>,
  ): Hit<Keyword<Registered>> | undefined {
    const phrase = this.#phrases.longestAt(text, from, closeness, accept);
    const punctuation = closeness === "typed" ? this.#punctuation.longestAt(text.text, from, accept) : undefined;
    return (phrase?.end ?? 0) >= (punctuation?.end ?? 0) ? phrase : punctuation;
  }

  /**
   * @param keyword - the callback's own keyword
   * @param phrase - the same, folded
   */
  get(keyword: string, phrase: readonly FoldedWord[], closeness: Closeness): Keyword<Registered> | undefined {
    return phrase.length > 0 ? this.#phrases.get(phrase, closeness) : this.#punctuation.get(keyword);
  }

  #updatePhrase(
    { phrase: spelling }: Phrase,
    change: (entries: ReadonlyArray<Entry<Registered>>) => ReadonlyArray<Entry<Registered>>,
  ): void {
    const words = foldPhrase(spelling);
    const update = (keyword: Keyword<Registered> | undefined): Keyword<Registered> | undefined => {
      const before = keyword?.entries ?? [];
      const entries = change(before);
      this.#optOuts += count(entries) - count(before);
      if (entries.length === 0) return undefined;
      return keyword === undefined ? { spelling, key: keyOf(spelling), entries } : { ...keyword, entries };
    };
    if (words.length > 0) this.#phrases.update(words, update);
    else this.#punctuation.update(spelling, update);
  }

  #updateRegExp(pattern: RegExp, change: (list: readonly Registered[]) => readonly Registered[]): void {
    const name = String(pattern);
    const registered = change(this.#regExps.get(name)?.registered ?? []);
    // A copy, so that no one else moves its lastIndex. Without `g`, it keeps no state between searches.
    if (registered.length > 0)
      this.#regExps.set(name, { regExp: new RegExp(pattern.source, pattern.flags.replace("g", "")), registered });
    else this.#regExps.delete(name);
  }
}

function isSame<Registered>(one: Entry<Registered>, other: Entry<Registered>): boolean {
  return one.registered === other.registered && one.condition === other.condition && one.isOptOut === other.isOptOut;
}

function keyOf(phrase: string): string {
  const words = foldPhrase(phrase);
  return words.length > 0 ? words.map(({ word, glue }) => `${glue}\0${word}`).join(" ") : unify(phrase);
}

function count(entries: ReadonlyArray<Entry<unknown>>): number {
  return entries.reduce((sum, { isOptOut }) => sum + Number(isOptOut), 0);
}

function withoutLast<Value>(list: readonly Value[], fits: (value: Value) => boolean): readonly Value[] {
  const last = list.findLastIndex(fits);
  return last === -1 ? list : list.toSpliced(last, 1);
}
