// Finds the keywords of a message. A search costs the same however many strings are registered; RegExps are tried one by one.

import type { SmsMessage } from "../callback/message.js";
import { nextWord, skipWhiteSpace, splitWords } from "../callback/words.js";
import { foldPunctuation, foldWord } from "./fold.js";
import type { KeywordMatch } from "./keyword-match.js";
import { WordTree, type Hit } from "./word-tree.js";

/** A keyword and whatever is registered for it. */
interface Keyword<Registered> {
  /** As it was first registered. */
  readonly spelling: string;
  readonly registered: readonly Registered[];
}

interface Pattern<Registered> {
  readonly regExp: RegExp;
  readonly registered: readonly Registered[];
}

/** A match, and what is registered for it. */
export interface Found<Registered> {
  readonly match: KeywordMatch;
  readonly registered: readonly Registered[];
}

/** Where in a text a keyword stands; `words` counts from the text's first. */
type Position = Pick<Hit<unknown>, "end" | "words">;

const HEAD: Position = { end: 0, words: 0 };

export class KeywordIndex<Registered> {
  readonly #phrases = new WordTree<Keyword<Registered>>(foldWord);
  readonly #punctuation = new WordTree<Keyword<Registered>>(foldPunctuation);
  readonly #patterns = new Map<string, Pattern<Registered>>();

  get isEmpty(): boolean {
    return this.#phrases.isEmpty && this.#punctuation.isEmpty && this.#patterns.size === 0;
  }

  /** @throws TypeError where the pattern is empty */
  add(pattern: string | RegExp, registered: Registered): void {
    this.#update(pattern, (list) => [...list, registered]);
  }

  /** Takes out the last that was registered for the pattern and fits. */
  remove(pattern: string | RegExp, fits: (registered: Registered) => boolean): void {
    this.#update(pattern, (list) => {
      const last = list.findLastIndex(fits);
      return last === -1 ? list : list.toSpliced(last, 1);
    });
  }

  /** Every keyword of the message, once, in the order of the places where it is looked for; then every RegExp that matches. */
  find(message: SmsMessage): Array<Found<Registered>> {
    const typed = typedBy(message);
    const found: Array<Found<Registered>> = [];
    const seen = new Set<Keyword<Registered>>();
    const add = (
      keyword: Keyword<Registered> | undefined,
      by: KeywordMatch["by"],
      position: Position | undefined,
    ): void => {
      if (keyword === undefined || seen.has(keyword)) return;
      seen.add(keyword);
      found.push({ match: matchOf(keyword.spelling, by, message, typed, position), registered: keyword.registered });
    };
    const own = message.keyword === undefined ? undefined : phraseAtHead(typed.text, message.keyword);
    const field = message.keyword === undefined ? undefined : this.#treeFor(message.keyword).get(message.keyword);
    // Words that are no text are the parts that were sent, or the keyword itself: there the field says more.
    if (!typed.isText) add(field, "field", own);
    const head = this.#longestAt(typed.text, HEAD);
    add(head?.value, "text", head);
    const rest = own && this.#longestAt(typed.text, own);
    add(rest?.value, "rest", rest);
    add(field, "field", own);
    for (const pattern of this.#patterns.values()) {
      const match = patternMatch(pattern.regExp, message, typed);
      if (match !== undefined) found.push({ match, registered: pattern.registered });
    }
    return found;
  }

  #longestAt(text: string, position: Position): Hit<Keyword<Registered>> | undefined {
    const phrase = this.#phrases.longestAt(text, position.end);
    const punctuation = this.#punctuation.longestAt(text, position.end);
    const longest = (phrase?.words ?? 0) >= (punctuation?.words ?? 0) ? phrase : punctuation;
    return longest && { ...longest, words: longest.words + position.words };
  }

  #update(pattern: string | RegExp, change: (list: readonly Registered[]) => readonly Registered[]): void {
    if (typeof pattern === "string") {
      this.#treeFor(pattern).update(pattern, (keyword) => {
        const registered = change(keyword?.registered ?? []);
        return registered.length === 0 ? undefined : { spelling: keyword?.spelling ?? pattern, registered };
      });
      return;
    }
    const name = String(pattern);
    const registered = change(this.#patterns.get(name)?.registered ?? []);
    // A copy: without `g` a search has no memory, and nobody else moves its lastIndex.
    if (registered.length > 0)
      this.#patterns.set(name, { regExp: new RegExp(pattern.source, pattern.flags.replace("g", "")), registered });
    else this.#patterns.delete(name);
  }

  /** Punctuation says nothing around a word, and everything where there is no word. */
  #treeFor(phrase: string): WordTree<Keyword<Registered>> {
    const words = splitWords(phrase);
    return words.every((word) => foldWord(word) === "") ? this.#punctuation : this.#phrases;
  }
}

/** The match of a callback's own keyword, for which nothing is registered. */
export function unregisteredMatch(keyword: string, message: SmsMessage): KeywordMatch {
  const typed = typedBy(message);
  return matchOf(keyword, "field", message, typed, phraseAtHead(typed.text, keyword));
}

/** What the subscriber typed, as far as the callback tells. */
interface Typed {
  readonly text: string;
  /** Whether that is the message's text, and not the single words that a GET callback passes in its place. */
  readonly isText: boolean;
}

function typedBy({ text, parts }: SmsMessage): Typed {
  return text !== undefined && nextWord(text, 0) !== undefined
    ? { text, isText: true }
    : { text: parts.join(" "), isText: false };
}

/** Where a phrase ends that the text begins with. */
function phraseAtHead(text: string, phrase: string): Position | undefined {
  let end = 0;
  let words = 0;
  for (const wanted of splitWords(phrase).map(foldWord)) {
    let folded = "";
    while (folded === "" && wanted !== "") {
      const word = nextWord(text, end);
      if (word === undefined) return undefined;
      folded = foldWord(text.slice(word.start, word.end));
      end = word.end;
      words++;
    }
    if (folded !== wanted) return undefined;
  }
  return words === 0 ? undefined : { end, words };
}

/** @param position - where in the text the keyword stands; none where the text does not begin with it */
function matchOf(
  keyword: string,
  by: KeywordMatch["by"],
  message: SmsMessage,
  typed: Typed,
  position: Position | undefined,
): KeywordMatch {
  if (position === undefined) return Object.freeze({ keyword, by, message, args: message.parts, rest: typed.text });
  const rest = typed.text.slice(skipWhiteSpace(typed.text, position.end));
  const args = Object.freeze(typed.isText ? message.parts.slice(position.words) : splitWords(rest));
  return Object.freeze({ keyword, by, message, args, rest });
}

function patternMatch(regExp: RegExp, message: SmsMessage, typed: Typed): KeywordMatch | undefined {
  regExp.lastIndex = 0;
  const found = regExp.exec(typed.text);
  if (found === null) return undefined;
  const [keyword] = found;
  if (found.index > skipWhiteSpace(typed.text, 0)) return matchOf(keyword, "text", message, typed, undefined);
  const rest = typed.text.slice(skipWhiteSpace(typed.text, found.index + keyword.length));
  return Object.freeze({ keyword, by: "text", message, args: Object.freeze(splitWords(rest)), rest });
}
