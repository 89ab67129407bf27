// Decodes bytes to text, exactly or not at all.

import { isUtf8 } from "node:buffer";

/** The text without its byte order mark, or why the bytes cannot be decoded. */
export type Decoded = { readonly text: string } | { readonly refused: "not-in-charset" | "unknown-charset" };

const BYTE_ORDER_MARK = 0xfeff;

/**
 * Decodes the bytes of a body. Uses Node's own decoder, because it rejects bytes that are invalid in the charset.
 * iconv-lite replaces them with U+FFFD.
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
    // As a stream, because without `stream` Node 20 decodes windows-1252 as ISO 8859-1.
    return { text: decoder.decode(bytes, { stream: true }) + decoder.decode() };
  } catch {
    return { refused: "not-in-charset" };
  }
}

/** Returns the text if the bytes are valid UTF-8, otherwise the bytes. */
export function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  return isUtf8(bytes) ? asBuffer(bytes).toString("utf8") : bytes;
}

/** Removes a byte order mark from the head of a text. */
export function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
