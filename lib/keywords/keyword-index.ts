// Finds the keywords of a message. The cost of a search does not grow with the number of registered strings.
// RegExps are tried one by one.

import type { SmsMessage } from "../callback/message.js";
import { nextWord, skipWhiteSpace, splitWords } from "../callback/words.js";
import { foldPhrase, foldWord, unify, unifyPhrase } from "./fold.js";
import type { KeywordMatch } from "./keyword-match.js";
import { WordTree, type Hit } from "./word-tree.js";

/** A keyword, and everything registered for it. */
interface Keyword<Registered> {
  /** As first registered. */
  readonly spelling: string;
  readonly registered: readonly Registered[];
}

interface Pattern<Registered> {
  readonly regExp: RegExp;
  readonly registered: readonly Registered[];
}

/** A match, and everything registered for its keyword. */
interface Matched<Registered> {
  readonly match: KeywordMatch;
  readonly registered: readonly Registered[];
}

/** A RegExp that threw, as V8's do if they backtrack too deeply in a long text. Whether it matches is unknown. */
interface Failed<Registered> {
  readonly cause: unknown;
  readonly registered: readonly Registered[];
}

export type Found<Registered> = Matched<Registered> | Failed<Registered>;

/** A keyword, and the same one in the other index. */
interface Entry<Registered> {
  readonly value: Keyword<Registered>;
  readonly twin?: Keyword<Registered>;
}

/** The offset in a text at which a keyword ends. */
type End = number;

const HEAD: End = 0;

export class KeywordIndex<Registered> {
  readonly #phrases = new WordTree<Keyword<Registered>>(foldWord);
  /** Keywords of punctuation only. Punctuation around a word is ignored; without a word, it is compared. */
  readonly #punctuation = new WordTree<Keyword<Registered>>(unify);
  readonly #patterns = new Map<string, Pattern<Registered>>();

  get isEmpty(): boolean {
    return this.#phrases.isEmpty && this.#punctuation.isEmpty && this.#patterns.size === 0;
  }

  /** Has no effect if the same is already registered for another spelling of the keyword. */
  add(pattern: string | RegExp, registered: Registered): void {
    this.#update(pattern, (list) => (list.includes(registered) ? list : [...list, registered]));
  }

  /** Removes the last registration for the pattern that `fits` accepts. */
  remove(pattern: string | RegExp, fits: (registered: Registered) => boolean): void {
    this.#update(pattern, (list) => {
      const last = list.findLastIndex(fits);
      return last === -1 ? list : list.toSpliced(last, 1);
    });
  }

  /**
   * Returns each keyword of the message once, in the order of the search; then each RegExp that matches or throws.
   *
   * @param scope - the index of the message's recipient. In each place the longest keyword of both indexes wins. A
   * keyword in both is one match.
   */
  find(message: SmsMessage, scope?: KeywordIndex<Registered>): Array<Found<Registered>> {
    const typed = typedBy(message);
    const found: Array<Found<Registered>> = [];
    const known: Array<Keyword<Registered>> = [];
    const add = (entry: Entry<Registered> | undefined, by: KeywordMatch["by"], end: End | undefined): void => {
      if (entry === undefined || known.includes(entry.value)) return;
      const { value, twin } = entry;
      known.push(value);
      const match = matchOf(value.spelling, by, message, typed, end);
      found.push({ match, registered: merged(value, twin) });
    };

    const head = this.#longestOf(scope, typed.text, HEAD);
    if (message.keyword === undefined) add(head, "text", head?.end);
    else {
      const sent = foldPhrase(message.keyword);
      const own = endOfPhrase(typed.text, sent);
      const field = joined(this.#get(sent, message.keyword), scope && scope.#get(sent, message.keyword));
      const rest = own === undefined ? undefined : this.#longestOf(scope, typed.text, own);
      // Without a text, the words are the parts that were sent or the keyword itself: the field is more reliable.
      if (!typed.isText) add(field, "field", own);
      add(head, "text", head?.end);
      add(rest, "rest", rest?.end);
      add(field, "field", own);
    }
    for (const { regExp, registered } of this.#patternsOf(scope)) {
      try {
        const match = patternMatch(regExp, message, typed);
        if (match !== undefined) found.push({ match, registered });
      } catch (cause) {
        found.push({ cause, registered });
      }
    }
    return found;
  }

  #longestOf(
    scope: KeywordIndex<Registered> | undefined,
    text: string,
    from: End,
  ): (Entry<Registered> & { readonly end: End }) | undefined {
    const own = this.#longestAt(text, from);
    const scoped = scope && scope.#longestAt(text, from);
    if (own === undefined || scoped === undefined) return own ?? scoped;
    if (own.end === scoped.end) return { ...own, twin: scoped.value };
    return own.end > scoped.end ? own : scoped;
  }

  #get(phrase: readonly string[], keyword: string): Keyword<Registered> | undefined {
    return phrase.length > 0 ? this.#phrases.get(phrase) : this.#punctuation.get(unifyPhrase(keyword));
  }

  /** A RegExp in both indexes is one. */
  #patternsOf(scope: KeywordIndex<Registered> | undefined): Iterable<Pattern<Registered>> {
    if (scope === undefined || scope.#patterns.size === 0) return this.#patterns.values();
    const all = new Map(this.#patterns);
    for (const [name, pattern] of scope.#patterns) {
      all.set(name, { ...pattern, registered: merged(pattern, all.get(name)) });
    }
    return all.values();
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
    // A copy, so that no one else moves its lastIndex. Without `g`, it keeps no state between searches.
    if (registered.length > 0)
      this.#patterns.set(name, { regExp: new RegExp(pattern.source, pattern.flags.replace("g", "")), registered });
    else this.#patterns.delete(name);
  }
}

function joined<Registered>(
  own: Keyword<Registered> | undefined,
  scoped: Keyword<Registered> | undefined,
): Entry<Registered> | undefined {
  if (own !== undefined && scoped !== undefined) return { value: own, twin: scoped };
  const value = own ?? scoped;
  return value && { value };
}

type Registrations<Registered> = Pick<Keyword<Registered>, "registered">;

function merged<Registered>(
  one: Registrations<Registered>,
  other: Registrations<Registered> | undefined,
): readonly Registered[] {
  return other === undefined ? one.registered : [...one.registered, ...other.registered];
}

/** Returns the match of the callback's own keyword when no handler is registered for it. */
export function unregisteredMatch(keyword: string, message: SmsMessage): KeywordMatch {
  const typed = typedBy(message);
  return matchOf(keyword, "field", message, typed, endOfPhrase(typed.text, foldPhrase(keyword)));
}

/** The typed text, or the part of it that the callback has. */
interface Typed {
  readonly text: string;
  /** Whether it is the message's text, not the single words that a GET callback passes instead. */
  readonly isText: boolean;
}

function typedBy({ text, parts }: SmsMessage): Typed {
  return text !== undefined && nextWord(text, 0) !== undefined
    ? { text, isText: true }
    : { text: parts.join(" "), isText: false };
}

/** The end of a phrase, given as folded words, at the head of a text; `undefined` if the text begins otherwise. */
function endOfPhrase(text: string, phrase: readonly string[]): End | undefined {
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

type Groups = Pick<KeywordMatch, "captures" | "groups">;

const NO_GROUPS: Groups = { captures: Object.freeze([]) };

/** @param end - `undefined` if the text does not begin with the keyword */
function matchOf(
  keyword: string,
  by: KeywordMatch["by"],
  message: SmsMessage,
  typed: Typed,
  end: End | undefined,
  groups = NO_GROUPS,
): KeywordMatch {
  const { source, recipient, text } = message;
  const rest = end === undefined ? typed.text : typed.text.slice(skipWhiteSpace(typed.text, end));
  const args = end === undefined ? message.parts : Object.freeze(splitWords(rest));
  const match: KeywordMatch = { keyword, by, message, args, rest, ...groups, source, recipient };
  return Object.freeze(text === undefined ? match : Object.assign(match, { text }));
}

function patternMatch(regExp: RegExp, message: SmsMessage, typed: Typed): KeywordMatch | undefined {
  regExp.lastIndex = 0;
  const found = regExp.exec(typed.text);
  if (found === null) return undefined;
  const [keyword, ...captures] = found;
  const end = found.index > skipWhiteSpace(typed.text, 0) ? undefined : found.index + keyword.length;
  const named = found.groups && { groups: Object.freeze({ ...found.groups }) };
  return matchOf(keyword, "text", message, typed, end, { captures: Object.freeze(captures), ...named });
}
