// Finds the words of a typed text, as keywords are compared: without the marks around them, and apart where a mark is
// between them. `parts` and `args` are different: they are split at white space only.

import { connects, kindAt, widthAt, type Kind } from "./characters.js";

/** A word of a text: `text.slice(start, end)`. */
export interface TypedWord {
  readonly start: number;
  readonly end: number;
  /** The marks between the word before and this one, if nothing else is: `*` in `VOTE*3`. Otherwise empty. */
  readonly glue: string;
  /** Whether it is an emoji, or another symbol, that stands alone. */
  readonly isSymbol: boolean;
}

/** The next word at or after `from`, where a text or a word begins or has just ended; `undefined` if there is none. */
export function typedWordAfter(text: string, from: number): TypedWord | undefined {
  /** Where the marks begin that touch the word before; `undefined` after white space. */
  let glueStart = from > 0 && kindAt(text, from - 1) !== "space" ? from : undefined;
  /** Symbols are a word only if no word touches them. */
  let symbols: TypedWord | undefined;
  for (let at = from; at < text.length; at += widthAt(text, at)) {
    const kind = kindAt(text, at);
    if (kind === "space") {
      if (symbols !== undefined) return symbols;
      glueStart = undefined;
    } else if (kind === "symbol") {
      if (glueStart === undefined)
        symbols = { start: symbols?.start ?? at, end: at + widthAt(text, at), glue: "", isSymbol: true };
    } else if (isInWord(kind)) {
      const glue = glueStart === undefined ? "" : text.slice(glueStart, at);
      return { start: at, end: endOfWord(text, at), glue, isSymbol: false };
    }
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
