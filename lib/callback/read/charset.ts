// From bytes to text, exactly or not at all.

import { isUtf8 } from "node:buffer";

/** The text that the bytes are in that charset, without a byte order mark. */
export type Decoded = { readonly text: string } | { readonly refused: "not-in-charset" | "unknown-charset" };

const BYTE_ORDER_MARK = 0xfeff;

/**
 * Decodes what a body reader collected. Node's own decoder rather than a library: it refuses bytes that are not valid
 * in the charset, where iconv-lite puts U+FFFD in their place.
 */
export function decode(bytes: Uint8Array, charset: string): Decoded {
  if (charset === "utf-8" || charset === "utf8") {
    return isUtf8(bytes) ? { text: withoutMark(asBuffer(bytes).toString("utf8")) } : { refused: "not-in-charset" };
  }
  let decoder;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch {
    return { refused: "unknown-charset" };
  }
  try {
    // As a stream: decoded at once, Node 20 takes windows-1252 for ISO 8859-1.
    return { text: decoder.decode(bytes, { stream: true }) + decoder.decode() };
  } catch {
    return { refused: "not-in-charset" };
  }
}

/** The bytes as UTF-8 text where they are valid in it, otherwise the bytes. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  return isUtf8(bytes) ? asBuffer(bytes).toString("utf8") : bytes;
}

/** A text without the byte order mark that it may begin with. */
export function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
