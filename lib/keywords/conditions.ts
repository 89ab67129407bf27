// Whether a word of consent counts, by what was typed after it.

import { kindAt, widthAt } from "./characters.js";
import {
  CLOSINGS,
  COURTESIES,
  MESSAGE_WORDS,
  REFUSALS,
  STOP_BEFORE,
  STOP_NOT_BEFORE,
  type Condition,
} from "./consent.js";
import type { TypedText } from "./typed-text.js";

const POLITE = new Set<string>([...COURTESIES, ...CLOSINGS]);
/** The first words of those that are two. */
const OF_TWO = new Set([...POLITE].filter((one) => one.includes(" ")).map((one) => one.split(" ", 1).join()));
const REFUSAL = new Set<string>(REFUSALS);
const NOT_BEFORE = new Set<string>(STOP_NOT_BEFORE);
const BEFORE = new Set<string>(STOP_BEFORE);
const ABOUT_MESSAGES = new Set<string>([...MESSAGE_WORDS, ...POLITE, ...REFUSAL]);
/** Marks that end or interrupt a sentence, also after white space. */
const PAUSE = /^[-–—.…!?,;:/*]$/u;

/** What stands before a word of consent and is skipped. */
interface Skipped {
  /** The offset after it; `from` if nothing is skipped. */
  readonly end: number;
  /** Whether it refuses something: no opt-in then. */
  readonly refuses: boolean;
}

/** Skips courtesies, closings, refusals and emoji at `from`. */
export function skipCourtesies(text: TypedText, from: number): Skipped {
  let [end, refuses] = [from, false];
  for (const word of wordsAfter(text, from)) {
    const isRefusal = !word.isSymbol && REFUSAL.has(word.word);
    if (!isRefusal && !word.isSymbol && !POLITE.has(word.word)) break;
    refuses ||= isRefusal;
    end = word.end;
  }
  return { end, refuses };
}

/** @param end - where the word that the condition is about ends in the text */
export const CONDITIONS: Readonly<Record<Condition, (text: TypedText, end: number) => boolean>> = {
  anything: () => true,
  nothing: (text, end) => every(text, end, POLITE),
  messages: (text, end) => every(text, end, ABOUT_MESSAGES),
  stop: (text, end) => {
    if (isBeforePause(text.text, end)) return true;
    const [first, second] = openWords(text, end);
    if (first === undefined || BEFORE.has(first)) return true;
    return second === undefined && !NOT_BEFORE.has(first);
  },
};

function every(text: TypedText, end: number, words: ReadonlySet<string>): boolean {
  for (const next of wordsAfter(text, end)) if (!next.isSymbol && !words.has(next.word)) return false;
  return true;
}

/** The first two words after `end` that are neither courtesies nor closings. */
function openWords(text: TypedText, end: number): string[] {
  const words: string[] = [];
  for (const { word, isSymbol } of wordsAfter(text, end)) {
    if (isSymbol || ((POLITE.has(word) || REFUSAL.has(word)) && !BEFORE.has(word))) continue;
    if (words.push(word) === 2) break;
  }
  return words;
}

const LINE_BREAK = /^[\n\r\u2028\u2029]$/;

/** Whether a mark touches the word that ends at `end`, or a pause, a line break or an emoji follows it. */
function isBeforePause(text: string, end: number): boolean {
  for (let at = end; at < text.length; at += widthAt(text, at)) {
    const kind = kindAt(text, at);
    if (kind === "symbol" || LINE_BREAK.test(text.charAt(at))) return true;
    if (kind === "mark") return at === end || PAUSE.test(text.charAt(at));
    if (kind === "letter" || kind === "digit" || kind === "joined") return false;
  }
  return false;
}

interface Following {
  readonly word: string;
  readonly end: number;
  readonly isSymbol: boolean;
}

/** The words after an offset. THANK YOU is one. */
function* wordsAfter(text: TypedText, from: number): Generator<Following> {
  for (let next = text.wordAfter(from); next !== undefined;) {
    const after = !next.isSymbol && OF_TWO.has(next.word) ? text.wordAfter(next.end) : undefined;
    const both = after && `${next.word} ${after.word}`;
    const isOne = after !== undefined && both !== undefined && POLITE.has(both);
    yield isOne ? { word: both, end: after.end, isSymbol: false } : next;
    next = text.wordAfter(isOne ? after.end : next.end);
  }
}
