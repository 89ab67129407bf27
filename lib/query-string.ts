// A query string or a form: where its variables begin and end, and what their escapes stand for.

/** One variable: its name, decoded, and its value as it was sent. */
export type Pair = readonly [name: string, value: string];

/** The variables of `a=1&b=2`, in their order. */
export function pairsOf(query: string): Pair[] {
  const pairs: Pair[] = [];
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const end = endOfName(pair);
    pairs.push([decode(pair.slice(0, end)), pair.slice(end + 1)]);
  }
  return pairs;
}

function endOfName(pair: string): number {
  const equals = pair.indexOf("=");
  return equals === -1 ? pair.length : equals;
}

/** The query as it was sent, but for the variables of these names. */
export function withoutVariables(query: string, names: ReadonlySet<string>): string {
  return query
    .split("&")
    .filter((pair) => !names.has(decode(pair.slice(0, endOfName(pair)))))
    .join("&");
}

/** What a name or a value stands for: `+` is a space, and an escape that stands for no character is kept as it is. */
export function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(ESCAPED_CHARACTER, decodeCharacter);
  }
}

/** The escapes of one UTF-8 character, by the length that its first byte announces. */
const ESCAPED_CHARACTER =
  /%[0-7][0-9a-f]|%[cd][0-9a-f](?:%[89ab][0-9a-f])|%e[0-9a-f](?:%[89ab][0-9a-f]){2}|%f[0-7](?:%[89ab][0-9a-f]){3}/gi;

function decodeCharacter(escapes: string): string {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return escapes;
  }
}

/** A value without the pair of double quotes that the provider may put around it. */
export function unquoted(value: string): string {
  return isQuoted(value) ? value.slice(1, -1) : value;
}

export function isQuoted(value: string): boolean {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"');
}
