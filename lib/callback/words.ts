// Splits a text at white space as Unicode defines it. Unlike JavaScript's \s, it includes U+0085 and excludes U+FEFF.

/** The position of a word in a text: `text.slice(start, end)`. */
export interface Word {
  readonly start: number;
  readonly end: number;
}

/** Returns the next word at or after `from`; `undefined` if only white space is left. */
export function nextWord(text: string, from: number): Word | undefined {
  const start = skipWhiteSpace(text, from);
  if (start === text.length) return undefined;
  let end = start + 1;
  while (end < text.length && !isWhiteSpace(text.charCodeAt(end))) end++;
  return { start, end };
}

export function skipWhiteSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isWhiteSpace(text.charCodeAt(at))) at++;
  return at;
}

export function splitWords(text: string): string[] {
  const words: string[] = [];
  for (let word = nextWord(text, 0); word !== undefined; word = nextWord(text, word.end)) {
    words.push(text.slice(word.start, word.end));
  }
  return words;
}

/** The White_Space property of Unicode 16. All its characters are in the Basic Multilingual Plane. */
export function isWhiteSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0x85) return false;
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}
