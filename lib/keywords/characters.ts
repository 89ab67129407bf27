// What a character is for the search of keywords.

import { isWhiteSpace } from "../callback/words.js";

/**
 * `letter`, `digit` and `joined` are parts of words. `symbol`: such as an emoji. `mark`: punctuation. `combining`: a
 * part of what is before it. `invisible`: counts for nothing, also within a word.
 */
export type Kind = "letter" | "digit" | "joined" | "symbol" | "mark" | "combining" | "invisible" | "space";

const LETTER = /^\p{L}$/u;
const COMBINING = /^\p{M}$/u;
const NUMBER = /^\p{N}$/u;
/** Symbols that people use as a part of a word: `A+` is not A, and `$5` is not 5. */
const JOINED = /^[+<=>\p{Sc}]$/u;
const SYMBOL = /^[\p{So}\p{Sm}\p{Co}]$/u;
/** Written as marks. */
const NO_SYMBOL = /^[|~]$/;
/** The skin tone of an emoji, and the frame of a keycap, too. */
const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Emoji_Modifier}\u20e3]$/u;

/** The kinds of the characters that have been met, by their code in the Basic Multilingual Plane; 0 if not met yet. */
const MET = new Uint8Array(0x1_0000);
const KINDS = [undefined, "letter", "digit", "joined", "symbol", "mark", "combining", "invisible", "space"] as const;

/** The kind of the character at an offset of a text. */
export function kindAt(text: string, at: number): Kind {
  const code = text.charCodeAt(at);
  const met = KINDS[MET[code] ?? 0];
  if (met !== undefined) return met;
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  const kind = kindOf(character);
  if (character.length === 1) MET[code] = KINDS.indexOf(kind);
  return kind;
}

/** How many UTF-16 units the character at an offset has. */
export function widthAt(text: string, at: number): 1 | 2 {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code < 0xdc00 && (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function kindOf(character: string): Kind {
  if (isWhiteSpace(character.charCodeAt(0))) return "space";
  if (INVISIBLE.test(character)) return "invisible";
  if (LETTER.test(character)) return "letter";
  if (COMBINING.test(character)) return "combining";
  if (NUMBER.test(character)) return "digit";
  if (JOINED.test(character)) return "joined";
  if (!SYMBOL.test(character) || NO_SYMBOL.test(character)) return "mark";
  // A compatibility form, such as a letter in a circle, or a full-width plus.
  const plain = character.normalize("NFKC");
  if (plain === character) return "symbol";
  if (LETTER.test(plain)) return "letter";
  return JOINED.test(plain) ? "joined" : "symbol";
}

/** Part of a word between two letters: apostrophes, hyphens and underscores. */
const BETWEEN_LETTERS = new Set("'’‘‛`´′＇-‐‑－﹣_＿");
/** Part of a word between two digits: points, commas and colons. */
const BETWEEN_DIGITS = new Set(".,:．，：");

/** Whether a mark is a part of a word between two characters of a kind. */
export function connects(mark: string, kind: Kind): boolean {
  return (kind === "letter" && BETWEEN_LETTERS.has(mark)) || (kind === "digit" && BETWEEN_DIGITS.has(mark));
}
