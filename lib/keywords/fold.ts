// Folds words for comparison: two spellings with the same folded form are the same keyword.

import { splitWords } from "../callback/words.js";

const ASCII_WORD = /^[0-9A-Za-z]*$/;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
const DOTTED_I = /İ|i\u0307/g;
/** Ignored around a word: punctuation, and symbols used like it. Not `+` or currency signs: "A+" is not "A". */
const IGNORED_AROUND = /^[\p{P}\p{So}\p{Sk}\p{Cc}<=>|~]$/u;
const PUNCTUATION = /^[\p{P}\p{Cc}]*$/u;

/** In UTF-16 units. Normalizing takes quadratic time in a run of combining marks, and anyone can send a long one. */
const LONGEST_NORMALIZED = 256;

/**
 * Returns the form in which words are compared; empty if the word is only punctuation.
 *
 * The form is Unicode's NFKC_Casefold: compatibility forms, case and ignorable characters, such as a zero-width space,
 * make no difference. The four letters I of Turkish are one letter. Punctuation around the word is removed.
 * Words of more than 256 UTF-16 units are not normalized: compatibility forms make a difference.
 */
export function foldWord(word: string): string {
  if (ASCII_WORD.test(word)) return word.toUpperCase();
  const unified = unify(word);
  const inner = trimPunctuation(unified);
  // A symbol alone is a word: a thumbs-up can be an answer.
  const kept = inner === "" && !PUNCTUATION.test(unified) ? unified : inner;
  return normalize(kept.toLowerCase().replace(DOTTED_I, "i").toUpperCase());
}

/** Returns the folded words of a phrase, without words that are only punctuation. */
export function foldPhrase(phrase: string): string[] {
  return splitWords(phrase)
    .map(foldWord)
    .filter((word) => word !== "");
}

/** Returns the form in which words of punctuation are compared: as typed, except for Unicode's equivalent forms. */
export function unify(word: string): string {
  return normalize(word).replaceAll("’", "'").replace(IGNORABLE, "");
}

/** Returns the unified words of a phrase, without words that have no visible character. */
export function unifyPhrase(phrase: string): string[] {
  return splitWords(phrase)
    .map(unify)
    .filter((word) => word !== "");
}

function normalize(word: string): string {
  return word.length > LONGEST_NORMALIZED ? word : word.normalize("NFKC");
}

/** Steps inwards from both ends: a RegExp anchored at the end would also try every run of punctuation in between. */
function trimPunctuation(word: string): string {
  const characters = Array.from(word);
  const start = characters.findIndex((character) => !IGNORED_AROUND.test(character));
  const end = characters.findLastIndex((character) => !IGNORED_AROUND.test(character));
  return start === -1 ? "" : characters.slice(start, end + 1).join("");
}
