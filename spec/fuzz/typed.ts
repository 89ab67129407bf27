// Generates keywords to register, and texts that people may type for them: in other cases, accents, scripts and
// widths, with invisible characters inside, and with marks and emoji around.

import fc from "fast-check";

import { spelling } from "./keyword-oracle";

const KEYWORDS = [
  ...["STOP", "STOP ALL", "JOIN", "JOIN GOLD", "JOIN GOLD NOW", "JOIN GÓLD", "VOTE", "REG", "INFO", "iris", "Iptal"],
  ...["ARRÊT", "ARRET", "ARRÉT", "NÃO", "NÁO", "NAO", "WYŁĄCZ", "WYLACZ", "DỪNG", "DÙNG", "DUNG", "Straße"],
  ...["STØP", "ĐỪNG", "ĦAŻIN", "İPTAL ET", "KÜNDIGEN", "NÃO MAIS", "NAO MÁIS", "Zażółć"],
  ...["ΣΤΟΠ", "ΝΑΙ", "ΟΧΙ", "ΈΞΟΔΟΣ", "ΤΕΛΟΣ ΤΩΡΑ", "СТОП", "СТОЙ", "СТОИ", "НЕТ", "ЁЛКА", "ВСЕ СТОП"],
  ...["रोको", "रोक", "बंद करो", "বন্ধ", "நிறுத்து", "நிறுத்த", "หยุด", "やめる", "がむ", "かむ"],
  ...["停止", "退订", "그만", "그", "עצור", "إيقاف", "ايقاف", "توقف"],
  ...["opt-out", "opt", "stop-gap", "don't", "don", "R&D", "R", "24x7", "A+", "A", "C", "$5"],
  ...["1", "12", "3", "3.5", "10", "10:30", "Q1", "4"],
  ...["👍", "👎", "❤", "?"],
];

/** Words of few letters, so that many are alike. */
const alikeWord = fc
  .array(fc.constantFrom(..."A Á À B Ł L I İ ı i а 1".split(" ")), { minLength: 1, maxLength: 3 })
  .map((letters) => letters.join(""))
  // A registered word of mixed scripts: nobody says what it is.
  .map((word) => (/^[а1]+$/.test(word) ? word : word.replaceAll("а", "")))
  .filter((word) => word !== "");
const alikePhrase = fc.array(alikeWord, { minLength: 1, maxLength: 3 }).map((words) => words.join(" "));

/** Keywords of which no two are the same. */
const registered = fc
  .oneof(
    fc.shuffledSubarray(KEYWORDS, { minLength: 1, maxLength: 20 }),
    fc.constant(KEYWORDS),
    fc.array(alikePhrase, { minLength: 1, maxLength: 30 }),
  )
  .map((keywords) => [...new Map([...keywords].reverse().map((one) => [spelling(one), one])).values()].reverse());

const INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u00ad", "\u2060", "\ufeff", "\u0000", "\u0007", "\u001b", "\ufe0f"];
const ACCENTS = ["\u0301", "\u0300", "\u0303", "\u0308", "\u0328", "\u0323"];
const TURKISH = ["I", "İ", "ı", "i", "i\u0307"];
/** Latin, Greek and Cyrillic capitals that look alike. */
const CAPITALS = ["AΑА", "BΒВ", "CС", "EΕЕ", "HΗН", "IΙ", "KΚК", "MΜМ", "NΝ", "OΟО", "PΡР", "TΤТ", "XΧХ", "ZΖ"];

/** Changes a letter. `which` is a drawn number. */
type Disguise = (letter: string, which: number) => string;

const pick = (from: readonly string[], which: number): string => from[which % from.length] ?? "";
const shifted = (letter: string, from: string, to: number): string =>
  String.fromCodePoint((letter.codePointAt(0) ?? 0) - from.charCodeAt(0) + to);
const isEuropean = (letter: string): boolean =>
  /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]\p{M}*$/u.test(letter);

const DISGUISES: Readonly<Record<string, Disguise>> = {
  lower: (letter) => letter.toLowerCase(),
  upper: (letter) => letter.toUpperCase(),
  decomposed: (letter) => letter.normalize("NFD"),
  composed: (letter) => letter.normalize("NFC"),
  bare: (letter) => {
    const [first = ""] = letter.normalize("NFD");
    return isEuropean(letter) ? ("LlDdOoHh"["ŁłĐđØøĦħ".indexOf(first)] ?? first) : letter;
  },
  accented: (letter, which) => (isEuropean(letter) ? letter + pick(ACCENTS, which) : letter),
  otherAccent: (letter, which) =>
    isEuropean(letter) && letter.normalize("NFD").length > 1
      ? (letter.normalize("NFD")[0] ?? "") + pick(ACCENTS, which)
      : letter,
  fullWidth: (letter) => (/^[!-~]$/.test(letter) ? shifted(letter, "!", 0xff01) : letter),
  bold: (letter) => (/^[A-Z]$/.test(letter) ? shifted(letter, "A", 0x1d400) : letter),
  circled: (letter) => (/^[A-LN-Z]$/.test(letter) ? shifted(letter, "A", 0x24b6) : letter),
  invisibleBehind: (letter, which) => letter + pick(INVISIBLE, which),
  invisibleBefore: (letter, which) => pick(INVISIBLE, which) + letter,
  invisibleInside: (letter, which) => Array.from(letter.normalize("NFD")).join(pick(INVISIBLE, which)),
  manyInvisible: (letter, which) => letter + (/\p{L}/u.test(letter) ? pick(INVISIBLE, which).repeat(300) : ""),
  turkish: (letter, which) => (/^[Iiİı]$/.test(letter) ? pick(TURKISH, which) : letter),
  lookAlike: (letter, which) => {
    const alike = CAPITALS.find((some) => some.includes(letter));
    return alike?.[which % alike.length] ?? letter;
  },
  decorated: (letter, which) => {
    if (/^[👍👎]$/u.test(letter)) return letter + pick(["🏻", "🏽", "🏿", "\ufe0f"], which);
    if (letter === "❤") return "❤\ufe0f";
    return /^\d$/.test(letter) ? `${letter}${pick(["\ufe0f", ""], which)}\u20e3` : letter;
  },
  lost: () => "",
  doubled: (letter) => letter + letter,
};

const FOLDED = ["bare", "bare", "accented", "otherAccent", "lookAlike", "lookAlike"];
const BROKEN = ["lost", "doubled"];
const EXACT = Object.keys(DISGUISES).filter((name) => ![...FOLDED, ...BROKEN].includes(name));
const disguise = fc.record({
  name: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...EXACT) },
    { weight: 7, arbitrary: fc.constantFrom(...FOLDED) },
    { weight: 1, arbitrary: fc.constantFrom(...BROKEN) },
  ),
  percent: fc.constantFrom(5, 30, 100, 100),
  // Used in turn, a draw a letter.
  draws: fc.array(fc.record({ percentile: fc.nat(99), which: fc.nat(999) }), { minLength: 5, maxLength: 9 }),
});

/** A word in one disguise after the other. */
const typedAs = (
  word: string,
  disguises: ReadonlyArray<typeof disguise extends fc.Arbitrary<infer One> ? One : never>,
) =>
  disguises.reduce(
    (before, { name, percent, draws }) =>
      Array.from(before.matchAll(/\P{M}\p{M}*/gu), ([letter], n) => {
        const draw = draws[n % draws.length];
        const isChanged = draw !== undefined && draw.percentile < percent;
        return isChanged ? (DISGUISES[name]?.(letter, draw.which + n) ?? letter) : letter;
      }).join(""),
    word,
  );

const BEFORE = [
  ...["", "", "", "", " ", '"', "*", "¡", "... ", "- ", "(", "«", "\u200b", "\n", "_", "'", "~", "`"],
  ...["x ", "please "],
];
const BETWEEN = [" ", " ", " ", "  ", "\n", "\u00a0", "\t", "\u0085", "\u3000", ", ", " - ", "... ", "! ", " * ", ","];
const GLUE = [
  ...["", "", "", "", "!", ".", ",", "?", "...", "…", '"', "*", "/", "#", ":", ";", ")", "|", "~", "`", "@", "!?!"],
  ...["", "", "", "", "-", "'", "’", "_", "‐", "‑", "--", "-'", "🙏", "🙏🏽", "\u200b", "\u0000", "\u0301"],
  ...["+", "<", "=", ">", "€", "$", "₹"],
];
const GAP = ["", "", " ", " ", " ", "\n", "\u00a0", "  "];
const MORE = [
  ...["", "", "", "now", "gap", "t", "s", "GOLD", "3", "5", "05", "-5", "4711#Asha", "Thank you", "+5", "é", "ing"],
  ...["अभी", "का", "여", "谢谢", "x🙏", '"yes"', "ALL!", "now  "],
];
const part = (from: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...from);
const times = fc.oneof({ weight: 24, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.constant(500) });

/** Only before letters: nobody says what a mark is before a number, a sign or another mark. */
const beginsWithLetter = (phrase: string): boolean => /^\p{L}/u.test(phrase);

/** Keywords, in the order of registration, and a text of up to 10,000 characters that someone may type for one. */
export const typed = registered.chain((keywords) =>
  fc
    .record({
      phrase: fc.constantFrom(...keywords),
      more: fc.oneof(part(MORE), fc.constantFrom(...keywords.filter(beginsWithLetter), "no")),
      disguises: fc.array(disguise, { maxLength: 3 }),
      before: part(BEFORE),
      beforeTimes: times,
      between: fc.array(part(BETWEEN), { minLength: 2, maxLength: 2 }),
      glue: part(GLUE),
      glueTimes: times,
      gap: part(GAP),
      gapTimes: times,
    })
    .map(({ phrase, more, disguises, before, beforeTimes, between, glue, glueTimes, gap, gapTimes }) => {
      const words = phrase.split(" ").map((word) => typedAs(word, disguises));
      const head = words.map((word, n) => (n === 0 ? word : `${between[n % 2] ?? " "}${word}`)).join("");
      const lead = beginsWithLetter(phrase) ? before.repeat(beforeTimes) : "";
      // An accent on a mark, a sign or an emoji: nobody types it.
      const tail = glue === "\u0301" && !/[\p{L}\p{N}]$/u.test(phrase) ? "" : glue.repeat(glueTimes);
      const text = Array.from(`${lead}${head}${tail}${gap.repeat(gapTimes)}${more}`);
      return { keywords, text: text.slice(0, 10_000).join("") };
    }),
);
