// Decodes bytes to text. Bytes that are not valid in the charset are damage: each becomes U+FFFD, and is marked.

import { isUtf8 } from "node:buffer";

/** A text without its byte order mark. */
export interface Decoded {
  readonly text: string;
  /** If bytes were damaged: the same text, with another character in place of each U+FFFD that stands for damage. */
  readonly marked?: string;
}

/** Any character that no reader knows and that is not U+FFFD. */
const MARK = "\ufffe";
const REPLACEMENT = "\ufffd";

/** Decodes the bytes of a body. `undefined`: the charset is not known. */
export function decode(bytes: Uint8Array, declared: string): Decoded | undefined {
  const charset = charsetOfMark(bytes) ?? declared;
  if (charset === "utf-8") {
    return isUtf8(bytes) ? { text: withoutMark(asBuffer(bytes).toString("utf8")) } : decodeDamaged(asBuffer(bytes));
  }
  try {
    return { text: decodeAs(charset, bytes, true) };
  } catch {
    // Either the bytes are damaged, or the charset is not known.
  }
  try {
    const text = decodeAs(charset, bytes, false);
    return { text, marked: text.replaceAll(REPLACEMENT, MARK) };
  } catch {
    return undefined;
  }
}

/**
 * A byte order mark wins over the content type: Java writes UTF-16 with the other order, and with a mark that says so.
 */
function charsetOfMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? "utf-8" : undefined;
}

/** As a stream, because without `stream` Node 20 decodes windows-1252 as ISO 8859-1. */
function decodeAs(charset: string, bytes: Uint8Array, fatal: boolean): string {
  const decoder = new TextDecoder(charset, { fatal });
  return decoder.decode(bytes, { stream: true }) + decoder.decode();
}

/** A surrogate pair as two sequences of three bytes (CESU-8): some gateways send emoji so. One character a byte. */
const SURROGATE_PAIR = /\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf])/g;
/** U+FFFD, and another character of as many bytes. One character a byte. */
const SENT_REPLACEMENT = "\xef\xbf\xbd";
const SENT_OTHER = "\xef\xbf\xbc";

/** Decodes bytes that are not valid UTF-8. No byte sequence replaced here can begin within another one. */
function decodeDamaged(bytes: Buffer): Decoded {
  const sent = bytes.toString("latin1").replace(SURROGATE_PAIR, (_, ...units: string[]) => pairOf(units));
  const text = new TextDecoder().decode(Buffer.from(sent, "latin1"));
  // In this one, each U+FFFD stands for damage.
  const damage = new TextDecoder().decode(Buffer.from(sent.replaceAll(SENT_REPLACEMENT, SENT_OTHER), "latin1"));
  if (!damage.includes(REPLACEMENT)) return { text };
  return { text, marked: text.replace(/\ufffd/g, (one, at: number) => (damage[at] === REPLACEMENT ? MARK : one)) };
}

/** The character of a surrogate pair in UTF-8, one character a byte. */
function pairOf(units: readonly string[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = units.slice(0, 4).map((unit) => unit.charCodeAt(0) & 0x3f);
  return Buffer.from(String.fromCharCode(0xd000 | (a << 6) | b, 0xd000 | (c << 6) | d)).toString("latin1");
}

/** Returns the text if the bytes are valid UTF-8, otherwise the bytes. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  return isUtf8(bytes) ? asBuffer(bytes).toString("utf8") : bytes;
}

const BYTE_ORDER_MARK = 0xfeff;

function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
