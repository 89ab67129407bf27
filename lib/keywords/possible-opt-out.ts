// Looks for words anywhere in a text with which a subscriber may want to opt out.

import { POSSIBLE_OPT_OUT_STEMS, POSSIBLE_OPT_OUT_WORDS } from "./consent.js";
import { PhraseTree } from "./phrase-tree.js";
import { foldPhrase, type TypedText } from "./typed-text.js";

let tree: PhraseTree<string> | undefined;

/**
 * Made when it is needed first, not when the package is loaded. Kept only when it is whole, as that of `OPT_OUT` is.
 */
function words(): PhraseTree<string> {
  if (tree === undefined) {
    const made = new PhraseTree<string>();
    for (const phrase of POSSIBLE_OPT_OUT_WORDS) made.update(foldPhrase(phrase), () => phrase);
    tree = made;
  }
  return tree;
}

interface PossibleOptOut {
  /** As in `POSSIBLE_OPT_OUT.words`. */
  readonly keyword: string;
  /** The offset at which it ends, if it is at the head of the text. */
  readonly end: number | undefined;
}

/** Returns the first of the words in the text. */
export function possibleOptOutIn(text: TypedText): PossibleOptOut | undefined {
  let from = 0;
  for (const word of text.wordsAfter(0)) {
    if (!word.isSymbol) {
      const hit = words().longestAt(text, from, "folded", (keyword) => keyword);
      const keyword = hit?.value ?? POSSIBLE_OPT_OUT_STEMS.find(({ form }) => form.test(word.bare))?.word;
      if (keyword !== undefined) return { keyword, end: from === 0 ? (hit?.end ?? word.end) : undefined };
    }
    from = word.end;
  }
  return undefined;
}
