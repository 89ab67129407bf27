// Compares words whose accents may be missing, and words of mixed scripts.

const ASCII = /^[\0-\x7f]*$/;
const MARK = /^\p{M}$/u;
/** The scripts of which accents may be missing. The vowel signs of other scripts always count. */
const SCRIPTS = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];
const HAS_ACCENTS = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u;

/** Letters with a stroke, which Unicode does not decompose. */
const STROKES: Readonly<Record<string, string>> = { Ł: "L", Đ: "D", Ø: "O", Ħ: "H" };
const STROKE = "\u0338";
/** A letter of its own. */
const SHORT_I = { base: "И", accent: "\u0306" };

/** Greek and Cyrillic capitals that look like Latin ones. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  ...pairs("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
  ...pairs("АВЕЅІЈКМНОРСТУХԚԜ", "ABESIJKMHOPCTYXQW"),
};

/** In longer words, every accent counts: no keyword is that long, and anyone can send one. */
const MAX_LETTERS = 256;

/** A letter, its accents, and whether they may be missing. */
interface Letter {
  base: string;
  accents: string;
  readonly hasAccents: boolean;
}

/** The same for all words that `isSameButAccents` may find equal. @param word - folded */
export function withoutAccents(word: string): string {
  if (ASCII.test(word) || !HAS_ACCENTS.test(word)) return word;
  return (
    lettersOf(word)
      ?.map(({ base }) => looksOf(base))
      .join("") ?? word
  );
}

/**
 * Whether two words differ only in missing accents: each letter has the same accents in both, or none in one. In words
 * of mixed scripts, capitals that look alike are the same.
 *
 * @param one - folded, as `other`
 */
export function isSameButAccents(one: string, other: string): boolean {
  if (one === other) return true;
  if (ASCII.test(one) && ASCII.test(other)) return false;
  const [letters, others] = [lettersOf(one), lettersOf(other)];
  if (letters === undefined || others === undefined) return false;
  const isMixed = hasMixedScripts(one) || hasMixedScripts(other);
  return (
    letters.length === others.length &&
    letters.every(({ base, accents }, n) => {
      const same = others[n];
      if (same === undefined) return false;
      const isSameBase = base === same.base || (isMixed && looksOf(base) === looksOf(same.base));
      return isSameBase && (accents === same.accents || accents === "" || same.accents === "");
    })
  );
}

function looksOf(base: string): string {
  return LOOKALIKES[base] ?? base;
}

function hasMixedScripts(word: string): boolean {
  return SCRIPTS.filter((script) => script.test(word)).length > 1;
}

/** `undefined` if there are too many. Decomposes each character by itself: a whole word takes quadratic time. */
function lettersOf(word: string): Letter[] | undefined {
  const letters: Letter[] = [];
  for (const composed of word) {
    for (const character of composed.normalize("NFD")) {
      const last = letters.at(-1);
      if (last?.hasAccents === true && MARK.test(character)) addAccent(last, character);
      else if (letters.push(letterOf(character)) > MAX_LETTERS) return undefined;
    }
  }
  return letters;
}

function letterOf(character: string): Letter {
  const base = STROKES[character];
  if (base !== undefined) return { base, accents: STROKE, hasAccents: true };
  return { base: character, accents: "", hasAccents: HAS_ACCENTS.test(character) };
}

function addAccent(letter: Letter, accent: string): void {
  if (letter.base === SHORT_I.base && accent === SHORT_I.accent) letter.base = "Й";
  else letter.accents += accent;
}

function pairs(letters: string, looks: string): Record<string, string> {
  return Object.fromEntries(Array.from(letters, (letter, n) => [letter, looks.charAt(n)]));
}
