// When two spellings are one keyword.

import { splitWords } from "../callback/words.js";

const ASCII_WORD = /^[0-9A-Za-z]*$/;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
const DOTTED_I = /İ|i\u0307/g;
/** What may stand around a word: punctuation, and signs that people use like it. Not `+` and currencies: "A+" is not "A". */
const AROUND = /^[\p{P}\p{So}\p{Sk}\p{Cc}<=>|~]$/u;
const PUNCTUATION = /^[\p{P}\p{Cc}]*$/u;

/** Normalizing takes time that grows with the square of a run of combining marks, which a stranger may type: no more than this at once. */
const LONGEST_NORMALIZED = 256;

/**
 * The form in which two words are compared: Unicode's NFKC_Casefold (compatibility forms, case and ignorable characters such as a
 * zero-width space make no difference), the four letters I of Turkish as one, and no punctuation around. Empty where the word is
 * nothing but punctuation. A word of more than 256 UTF-16 units is compared as typed, but for case and punctuation.
 */
export function foldWord(word: string): string {
  if (ASCII_WORD.test(word)) return word.toUpperCase();
  const unified = unify(word);
  const inner = withoutSignsAround(unified);
  // A sign that stands alone is a word: a thumb up may be an answer.
  const kept = inner === "" && !PUNCTUATION.test(unified) ? unified : inner;
  return normalize(kept.toLowerCase().replace(DOTTED_I, "i").toUpperCase());
}

/** The words of a phrase in that form, those left out that are nothing but punctuation. */
export function foldPhrase(phrase: string): string[] {
  return splitWords(phrase)
    .map(foldWord)
    .filter((word) => word !== "");
}

/** The form in which punctuation is compared that stands for itself: as typed, but for its Unicode form. */
export function unify(word: string): string {
  return normalize(word).replaceAll("’", "'").replace(IGNORABLE, "");
}

/** The words of a phrase in that form, those left out that hold nothing to be seen. */
export function unifyPhrase(phrase: string): string[] {
  return splitWords(phrase)
    .map(unify)
    .filter((word) => word !== "");
}

function normalize(word: string): string {
  return word.length > LONGEST_NORMALIZED ? word : word.normalize("NFKC");
}

/** Steps inwards from both ends: a pattern anchored at the end alone would try every run of signs in between. */
function withoutSignsAround(word: string): string {
  const characters = Array.from(word);
  const start = characters.findIndex((character) => !AROUND.test(character));
  const end = characters.findLastIndex((character) => !AROUND.test(character));
  return start === -1 ? "" : characters.slice(start, end + 1).join("");
}
