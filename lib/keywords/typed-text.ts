// A typed text, word by word, as keywords are compared: without the marks around a word, and apart where a mark is
// between two. `parts` and `args` are different: they are split at white space only.

import { connects, kindAt, widthAt, type Kind } from "./characters.js";
import { FoldedWord } from "./fold.js";

/** A word of a text. */
export class TypedWord extends FoldedWord {
  /** The offset in the text at which it begins. */
  readonly start: number;
  /** The offset at which it ends. */
  readonly end: number;
  /** Whether it is an emoji, or another symbol, that stands alone. */
  readonly isSymbol: boolean;

  /** @param glueStart - where the marks begin that join it to the word before */
  constructor(text: string, { start, end, isSymbol, glueStart = start }: Place) {
    super(text.slice(start, end), text.slice(glueStart, start));
    this.start = start;
    this.end = end;
    this.isSymbol = isSymbol;
  }
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly isSymbol: boolean;
  readonly glueStart?: number | undefined;
}

/** A text in which words are looked for. Each is folded once, however many keywords are compared with it. */
export class TypedText {
  readonly text: string;
  readonly #words = new Map<number, TypedWord | undefined>();

  constructor(text: string) {
    this.text = text;
  }

  /** The next word at or after `from`, where the text begins or a word begins or ends; `undefined` if there is none. */
  wordAfter(from: number): TypedWord | undefined {
    if (this.#words.has(from)) return this.#words.get(from);
    const place = placeAfter(this.text, from);
    const word = place && new TypedWord(this.text, place);
    this.#words.set(from, word);
    return word;
  }

  /** The words after `from`. */
  *wordsAfter(from: number): Generator<TypedWord> {
    for (let word = this.wordAfter(from); word !== undefined; word = this.wordAfter(word.end)) yield word;
  }
}

/** Returns the folded words of a phrase; none if it has only punctuation. */
export function foldPhrase(phrase: string): FoldedWord[] {
  const text = new TypedText(phrase);
  const words: FoldedWord[] = [];
  for (let word = text.wordAfter(0); word !== undefined; word = text.wordAfter(word.end)) words.push(word);
  return words;
}

function placeAfter(text: string, from: number): Place | undefined {
  /** Where the marks begin that touch the word before; `undefined` after white space. */
  let glueStart = from > 0 && kindAt(text, from - 1) !== "space" ? from : undefined;
  /** Symbols are a word only if no word touches them. */
  let symbols: Place | undefined;
  for (let at = from; at < text.length; at += widthAt(text, at)) {
    const kind = kindAt(text, at);
    if (kind === "space") {
      if (symbols !== undefined) return symbols;
      glueStart = undefined;
    } else if (kind === "symbol") {
      if (glueStart === undefined)
        symbols = { start: symbols?.start ?? at, end: at + widthAt(text, at), isSymbol: true };
    } else if (isInWord(kind)) return { start: at, end: endOfWord(text, at), isSymbol: false, glueStart };
  }
  return symbols;
}

/** The offset after the marks, symbols and invisible characters that touch a word which ends at `end`. */
export function endOfMarks(text: string, end: number): number {
  let at = end;
  while (at < text.length && isAround(kindAt(text, at))) at += widthAt(text, at);
  return at;
}

function isAround(kind: Kind): boolean {
  return kind !== "space" && !isInWord(kind);
}

function isInWord(kind: Kind): boolean {
  return kind === "letter" || kind === "digit" || kind === "joined";
}

function endOfWord(text: string, start: number): number {
  let at = start;
  let last: Kind = "mark";
  for (; at < text.length; at += widthAt(text, at)) {
    const kind = kindAt(text, at);
    if (isInWord(kind)) last = kind;
    else if (kind === "mark") {
      if (!connects(text.charAt(at), last) || visibleKindAfter(text, at + 1) !== last) break;
    } else if (kind !== "invisible" && kind !== "combining") break;
  }
  return at;
}

function visibleKindAfter(text: string, from: number): Kind | undefined {
  for (let at = from; at < text.length; at += widthAt(text, at)) {
    const kind = kindAt(text, at);
    if (kind !== "invisible" && kind !== "combining") return kind;
  }
  return undefined;
}
