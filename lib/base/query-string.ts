// Splits a query string or a form into its variables, and decodes their escapes.

/** One variable: its name, decoded, and its value. */
export type Pair = readonly [name: string, value: string];

const asSent = (_name: string, value: string): string => value;

/**
 * Returns the variables of `a=1&b=2`, in order.
 *
 * @param read - converts a value for its pair; by default, the value stays exactly as sent
 */
export function pairsOf(query: string, read: (name: string, value: string) => string = asSent): Pair[] {
  const pairs: Pair[] = [];
  forEachPair(query, (start, nameEnd, end) => {
    if (end === start) return;
    const name = decode(query.slice(start, nameEnd));
    pairs.push([name, read(name, query.slice(nameEnd + 1, end))]);
  });
  return pairs;
}

/** Returns the values of one variable, exactly as sent, in order. */
export function valuesOf(query: string, name: string): string[] {
  const values: string[] = [];
  forEachPair(query, (start, nameEnd, end) => {
    if (isNamed(query, start, nameEnd, name)) values.push(query.slice(nameEnd + 1, end));
  });
  return values;
}

/** Returns the query without the variables of these names, otherwise exactly as sent. */
export function withoutVariables(query: string, names: readonly string[]): string {
  const kept: string[] = [];
  forEachPair(query, (start, nameEnd, end) => {
    if (!names.some((name) => isNamed(query, start, nameEnd, name))) kept.push(query.slice(start, end));
  });
  return kept.join("&");
}

/** Calls back with the start, the end of the name and the end of each variable, even an empty one between two `&`. */
function forEachPair(query: string, visit: (start: number, nameEnd: number, end: number) => void): void {
  // A query without `=` is searched once, not once for each variable.
  let equals = -1;
  for (let start = 0, end = 0; end < query.length; start = end + 1) {
    const next = query.indexOf("&", start);
    end = next === -1 ? query.length : next;
    if (equals < start) {
      equals = query.indexOf("=", start);
      if (equals === -1) equals = query.length;
    }
    visit(start, Math.min(equals, end), end);
  }
}

/** A decoded name is never longer than the encoded one, so comparing lengths first saves most decoding. */
function isNamed(query: string, start: number, nameEnd: number, name: string): boolean {
  return nameEnd - start >= name.length && decode(query.slice(start, nameEnd)) === name;
}

/** Decodes a name or a value: `+` becomes a space. An escape that does not encode a character stays unchanged. */
export function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  if (spaced.length < NATIVE_FROM) return decodeCarefully(spaced);
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeCarefully(spaced);
  }
}

/**
 * From this length on, in characters, the engine's own decoder is faster, even if it throws. On shorter texts, one
 * query of broken names would make it throw thousands of times, before the caller is authenticated.
 */
const NATIVE_FROM = 256;

/** Decodes only valid escapes, so it never throws. */
function decodeCarefully(text: string): string {
  let decoded = "";
  let from = 0;
  for (let at = text.indexOf("%"); at !== -1; at = text.indexOf("%", at)) {
    const end = endOfEscapes(text, at);
    if (end > at) {
      decoded += text.slice(from, at) + decodeURIComponent(text.slice(at, end));
      from = at = end;
    } else at++;
  }
  return from === 0 ? text : decoded + text.slice(from);
}

/** Returns the end of the series of valid escapes that begins at `at`; `at` itself if the first one is not valid. */
function endOfEscapes(text: string, at: number): number {
  let end = at;
  for (;;) {
    const length = escapedLength(text, end);
    if (length === 0) return end;
    end += length;
  }
}

/** Returns the length of the escapes of the character at `at`; 0 if its bytes are not valid UTF-8 (RFC 3629). */
function escapedLength(text: string, at: number): number {
  const first = byteAt(text, at);
  if (first < 0x80) return first === NO_BYTE ? 0 : ESCAPE;
  const bytes = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (bytes === 0) return 0;
  const second = byteAt(text, at + ESCAPE);
  const [lowest, highest] = SECOND_BYTES.get(first) ?? CONTINUATION;
  if (second < lowest || second > highest) return 0;
  for (let n = 2; n < bytes; n++) if ((byteAt(text, at + n * ESCAPE) & 0xc0) !== 0x80) return 0;
  return bytes * ESCAPE;
}

/** The length of `%41`. */
const ESCAPE = 3;
const NO_BYTE = -1;
const CONTINUATION = [0x80, 0xbf] as const;
/**
 * The second bytes that are allowed after some first bytes. Other continuation bytes would encode an overlong form, a
 * surrogate, or a number beyond Unicode.
 */
const SECOND_BYTES: ReadonlyMap<number, readonly [lowest: number, highest: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

/** Returns the byte whose escape is at `at`; -1 if there is no escape. */
function byteAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== PERCENT) return NO_BYTE;
  const high = hexDigit(text.charCodeAt(at + 1));
  const low = hexDigit(text.charCodeAt(at + 2));
  return high === -1 || low === -1 ? NO_BYTE : high * 16 + low;
}

const PERCENT = 0x25;

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Returns a value without the pair of double quotes that the provider may put around it. */
export function unquoted(value: string): string {
  return isQuoted(value) ? value.slice(1, -1) : value;
}

export function isQuoted(value: string): boolean {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"');
}
