// A query string or a form: where its variables begin and end, and what their escapes stand for.

/** One variable: its name, decoded, and its value. */
export type Pair = readonly [name: string, value: string];

const asSent = (_name: string, value: string): string => value;

/**
 * The variables of `a=1&b=2`, in their order.
 *
 * @param read - makes of a value, as it was sent, what stands in the pair; by default it stays as it is
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

/** The values of one variable, as they were sent, in their order. */
export function valuesOf(query: string, name: string): string[] {
  const values: string[] = [];
  forEachPair(query, (start, nameEnd, end) => {
    if (isNamed(query, start, nameEnd, name)) values.push(query.slice(nameEnd + 1, end));
  });
  return values;
}

/** The query as it was sent, but for the variables of these names. */
export function withoutVariables(query: string, names: readonly string[]): string {
  const kept: string[] = [];
  forEachPair(query, (start, nameEnd, end) => {
    if (!names.some((name) => isNamed(query, start, nameEnd, name))) kept.push(query.slice(start, end));
  });
  return kept.join("&");
}

/** Calls back with where each variable begins, its name ends, and it ends; also for what is empty between two `&`. */
function forEachPair(query: string, visit: (start: number, nameEnd: number, end: number) => void): void {
  // Never looked for twice: a query may have none.
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

/** Decoded, a name is never longer: most are told apart without that. */
function isNamed(query: string, start: number, nameEnd: number, name: string): boolean {
  return nameEnd - start >= name.length && decode(query.slice(start, nameEnd)) === name;
}

/** What a name or a value stands for: `+` is a space, and an escape that stands for no character is kept as it is. */
export function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  if (spaced.length < WORTH_A_THROW) return decodeCarefully(spaced);
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeCarefully(spaced);
  }
}

/**
 * From so many characters on, the engine's own decoder is quicker, also where it throws. On short texts it would throw thousands of times for one
 * query that a stranger made of broken names, before it is known whether he may call.
 */
const WORTH_A_THROW = 256;

/** Checks escapes before it decodes them. */
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

/** Where the escapes end that begin at `at` and stand for characters, one behind the other; `at` where the first one stands for none. */
function endOfEscapes(text: string, at: number): number {
  let end = at;
  for (;;) {
    const length = escapedLength(text, end);
    if (length === 0) return end;
    end += length;
  }
}

/** How long the escapes of the character at `at` are, by the bytes that RFC 3629 allows in UTF-8; 0 where they stand for none. */
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
/** What may follow a first byte, where that is less than any continuation: the rest is written shorter, a surrogate, or beyond Unicode. */
const SECOND_BYTES: ReadonlyMap<number, readonly [lowest: number, highest: number]> = new Map([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

/** The byte whose escape stands at `at`; -1 where there is none. */
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

/** A value without the pair of double quotes that the provider may put around it. */
export function unquoted(value: string): string {
  return isQuoted(value) ? value.slice(1, -1) : value;
}

export function isQuoted(value: string): boolean {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"');
}
