// Whether a word of consent counts, by what was typed after it.

import { kindAt, widthAt } from "./characters.js";
import { CLOSINGS, COURTESIES, MESSAGE_WORDS, STOP_BEFORE, STOP_NOT_BEFORE, type Condition } from "./consent.js";
import { folded } from "./fold.js";
import { typedWordAfter } from "./typed-words.js";

const SKIPPED = new Set<string>(COURTESIES);
const CLOSING = new Set<string>([...CLOSINGS, ...COURTESIES].flatMap((closing) => closing.split(" ")));
const NOT_BEFORE = new Set<string>(STOP_NOT_BEFORE);
const BEFORE = new Set<string>(STOP_BEFORE);
const ABOUT_MESSAGES = new Set<string>([...MESSAGE_WORDS, ...CLOSING]);
/** Marks that end or interrupt a sentence, also after white space. */
const PAUSE = /^[-–—.…!?,;:/*]$/u;

/** The offset after the courtesies that begin at `from`; `from` if there are none. */
export function afterCourtesies(text: string, from: number): number {
  let end = from;
  for (const word of wordsAfter(text, from)) {
    if (!SKIPPED.has(word.word)) break;
    end = word.end;
  }
  return end;
}

/** @param end - where the word that the condition is about ends in the text */
export const CONDITIONS: Readonly<Record<Condition, (text: string, end: number) => boolean>> = {
  anything: () => true,
  nothing: (text, end) => every(text, end, CLOSING),
  messages: (text, end) => every(text, end, ABOUT_MESSAGES),
  stop: (text, end) => {
    if (isBeforePause(text, end)) return true;
    const [first, second] = openWords(text, end);
    if (first === undefined || BEFORE.has(first)) return true;
    return second === undefined && !NOT_BEFORE.has(first);
  },
};

function every(text: string, end: number, words: ReadonlySet<string>): boolean {
  for (const { word, isSymbol } of wordsAfter(text, end)) if (!isSymbol && !words.has(word)) return false;
  return true;
}

/** The first two words after `end` that are neither courtesies nor closings. */
function openWords(text: string, end: number): string[] {
  const words: string[] = [];
  for (const { word, isSymbol } of wordsAfter(text, end)) {
    if (isSymbol || (CLOSING.has(word) && !BEFORE.has(word))) continue;
    if (words.push(word) === 2) break;
  }
  return words;
}

/** Whether a mark touches the word that ends at `end`, or a pause or an emoji follows it. */
function isBeforePause(text: string, end: number): boolean {
  for (let at = end; at < text.length; at += widthAt(text, at)) {
    const kind = kindAt(text, at);
    if (kind === "symbol") return true;
    if (kind === "mark") return at === end || PAUSE.test(text.charAt(at));
    if (kind !== "space" && kind !== "invisible") return false;
  }
  return false;
}

function* wordsAfter(text: string, from: number): Generator<{ word: string; end: number; isSymbol: boolean }> {
  for (let typed = typedWordAfter(text, from); typed !== undefined; typed = typedWordAfter(text, typed.end)) {
    yield { word: folded(text, typed).word, end: typed.end, isSymbol: typed.isSymbol };
  }
}
