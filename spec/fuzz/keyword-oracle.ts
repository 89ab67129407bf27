// Says which registered keyword a text begins with, in the slowest and plainest way: each phrase is compared letter by
// letter. Independent of the index of keywords, so that it shares none of its mistakes.

type Kind = "letter" | "digit" | "sign" | "space" | "emoji" | "mark";

/** A letter with its accents, or any other character, with its place in what was typed. */
interface Unit {
  readonly kind: Kind;
  readonly script: string | undefined;
  readonly isCapital: boolean;
  /** Without case, and without accents. */
  base: string;
  accents: string;
  readonly start: number;
  end: number;
}

interface Found {
  readonly keyword: string;
  /** Whether accents and capitals of another script had to be ignored. */
  readonly how: "exact" | "folded";
  /** `undefined` if the documentation does not say what it is. */
  readonly rest: string | undefined;
}

const SCRIPTS = [
  ["Latin", /\p{Script=Latin}/u],
  ["Greek", /\p{Script=Greek}/u],
  ["Cyrillic", /\p{Script=Cyrillic}/u],
] as const;

/** Neither seen nor white space. */
const INVISIBLE = /(?!\p{White_Space})[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
/** The skin tones of emoji, and the keycap. */
const DECORATION = /\p{Emoji_Modifier}|\u20e3/u;
const DOT_ABOVE = "\u0307";
const BREVE = "\u0306";
const STROKE = "\u0335";
const WITH_STROKE: Readonly<Record<string, string>> = { ł: "l", đ: "d", ø: "o", ħ: "h" };
/** Letters whose capitals look alike: Latin, Greek, Cyrillic. A dot stands for none. */
const LOOK_ALIKE = "aαа bβв c.с eεе hηн iι. kκк mμм nν. oοо pρр tτт xχх yυ. zζ.".split(" ");

function kindOf(character: string): Kind {
  if (/\p{White_Space}/u.test(character)) return "space";
  // One that combines with nothing is a mark.
  if (/\p{L}/u.test(character)) return "letter";
  if (/\p{N}/u.test(character)) return "digit";
  if (/[+<=>\p{Sc}]/u.test(character)) return "sign";
  return /\p{Extended_Pictographic}/u.test(character) ? "emoji" : "mark";
}

function unitsOf(text: string): Unit[] {
  const units: Unit[] = [];
  let start = 0;
  for (const typed of text) {
    const end = start + typed.length;
    for (const character of typed.normalize("NFKD")) {
      if (INVISIBLE.test(character) || DECORATION.test(character)) continue;
      const last = units.at(-1);
      if (/\p{M}/u.test(character) && last !== undefined && last.kind !== "space") {
        last.accents += character;
        last.end = end;
        continue;
      }
      const small = character.toLowerCase();
      for (const one of small.toUpperCase().toLowerCase()) {
        const base = WITH_STROKE[one] ?? one;
        units.push({
          kind: kindOf(one),
          script: SCRIPTS.find(([, script]) => script.test(one))?.[0],
          isCapital: small !== character,
          base,
          accents: base === one ? "" : STROKE,
          start,
          end,
        });
      }
    }
    start = end;
  }
  for (const unit of units) {
    unit.accents = unit.accents.normalize("NFD");
    if (unit.base === "i") unit.accents = unit.accents.replaceAll(DOT_ABOVE, "");
    if (unit.base === "и" && unit.accents.includes(BREVE)) {
      unit.base = "й";
      unit.accents = unit.accents.replace(BREVE, "");
    }
  }
  return units;
}

/** The words of a phrase: what stands between white space. */
function wordsOf(phrase: string): Unit[][] {
  const words: Unit[][] = [[]];
  for (const unit of unitsOf(phrase)) {
    if (unit.kind === "space") words.push([]);
    else words.at(-1)?.push(unit);
  }
  return words.filter((word) => word.length > 0);
}

/** The same for two phrases if no text tells them apart. */
export function spelling(phrase: string): string {
  return wordsOf(phrase)
    .map((word) => word.map(({ base, accents }) => base + accents).join(""))
    .join(" ");
}

function compareWord(typed: readonly Unit[], word: readonly Unit[]): "exact" | "folded" | "silent" | undefined {
  if (typed.length !== word.length) return undefined;
  const isMixed = new Set(typed.flatMap(({ script }) => script ?? [])).size > 1;
  let how: "exact" | "folded" | "silent" = "exact";
  for (const [n, one] of word.entries()) {
    const other = typed[n];
    if (other === undefined) return undefined;
    if (one.base === other.base && one.accents === other.accents) continue;
    const looksAlike =
      isMixed && LOOK_ALIKE.some((letters) => letters.includes(one.base) && letters.includes(other.base));
    if (one.base !== other.base && !looksAlike) return undefined;
    const isBare = one.script !== undefined && (one.accents === "" || other.accents === "");
    if (one.accents !== other.accents && !isBare) return undefined;
    // Nobody says whether small letters count whose capitals look alike.
    if (looksAlike && one.base !== other.base && !other.isCapital) how = "silent";
    else if (how === "exact") how = "folded";
  }
  return how;
}

/** Whether a word of the text may end before a unit. */
function isWordEnd(units: readonly Unit[], at: number): boolean {
  const [before, here, after] = [units[at - 1]?.kind, units[at], units[at + 1]?.kind];
  if (here === undefined) return true;
  if (here.kind === "letter" || here.kind === "digit" || here.kind === "sign") return false;
  if (/['’‘‛`´′\-‐_]/u.test(here.base)) return !(before === "letter" && after === "letter");
  if (/[.,:]/u.test(here.base)) return !(before === "digit" && after === "digit");
  return true;
}

const isAround = (unit: Unit | undefined): boolean =>
  unit?.kind === "space" || unit?.kind === "mark" || unit?.kind === "emoji";

interface Match {
  readonly how: "exact" | "folded";
  /** The indexes of the first unit, and of the one after the last. */
  readonly begin: number;
  readonly end: number;
}

/** Compares a phrase with the head of the text. */
function matchPhrase(phrase: readonly Unit[][], units: readonly Unit[]): Match | "silent" | undefined {
  const beginsWithMark = isAround(phrase[0]?.[0]);
  const begin = units.findIndex((unit) => (beginsWithMark ? unit.kind !== "space" : !isAround(unit)));
  if (begin === -1) return undefined;
  let at = begin;
  let how: "exact" | "folded" = "exact";
  // Nobody says whether `🍕 pizza` begins with PIZZA.
  let isSilent = !beginsWithMark && units.slice(0, begin).some(({ kind }) => kind === "emoji");
  for (const [n, word] of phrase.entries()) {
    if (n > 0) {
      const gap = at;
      while (isAround(units[at])) at++;
      const between = units.slice(gap, at).map(({ kind }) => kind);
      // Nor whether `JOIN,GOLD` or `JOIN 🙏 GOLD` is JOIN GOLD.
      isSilent ||= !between.includes("space") || between.includes("emoji");
    }
    const compared = compareWord(units.slice(at, at + word.length), word);
    if (compared === undefined) return undefined;
    if (compared === "folded") how = compared;
    isSilent ||= compared === "silent";
    at += word.length;
    const next = units[at];
    // Nor what may follow a phrase that ends in a mark: `C#4`, `??`, `👍yes`.
    if (isAround(word.at(-1)) && next !== undefined && next.kind !== "space") isSilent = true;
    else if (!isWordEnd(units, at)) return undefined;
  }
  return isSilent ? "silent" : { how, begin, end: at };
}

/** The text after the unit before `at`, without the marks that touch it and the white space after them. */
function restAfter(text: string, units: readonly Unit[], at: number): string | undefined {
  const keywordEnd = units[at - 1]?.end ?? 0;
  let next = at;
  while (units[next]?.kind === "mark") next++;
  // Nobody says whether an emoji, or a sign behind marks, is a mark that touches the keyword.
  const touching = units[next]?.kind;
  if (touching === "emoji" || touching === "sign") return undefined;
  while (units[next]?.kind === "space") next++;
  const begin = units[next]?.start ?? text.length;
  // Nor whether invisible characters there belong to the keyword, to the marks or to the rest.
  const between = text.slice(keywordEnd, begin);
  return INVISIBLE.test(between) || DECORATION.test(between) ? undefined : text.slice(begin);
}

/**
 * The registered keyword at the head of a text, `"none"`, or `"silent"` if the documentation does not say.
 *
 * @param registered - in the order of registration
 */
export function findKeyword(registered: readonly string[], text: string): Found | "none" | "silent" {
  const units = unitsOf(text);
  let best: (Match & { readonly keyword: string }) | undefined;
  for (const keyword of registered) {
    const match = matchPhrase(wordsOf(keyword), units);
    if (match === undefined) continue;
    // Nor whether `? STOP` begins with ? or with STOP if both are registered.
    if (match === "silent" || (best !== undefined && best.begin !== match.begin)) return "silent";
    const isBetter = best === undefined || (match.how === best.how ? match.end > best.end : match.how === "exact");
    if (isBetter) best = { keyword, ...match };
  }
  return best === undefined ? "none" : { keyword: best.keyword, how: best.how, rest: restAfter(text, units, best.end) };
}
