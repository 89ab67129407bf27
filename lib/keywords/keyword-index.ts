// Finds the keywords of a message. A search costs the same however many strings are registered; RegExps are tried one by one.

import type { SmsMessage } from "../callback/message.js";
import { nextWord, skipWhiteSpace, splitWords } from "../callback/words.js";
import { foldPhrase, foldWord, unify, unifyPhrase } from "./fold.js";
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
interface Matched<Registered> {
  readonly match: KeywordMatch;
  readonly registered: readonly Registered[];
}

/** A RegExp that threw: V8's does on a long text that it backtracks in too deeply. Whether it matches is not known. */
interface Failed<Registered> {
  readonly cause: unknown;
  readonly registered: readonly Registered[];
}

export type Found<Registered> = Matched<Registered> | Failed<Registered>;

/** Where in a text a keyword ends. */
type End = number;

const HEAD: End = 0;

export class KeywordIndex<Registered> {
  readonly #phrases = new WordTree<Keyword<Registered>>(foldWord);
  /** Patterns of punctuation alone: it says nothing around a word, and everything where there is no word. */
  readonly #punctuation = new WordTree<Keyword<Registered>>(unify);
  readonly #patterns = new Map<string, Pattern<Registered>>();

  get isEmpty(): boolean {
    return this.#phrases.isEmpty && this.#punctuation.isEmpty && this.#patterns.size === 0;
  }

  /** Registers once, in however many spellings of one keyword it is done. */
  add(pattern: string | RegExp, registered: Registered): void {
    this.#update(pattern, (list) => (list.includes(registered) ? list : [...list, registered]));
  }

  /** Takes out the last that was registered for the pattern and fits. */
  remove(pattern: string | RegExp, fits: (registered: Registered) => boolean): void {
    this.#update(pattern, (list) => {
      const last = list.findLastIndex(fits);
      return last === -1 ? list : list.toSpliced(last, 1);
    });
  }

  /** Every keyword of the message, once, in the order of the places where it is looked for; then every RegExp that matches, or throws. */
  find(message: SmsMessage): Array<Found<Registered>> {
    const typed = typedBy(message);
    const found: Array<Found<Registered>> = [];
    const add = (keyword: Keyword<Registered> | undefined, by: KeywordMatch["by"], end: End | undefined): void => {
      if (keyword === undefined || found.some(({ registered }) => registered === keyword.registered)) return;
      found.push({ match: matchOf(keyword.spelling, by, message, typed, end), registered: keyword.registered });
    };

    const head = this.#longestAt(typed.text, HEAD);
    if (message.keyword === undefined) add(head?.value, "text", head?.end);
    else {
      const sent = foldPhrase(message.keyword);
      const own = phraseAtHead(typed.text, sent);
      const field = sent.length > 0 ? this.#phrases.get(sent) : this.#punctuation.get(unifyPhrase(message.keyword));
      const rest = own === undefined ? undefined : this.#longestAt(typed.text, own);
      // Words that are no text are the parts that were sent, or the keyword itself: there the field says more.
      if (!typed.isText) add(field, "field", own);
      add(head?.value, "text", head?.end);
      add(rest?.value, "rest", rest?.end);
      add(field, "field", own);
    }
    for (const { regExp, registered } of this.#patterns.values()) {
      try {
        const match = patternMatch(regExp, message, typed);
        if (match !== undefined) found.push({ match, registered });
      } catch (cause) {
        found.push({ cause, registered });
      }
    }
    return found;
  }

  #longestAt(text: string, from: End): Hit<Keyword<Registered>> | undefined {
    const phrase = this.#phrases.longestAt(text, from);
    const punctuation = this.#punctuation.longestAt(text, from);
    return (phrase?.end ?? 0) >= (punctuation?.end ?? 0) ? phrase : punctuation;
  }

  #update(pattern: string | RegExp, change: (list: readonly Registered[]) => readonly Registered[]): void {
    if (typeof pattern === "string") {
      const words = foldPhrase(pattern);
      const [tree, phrase] = words.length > 0 ? [this.#phrases, words] : [this.#punctuation, unifyPhrase(pattern)];
      tree.update(phrase, (keyword) => {
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
}

/** The match of a callback's own keyword, for which nothing is registered. */
export function unregisteredMatch(keyword: string, message: SmsMessage): KeywordMatch {
  const typed = typedBy(message);
  return matchOf(keyword, "field", message, typed, phraseAtHead(typed.text, foldPhrase(keyword)));
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

/** Where a phrase, given as folded words, ends that the text begins with. */
function phraseAtHead(text: string, phrase: readonly string[]): End | undefined {
  let end = 0;
  for (const wanted of phrase) {
    let folded = "";
    while (folded === "") {
      const word = nextWord(text, end);
      if (word === undefined) return undefined;
      folded = foldWord(text.slice(word.start, word.end));
      end = word.end;
    }
    if (folded !== wanted) return undefined;
  }
  return end === 0 ? undefined : end;
}

/** @param end - none where the text does not begin with the keyword */
function matchOf(
  keyword: string,
  by: KeywordMatch["by"],
  message: SmsMessage,
  typed: Typed,
  end: End | undefined,
): KeywordMatch {
  if (end === undefined) return Object.freeze({ keyword, by, message, args: message.parts, rest: typed.text });
  const rest = typed.text.slice(skipWhiteSpace(typed.text, end));
  return Object.freeze({ keyword, by, message, args: Object.freeze(splitWords(rest)), rest });
}

function patternMatch(regExp: RegExp, message: SmsMessage, typed: Typed): KeywordMatch | undefined {
  regExp.lastIndex = 0;
  const found = regExp.exec(typed.text);
  if (found === null) return undefined;
  const [keyword] = found;
  if (found.index > skipWhiteSpace(typed.text, 0)) return matchOf(keyword, "text", message, typed, undefined);
  return matchOf(keyword, "text", message, typed, found.index + keyword.length);
}
