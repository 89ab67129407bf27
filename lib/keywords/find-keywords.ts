// Finds the keywords of a message: in its text, in what follows the callback's own keyword there, and in that keyword.
// RegExps are tried one by one.

import type { SmsMessage } from "../callback/message.js";
import { skipCourtesies, CONDITIONS } from "./conditions.js";
import type { FoldedWord } from "./fold.js";
import { KeywordIndex, type Accept, type Entry, type Keyword, type RegisteredRegExp } from "./keyword-index.js";
import type { KeywordMatch } from "./keyword-match.js";
import { OPT_OUT, patternsOf } from "./patterns.js";
import type { Closeness, Hit } from "./phrase-tree.js";
import { possibleOptOutIn } from "./possible-opt-out.js";
import { foldPhrase, type TypedText } from "./typed-text.js";
import { endOfPhrase, matchOf, patternMatch, typedBy, type End, type Typed } from "./typed.js";

/** A match, and everything registered for its keyword. */
interface Matched<Registered> {
  readonly match: KeywordMatch;
  readonly registered: readonly Registered[];
  /** What matched, if it is no keyword that was registered as such. */
  readonly pattern?: RegExp | "POSSIBLE_OPT_OUT";
}

/** A RegExp that threw, as V8's do if they backtrack too deeply in a long text. Whether it matches is unknown. */
interface Failed<Registered> {
  readonly cause: unknown;
  readonly registered: readonly Registered[];
  readonly pattern: RegExp;
}

export type Found<Registered> = Matched<Registered> | Failed<Registered>;

/**
 * Returns each keyword of the message once, in the order of the search; then each RegExp that matches or throws, and
 * what may be an opt-out.
 *
 * @param indexes - that of the router, and that of the message's recipient if it has one. In each place the longest
 * keyword of both wins. A keyword in both is one match
 */
export function findKeywords<Registered>(
  message: SmsMessage,
  indexes: ReadonlyArray<KeywordIndex<Registered>>,
): Array<Found<Registered>> {
  const typed = typedBy(message);
  const { found, isOptOut } = searchPlaces(message, typed, indexes);
  const all: Array<Found<Registered>> = found;
  for (const { regExp, registered } of regExpsOf(indexes).values()) {
    try {
      const match = patternMatch(regExp, message, typed);
      if (match !== undefined) all.push({ match, registered, pattern: regExp });
    } catch (cause) {
      all.push({ cause, registered, pattern: regExp });
    }
  }
  if (!isOptOut && indexes.some(hasPossible)) {
    const match = possibleOptOut(message, indexes, typed);
    const registered = indexes.flatMap((index) => index.possible);
    if (match !== undefined) all.push({ match, registered, pattern: "POSSIBLE_OPT_OUT" });
  }
  return all;
}

/** Returns the match of words with which the subscriber may want to opt out, if the message does not opt out. */
export function possibleOptOut(
  message: SmsMessage,
  indexes: ReadonlyArray<KeywordIndex<unknown>>,
  typed = typedBy(message),
): KeywordMatch | undefined {
  if (optsOut(message, indexes)) return undefined;
  const possible = possibleOptOutIn(typed.text);
  return possible && matchOf(possible.keyword, "text", message, typed, possible.end);
}

/** Returns the match of the callback's own keyword when no handler is registered for it. */
export function unregisteredMatch(keyword: string, message: SmsMessage): KeywordMatch {
  const typed = typedBy(message);
  return matchOf(keyword, "field", message, typed, endOfPhrase(typed.text, foldPhrase(keyword)));
}

/** Whether `OPT_OUT`, or what extends it, matches the message: as if it were registered, if it is not. */
export function optsOut(message: SmsMessage, indexes: ReadonlyArray<KeywordIndex<unknown>>): boolean {
  const sought = indexes.some(({ hasOptOut }) => hasOptOut) ? indexes : [allOptOuts()];
  return searchPlaces(message, typedBy(message), sought).isOptOut;
}

let optOuts: KeywordIndex<"opt-out"> | undefined;

/**
 * Made when it is needed first: making it takes a tenth of the time in which the package is loaded. Kept only when it
 * is whole: at the end of the stack, any call may throw.
 */
function allOptOuts(): KeywordIndex<"opt-out"> {
  if (optOuts === undefined) {
    const made = new KeywordIndex<"opt-out">();
    for (const pattern of patternsOf(OPT_OUT)) made.add(pattern, "opt-out");
    optOuts = made;
  }
  return optOuts;
}

interface Places<Registered> {
  readonly found: Array<Matched<Registered>>;
  readonly isOptOut: boolean;
}

function searchPlaces<Registered>(
  message: SmsMessage,
  typed: Typed,
  indexes: ReadonlyArray<KeywordIndex<Registered>>,
): Places<Registered> {
  const { text, isText } = typed;
  const found: Array<Matched<Registered> & { readonly key: string; readonly registered: Registered[] }> = [];
  let isOptOut = false;

  const add = ({ spelling, key, entries }: Keyword<Registered>, by: KeywordMatch["by"], end: End | undefined): void => {
    let known = found.find((one) => one.key === key);
    if (known === undefined) {
      known = { key, match: matchOf(spelling, by, message, typed, end), registered: [] };
      found.push(known);
    }
    for (const entry of entries) {
      isOptOut ||= entry.isOptOut;
      if (!known.registered.includes(entry.registered)) known.registered.push(entry.registered);
    }
  };
  const addFirst = (from: End, by: "text" | "rest"): void => {
    const hit = longestOf(indexes, text, from, fitting<Registered>(text));
    if (hit !== undefined) add(hit.value, by, hit.end);
    const skipped = skipCourtesies(text, from);
    if (skipped.end === from) return;
    const isSought = ({ condition }: Entry<Registered>): boolean =>
      condition !== undefined && !(skipped.refuses && condition === "nothing");
    const after = longestOf(indexes, text, skipped.end, fitting(text, isSought));
    if (after !== undefined) add(after.value, by, after.end);
  };
  const addField = (keyword: string, phrase: readonly FoldedWord[], end: End | undefined): void => {
    // If there is a text, it decides whether a keyword stands alone.
    const accept = (entry: Entry<Registered>): boolean =>
      !isConditional(entry) || (!isText && (end === undefined || holds(entry, text, end)));
    const field = fieldOf(indexes, keyword, phrase, "typed") ?? fieldOf(indexes, keyword, phrase, "folded");
    const accepted = field && kept(field, accept);
    if (accepted !== undefined) add(accepted, "field", end);
  };

  const { keyword } = message;
  if (keyword === undefined) addFirst(0, "text");
  else {
    const phrase = foldPhrase(keyword);
    const end = endOfPhrase(text, phrase);
    // Without a text, the words are the parts that were sent or the keyword itself: the field is more reliable.
    if (!isText) addField(keyword, phrase, end);
    addFirst(0, "text");
    if (end !== undefined) addFirst(end, "rest");
    if (isText) addField(keyword, phrase, end);
  }
  return { found, isOptOut };
}

/** The longest keyword at a place. One that lacks an accent counts only if none is typed as registered. */
function longestOf<Registered>(
  indexes: ReadonlyArray<KeywordIndex<Registered>>,
  text: TypedText,
  from: End,
  accept: Accept<Registered>,
): Hit<Keyword<Registered>> | undefined {
  return longestAs(indexes, text, from, "typed", accept) ?? longestAs(indexes, text, from, "folded", accept);
}

function longestAs<Registered>(
  indexes: ReadonlyArray<KeywordIndex<Registered>>,
  text: TypedText,
  from: End,
  closeness: Closeness,
  accept: Accept<Registered>,
): Hit<Keyword<Registered>> | undefined {
  let longest: Hit<Keyword<Registered>> | undefined;
  for (const index of indexes) {
    const hit = index.longestAt(text, from, closeness, accept);
    if (hit === undefined) continue;
    if (longest === undefined || hit.end > longest.end) longest = hit;
    else if (hit.end === longest.end) longest = { value: joined(longest.value, hit.value), end: hit.end };
  }
  return longest;
}

function fieldOf<Registered>(
  indexes: ReadonlyArray<KeywordIndex<Registered>>,
  keyword: string,
  phrase: readonly FoldedWord[],
  closeness: Closeness,
): Keyword<Registered> | undefined {
  let field: Keyword<Registered> | undefined;
  for (const index of indexes) {
    const found = index.get(keyword, phrase, closeness);
    if (found !== undefined) field = field === undefined ? found : joined(field, found);
  }
  return field;
}

/** A keyword in both indexes is one; of two that are only folded alike, the first counts. */
function joined<Registered>(one: Keyword<Registered>, other: Keyword<Registered>): Keyword<Registered> {
  return one.key === other.key ? { ...one, entries: [...one.entries, ...other.entries] } : one;
}

function fitting<Registered>(
  text: TypedText,
  isSought: (entry: Entry<Registered>) => boolean = () => true,
): Accept<Registered> {
  return (keyword, end) => kept(keyword, (entry) => isSought(entry) && holds(entry, text, end));
}

function kept<Registered>(
  keyword: Keyword<Registered>,
  accept: (entry: Entry<Registered>) => boolean,
): Keyword<Registered> | undefined {
  if (keyword.entries.every(accept)) return keyword;
  const entries = keyword.entries.filter(accept);
  return entries.length === 0 ? undefined : { ...keyword, entries };
}

function hasPossible({ possible }: KeywordIndex<unknown>): boolean {
  return possible.length > 0;
}

function isConditional({ condition }: Entry<unknown>): boolean {
  return condition !== undefined;
}

function holds({ condition }: Entry<unknown>, text: TypedText, end: End): boolean {
  return condition === undefined || CONDITIONS[condition](text, end);
}

const NO_REG_EXPS: ReadonlyMap<string, RegisteredRegExp<never>> = new Map();

/** A RegExp in both indexes is one. */
function regExpsOf<Registered>(
  indexes: ReadonlyArray<KeywordIndex<Registered>>,
): ReadonlyMap<string, RegisteredRegExp<Registered>> {
  let all: ReadonlyMap<string, RegisteredRegExp<Registered>> = NO_REG_EXPS;
  for (const { regExps } of indexes) {
    if (regExps.size > 0) all = all.size === 0 ? regExps : new Map([...all, ...joinedRegExps(all, regExps)]);
  }
  return all;
}

function joinedRegExps<Registered>(
  all: ReadonlyMap<string, RegisteredRegExp<Registered>>,
  others: ReadonlyMap<string, RegisteredRegExp<Registered>>,
): Array<[string, RegisteredRegExp<Registered>]> {
  return Array.from(others, ([name, { regExp, registered }]) => [
    name,
    { regExp, registered: [...(all.get(name)?.registered ?? []), ...registered] },
  ]);
}
