// Folds words for comparison: two spellings with the same folded form are the same keyword.

import { splitWords } from "../callback/words.js";
import { withoutAccents } from "./accents.js";

const ASCII_WORD = /^[0-9A-Za-z]*$/;
/** Visible ASCII, of which only the case can differ. The backtick may be an apostrophe. */
const PLAIN = /^[!-_a-~]*$/;
/** Ignorable and control characters, the skin tone of an emoji, and the frame of a keycap. */
const IGNORED = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Emoji_Modifier}\u20e3]/gu;
const DOTTED_I = /İ|i\u0307/g;
/** And what keyboards have near to one: accents and primes. */
const APOSTROPHES = /[’‘‛ʼ`´′]/g;
const HYPHENS = /\u2010/g;
/** Brackets around a word, as in `<STOP>`. */
const BRACKETED = /^<+([^<>]+)>+$/;

/**
 * In UTF-16 units. Longer words are not normalized: no keyword is that long, anyone can send one, and a run of
 * combining marks takes quadratic time.
 */
const LONGEST_NORMALIZED = 256;

/** A word of a phrase, or of a text in which it is looked for. */
export class FoldedWord {
  /** The marks that join it to the word before; mostly none. */
  readonly glue: string;
  readonly #typed: string;
  #word: string | undefined;
  #bare: string | undefined;

  /** @param word - as typed, as `glue` */
  constructor(word: string, glue: string) {
    this.#typed = word;
    this.glue = glue === "" ? "" : unify(glue);
  }

  get word(): string {
    return (this.#word ??= foldWord(this.#typed));
  }

  /** The word without its accents. */
  get bare(): string {
    return (this.#bare ??= withoutAccents(this.word));
  }
}

/**
 * Returns the form in which words are compared.
 *
 * The form is Unicode's NFKC_Casefold: compatibility forms, case and ignorable characters, such as a zero-width space,
 * make no difference. The four letters I of Turkish are one letter.
 */
function foldWord(word: string): string {
  if (ASCII_WORD.test(word)) return word.toUpperCase();
  if (PLAIN.test(word)) return word.toUpperCase().replace(BRACKETED, "$1");
  const folded = normalize(unify(word).toLowerCase().replace(DOTTED_I, "i").toUpperCase());
  return folded.replace(BRACKETED, "$1");
}

/** Returns the form in which words of punctuation are compared: as typed, except for Unicode's equivalent forms. */
export function unify(word: string): string {
  if (PLAIN.test(word)) return word;
  return normalize(word.replace(IGNORED, "").replace(APOSTROPHES, "'")).replace(HYPHENS, "-");
}

/** Returns the unified words of a phrase, without words that have no visible character. */
export function unifyPhrase(phrase: string): string[] {
  return splitWords(phrase)
    .map(unify)
    .filter((word) => word !== "");
}

function normalize(word: string): string {
  return word.length <= LONGEST_NORMALIZED ? word.normalize("NFKC") : word;
}
