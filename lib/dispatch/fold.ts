// When two spellings are one keyword.

const ASCII_WORD = /^[0-9A-Za-z]*$/;
const DOTTED_I = /İ|i\u0307/g;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
const PUNCTUATION = /^\p{P}$/u;

/**
 * The form in which two words are compared: Unicode's NFKC_Casefold (compatibility forms, case and ignorable characters such as
 * a zero-width space make no difference), the four letters I of Turkish as one, and no punctuation around. Empty where
 * the word is nothing but punctuation.
 */
export function foldWord(word: string): string {
  if (ASCII_WORD.test(word)) return word.toUpperCase();
  return withoutPunctuationAround(unify(word)).toLowerCase().replace(DOTTED_I, "i").toUpperCase().normalize("NFKC");
}

/** The form in which a word of punctuation alone is compared: as typed, but for its Unicode form. */
export function foldPunctuation(word: string): string {
  return unify(word);
}

function unify(word: string): string {
  return word.normalize("NFKC").replace(IGNORABLE, "");
}

/** Steps inwards from both ends: a pattern anchored at the end alone would try every run of punctuation in between. */
function withoutPunctuationAround(word: string): string {
  const characters = Array.from(word);
  const start = characters.findIndex((character) => !PUNCTUATION.test(character));
  const end = characters.findLastIndex((character) => !PUNCTUATION.test(character));
  return start === -1 ? "" : characters.slice(start, end + 1).join("");
}
