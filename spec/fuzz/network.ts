// Generates callbacks as networks send them: content types, charsets and encodings that are wrong, missing or repeated,
// and bytes that were damaged. With each comes what must be read from it, written apart from the readers.

import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";

export interface SentOverNetwork {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly body: Buffer;
  /** The text that must arrive, and whether it is damaged; otherwise the status and the code of the answer. */
  readonly expected:
    { readonly text: string; readonly damaged: boolean } | { readonly status: number; readonly code: string };
}

/** A piece of a text: its bytes, one character each, what they are read as, and whether that is damage. */
type Piece = readonly [bytes: string, text: string, isDamage: boolean];

const utf8 = (text: string): Piece => [Buffer.from(text).toString("latin1"), text, false];
const piece: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom("STOP", " ", "é", "नमस्ते", "😀", "\ufffd", "\ufffe", "%", "+", "x&y=z").map(utf8),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Piece>(
      ["\xed\xa0\xbd\xed\xb8\x80", "😀", false],
      ["\xed\xa0\xbd", "\ufffd\ufffd\ufffd", true],
      ["\xff", "\ufffd", true],
      ["\xe9", "\ufffd", true],
      ["\xe2\x82", "\ufffd", true],
      ["\xf0\x9f\x98", "\ufffd", true],
    ),
  },
);

type Format = "json" | "form";

/** The bytes of a value: escaped as the format wants it, but for what is no UTF-8. */
const written = ([bytes, text, isDamage]: Piece, format: Format): string => {
  if (isDamage || Buffer.from(bytes, "latin1").toString() !== text) return bytes;
  return format === "form" ? encodeURIComponent(text).replace(/%20/g, "+") : bytes;
};

const UNKNOWN_TYPES = [undefined, "", "*/*; charset=UTF-8", "application/octet-stream", "json", "text/plain", "x"];
const JSON_TYPES = [
  "application/json",
  "application/json, application/json",
  "application/json;charset=UTF-8,application/json",
  "application/vnd.a+json; charset=utf8",
];
const FORM_TYPE = "application/x-www-form-urlencoded";
const UNREADABLE_TYPES = ["text/xml", "application/xml; charset=utf-8", "multipart/form-data; boundary=x"];

const COMPRESS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  "x-gzip": gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
};
const encodings = fc.array(
  fc.constantFrom("gzip", "X-GZIP", "deflate", "br", "utf-8", "UTF8", "none", "identity", ""),
  { maxLength: 4 },
);

/** The place of some damage beside the text, in a body of either format. */
const place = fc.constantFrom(undefined, undefined, undefined, "value", "key", "head");

export const sentOverNetwork: fc.Arbitrary<SentOverNetwork> = fc
  .record({
    format: fc.constantFrom<Format>("json", "form"),
    pieces: fc.array(piece, { maxLength: 5 }),
    space: fc.constantFrom("", "", "\n", " \r\n\t", "\ufeff"),
    place,
    type: fc.constantFrom(...UNKNOWN_TYPES, ...JSON_TYPES, FORM_TYPE, FORM_TYPE, ...UNREADABLE_TYPES),
    encodings,
    isApplied: fc.boolean(),
  })
  .map(({ format, pieces, space, place: where, type, encodings: names, isApplied }) => {
    const members = [
      [where === "key" ? "ki\xffd" : "kid", where === "value" ? "\xed\xa0\xbd" : "k"],
      ["id", "1"],
      ["source", "919876543210"],
      ["recipient", "5050"],
      ["message", pieces.map((one) => written(one, format)).join("")],
    ];
    const pairs = members.map(([name = "", value = ""]) =>
      format === "json" ? `"${name}":"${value}"` : `${name}=${value}`,
    );
    const content = format === "json" ? `{${pairs.join(",")}}` : pairs.join("&");
    const head = Buffer.from(space).toString("latin1") + (where === "head" ? "\xff" : "");
    const plain = Buffer.from(head + content, "latin1");
    const compressions = names.map((name) => name.toLowerCase()).filter((name) => name in COMPRESS);
    const compressed = compressions.reduce<Buffer>((bytes, name) => COMPRESS[name]?.(bytes) ?? bytes, plain);
    const body = isApplied ? compressed : plain;
    const isMisread = !isApplied && compressions.length > 0 && (format === "form" || where === "head");

    const expected = (): SentOverNetwork["expected"] => {
      if (isMisread) return { status: 400, code: "malformed-body" };
      if (UNREADABLE_TYPES.includes(type ?? "")) return { status: 415, code: "unsupported-media-type" };
      if (where !== undefined) return { status: 400, code: "malformed-body" };
      if (format === "form" && JSON_TYPES.includes(type ?? "")) return { status: 400, code: "malformed-body" };
      return { text: pieces.map(([, text]) => text).join(""), damaged: pieces.some(([, , isDamage]) => isDamage) };
    };
    return {
      contentType: type,
      contentEncoding: names.length === 0 ? undefined : names.join(", "),
      body,
      expected: expected(),
    };
  });
