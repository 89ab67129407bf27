// Looks for words anywhere in a text with which a subscriber may want to opt out.

import { withoutAccents } from "./accents.js";
import { POSSIBLE_OPT_OUT_STEMS, POSSIBLE_OPT_OUT_WORDS } from "./consent.js";
import { folded, foldPhrase } from "./fold.js";
import { PhraseTree } from "./phrase-tree.js";
import { typedWordAfter } from "./typed-words.js";

const WORDS = new PhraseTree<string>();
for (const phrase of POSSIBLE_OPT_OUT_WORDS) WORDS.update(foldPhrase(phrase), () => phrase);

interface PossibleOptOut {
  /** As in `POSSIBLE_OPT_OUT.words`. */
  readonly keyword: string;
  /** The offset at which it ends, if it is at the head of the text. */
  readonly end: number | undefined;
}

/** Returns the first of the words in the text. */
export function possibleOptOutIn(text: string): PossibleOptOut | undefined {
  let isHead = true;
  for (let typed = typedWordAfter(text, 0); typed !== undefined; typed = typedWordAfter(text, typed.end)) {
    const hit = WORDS.longestAt(text, typed.start, "folded", (keyword) => keyword);
    const word = withoutAccents(folded(text, typed).word);
    const keyword = hit?.value ?? POSSIBLE_OPT_OUT_STEMS.find(({ form }) => form.test(word))?.word;
    if (keyword !== undefined) return { keyword, end: isHead ? (hit?.end ?? typed.end) : undefined };
    isHead = false;
  }
  return undefined;
}
