// Compares words whose accents may be missing, and words of mixed scripts.

const ASCII = /^[\0-\x7f]*$/;
const MARK = /^\p{M}$/u;
/** The scripts of which accents may be missing. The vowel signs of other scripts always count. */
const SCRIPTS = { latin: /^\p{Script=Latin}$/u, greek: /^\p{Script=Greek}$/u, cyrillic: /^\p{Script=Cyrillic}$/u };

type Script = keyof typeof SCRIPTS;

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

/** Of longer words, in UTF-16 units, every accent counts: decomposing takes quadratic time. */
const LONGEST = 256;

/** A letter, its accents in Unicode's order, and its script if accents may be missing. */
interface Letter {
  readonly base: string;
  readonly accents: string;
  readonly script: Script | undefined;
}

/** The same for all words that `isSameButAccents` may find equal. @param word - folded */
export function withoutAccents(word: string): string {
  if (ASCII.test(word) || word.length > LONGEST) return word;
  return lettersOf(word)
    .map(({ base }) => LOOKALIKES[base] ?? base)
    .join("");
}

/**
 * Whether two words differ only in missing accents: each letter has the same accents in both, or none in one. In words
 * of mixed scripts, capitals that look alike are the same.
 *
 * @param one - folded, as `other`
 */
export function isSameButAccents(one: string, other: string): boolean {
  if (one === other) return true;
  if (one.length > LONGEST || other.length > LONGEST) return false;
  const [letters, others] = [lettersOf(one), lettersOf(other)];
  const isMixed = hasMixedScripts(letters) || hasMixedScripts(others);
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

function hasMixedScripts(letters: readonly Letter[]): boolean {
  return new Set(letters.map(({ script }) => script).filter((script) => script !== undefined)).size > 1;
}

function lettersOf(word: string): Letter[] {
  const letters: Letter[] = [];
  for (const character of word.normalize("NFD")) {
    const last = letters.at(-1);
    if (last?.script !== undefined && MARK.test(character)) letters[letters.length - 1] = withAccent(last, character);
    else letters.push(letterOf(character));
  }
  return letters;
}

function letterOf(character: string): Letter {
  const base = STROKES[character];
  if (base !== undefined) return { base, accents: STROKE, script: "latin" };
  const script = (Object.keys(SCRIPTS) as Script[]).find((one) => SCRIPTS[one].test(character));
  return { base: character, accents: "", script };
}

function withAccent(letter: Letter, accent: string): Letter {
  if (letter.base === SHORT_I.base && accent === SHORT_I.accent) return { ...letter, base: "Й" };
  return { ...letter, accents: letter.accents + accent };
}

function pairs(letters: string, looks: string): Record<string, string> {
  return Object.fromEntries(Array.from(letters, (letter, n) => [letter, looks.charAt(n)]));
}
