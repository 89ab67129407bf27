// What one callback shows: where it holds the text that was asked for, how that is encoded, and whether it is escaped.

import { isPart, isTableField, partNumber } from "../../callback/fields.js";
import type { SavedCallback } from "../../provider/saved-callback.js";
import { hasBackslash, isAsked, isDecisive, isExact, isLines, marksOf, type Asked, type Marks } from "./asked-text.js";
import { ENCODINGS, type Decoding } from "./decoding.js";
import { isText, layoutsOf, type Keys } from "./encryption.js";
import { shapeOf, type Shape } from "./shape.js";

/** How a part of a text came: escaped as in JSON, as it is, or so that neither is shown. */
type Escaped = "json" | "none" | undefined;

export interface Evidence {
  readonly callback: SavedCallback;
  readonly shape: Shape;
  /** The name under which the text came; `parts` if only the words came. */
  readonly field: string;
  /** Whether it is the text of two lines. */
  readonly isLines: boolean;
  readonly decoding: Decoding | undefined;
  /** The names whose values are encoded so. */
  readonly encoded: ReadonlySet<string>;
  /** Whether the backslash and the quotes came so that they show whether they were escaped. */
  readonly isDecisive: boolean;
  /** What they show. `undefined` beside `isDecisive`: the one shows the contrary of the other. */
  readonly escaping: Escaped;
  /** What the line break of the text of two lines shows. */
  readonly lineBreak: Escaped | "space" | "lost" | "other";
  /** The text as it is in the callback, by the reading that is nearest to what was asked for. */
  readonly text: string;
  /** Whether this is the text exactly as it was asked for: then no option may change it. */
  readonly isFaithful: boolean;
}

/** Values in which the text may stand: as a parser reads them, and as they stand in the body. Several are its words. */
interface Place {
  readonly field: string;
  readonly parsed: readonly string[] | undefined;
  readonly raw: readonly string[] | undefined;
}

/** Returns what a callback shows; `undefined` if the text that was asked for is not in it. */
export function evidenceIn(callback: SavedCallback, asked: Asked, keys: Keys | undefined): Evidence | undefined {
  const shape = shapeOf(callback);
  if (shape === undefined) return undefined;
  const places = placesIn(shape);
  const plain = places.find((place) => readings(place).some((text) => isAsked(text, asked)));
  const isKnown = (text: string): boolean => isDecisive(text, asked) || isExact(text, asked);
  if (plain !== undefined && readings(plain).some(isKnown)) return withEscaping(callback, shape, plain, asked);
  const decodings = [...ENCODINGS, ...(keys === undefined ? [] : layoutsOf(keys))];
  const decoded = places.flatMap((place) =>
    decodings.flatMap((decoding) => {
      const text = openedWords(decoding, place.parsed ?? place.raw ?? []);
      return text === undefined ? [] : [{ place, decoding, text }];
    }),
  );
  const best =
    decoded.find(({ text }) => isExact(text, asked)) ??
    decoded.find(({ text }) => isDecisive(text, asked)) ??
    (plain === undefined ? decoded.find(({ text }) => isAsked(text, asked)) : undefined);
  if (best !== undefined) return withDecoding(callback, shape, best.place, best.decoding, best.text, asked);
  return plain && withEscaping(callback, shape, plain, asked);
}

/** The message first: any other field that holds the text has a copy of it. */
function placesIn({ names, parsed, raw }: Shape): Place[] {
  const parts = names.filter(isPart).sort((a, b) => partNumber(a) - partNumber(b));
  const placeOf = (field: string, ...of: readonly string[]): Place => ({
    field,
    parsed: parsed && of.map((name) => parsed.get(name) ?? ""),
    raw: raw && of.map((name) => raw.get(name) ?? ""),
  });
  return [
    ...names.filter((name) => name === "message").map((name) => placeOf(name, name)),
    ...(parts.length === 0 ? [] : [placeOf("parts", ...parts)]),
    ...names.filter((name) => name !== "message" && !isPart(name)).map((name) => placeOf(name, name)),
  ];
}

function readings({ parsed, raw }: Place): string[] {
  return [parsed, raw].filter((one) => one !== undefined).map((words) => words.join(" "));
}

function withEscaping(callback: SavedCallback, shape: Shape, place: Place, asked: Asked): Evidence {
  const { field } = place;
  const [parsed, raw] = [place.parsed?.join(" "), place.raw?.join(" ")];
  const isBody = shape.kind === "json" || shape.kind === "text";
  const found = readings(place);
  const has = found.some((text) => isLines(text, asked));
  const text =
    found.find((one) => isExact(one, asked)) ??
    found.find((one) => isAsked(one, asked) && hasBackslash(one)) ??
    found.find((one) => isAsked(one, asked)) ??
    "";
  return {
    callback,
    shape,
    field,
    isLines: has,
    decoding: undefined,
    encoded: new Set(),
    ...(isBody
      ? escapingIn(parsed, raw, asked)
      : { isDecisive: found.some((one) => isDecisive(one, asked)), escaping: undefined }),
    lineBreak: has && isBody ? lineBreakOf(parsed, raw) : undefined,
    text,
    isFaithful: isExact(text, asked),
  };
}

/** A text decides only if both, the backslash and the quotes, show how they came. */
function escapingIn(
  parsed: string | undefined,
  raw: string | undefined,
  asked: Asked,
): Pick<Evidence, "isDecisive" | "escaping"> {
  const [read, written] = [marksOf(parsed, asked), marksOf(raw, asked)];
  const decides = (marks: Marks): boolean => marks.backslash === "plain" && marks.quotes === "plain";
  if (decides(read) && !decides(written)) return { isDecisive: true, escaping: "json" };
  if (decides(written) && !decides(read)) return { isDecisive: true, escaping: "none" };
  // A parser reads quotes that came escaped. It reads a backslash that did not as a control character, or not at all.
  const isHalf =
    (written.backslash === "plain" && (written.quotes === "escaped" || read.quotes === "plain")) ||
    (written.quotes === "plain" && written.backslash === "escaped") ||
    // All of it is escaped, and yet it is no JSON: as in JavaScript or PHP, with a backslash before an apostrophe.
    (parsed === undefined && written.quotes === "escaped" && written.backslash === "escaped");
  return { isDecisive: isHalf || decides(read), escaping: undefined };
}

function lineBreakOf(parsed: string | undefined, raw: string | undefined): Evidence["lineBreak"] {
  const [read, written] = [parsed, raw].map((text) => /up([^]{0,12}?)down/i.exec(text ?? "")?.[1]);
  if (written !== undefined && /[\r\n]/.test(written)) return "none";
  if (read !== undefined && /[\r\n]/.test(read)) return "json";
  const between = read ?? written ?? "";
  return between === "" ? "lost" : /^ +$/.test(between) ? "space" : "other";
}

function withDecoding(
  callback: SavedCallback,
  shape: Shape,
  place: Place,
  decoding: Decoding,
  text: string,
  asked: Asked,
): Evidence {
  return {
    callback,
    shape,
    field: place.field,
    isLines: isLines(text, asked),
    decoding,
    encoded: encodedNames(shape, decoding),
    isDecisive: isDecisive(text, asked),
    // What was encoded has nothing to escape.
    escaping: undefined,
    lineBreak: undefined,
    text,
    isFaithful: isExact(text, asked),
  };
}

/** Of a cipher: all that can be decrypted. Of an encoding: the texts, and the others only if the number is encoded. */
function encodedNames({ names, parsed, raw }: Shape, decoding: Decoding): Set<string> {
  const values = parsed ?? raw ?? new Map<string, string>();
  const valueOf = (name: string): string => values.get(name) ?? "";
  const isEncoded = (name: string): boolean => {
    const text = opened(decoding, valueOf(name));
    return text !== undefined && text !== valueOf(name);
  };
  const isOther = (name: string): boolean => name !== "message" && !isPart(name);
  if (decoding.isCipher) {
    // What is empty here is taken for encrypted only if something besides the texts is.
    const areOthers = names.some((name) => isOther(name) && valueOf(name) !== "" && isEncoded(name));
    return new Set(names.filter((name) => (valueOf(name) === "" ? areOthers : isEncoded(name))));
  }
  const source = valueOf("source");
  const isNumber = (value: string): boolean => /^\+?\d{4,15}$/.test(value);
  const areAll =
    (!isNumber(source) && isNumber(opened(decoding, source) ?? "")) ||
    names.some((name) => isOther(name) && /%[0-9a-f]{2}/i.test(valueOf(name)) && isEncoded(name));
  return new Set(names.filter((name) => !isOther(name) || (areAll && (valueOf(name) === "" || isTableField(name)))));
}

/** Reads a value by what is known of its encoding. */
export function openedBy({ decoding, encoded }: Evidence): (value: string, name: string) => string {
  return (value, name) => (decoding !== undefined && encoded.has(name) ? opened(decoding, value) : undefined) ?? value;
}

/** The text of words that are encoded one by one; `undefined` if none is encoded so. */
function openedWords(decoding: Decoding, words: readonly string[]): string | undefined {
  const texts = words.map((word) => (word === "" ? "" : opened(decoding, word)));
  const isEncoded = texts.some((text, index) => text !== words[index]);
  return isEncoded && texts.every((text) => text !== undefined) ? texts.join(" ").trimEnd() : undefined;
}

/** `undefined` if a value is not encoded so. */
function opened({ open }: Decoding, value: string): string | undefined {
  try {
    const text = open(value);
    return isText(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
