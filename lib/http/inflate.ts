// Inflates a compressed body as it arrives. body-parser does the work, on a stand-in for the request: an oversized body
// is then rejected at once. Given the request itself, body-parser reports it only when the sender has finished.

import { Readable } from "node:stream";
import { types } from "node:util";

export type Inflated = { readonly bytes: Uint8Array } | { readonly failed: "too-large" | "damaged" };

/** The part of a request that body-parser reads, and the property that it sets. */
interface StandIn extends Readable {
  headers: Readonly<Record<string, string>>;
  body?: unknown;
}

/** The part of body-parser that is used here. */
interface BodyParser {
  raw(options: {
    type: () => boolean;
    limit: number;
  }): (req: StandIn, res: object, next: (error?: { status?: number }) => void) => void;
}

const CAN_INFLATE: ReadonlySet<string> = new Set(["gzip", "deflate", "br"]);
const CANNOT_INFLATE: ReadonlySet<string> = new Set(
  "compress zstd zip zlib brotli bzip2 xz lzma lz4 snappy pack200-gzip exi aes128gcm dcb dcz".split(" "),
);
/** Each takes a pass over the body. */
const MOST_ENCODINGS = 5;

/**
 * The compressions that a Content-Encoding header names, in order. Some senders put something else there, such as the
 * charset.
 */
export function encodingsOf(header: string | null | undefined): readonly string[] {
  if (header === undefined || header === null) return [];
  return header
    .toLowerCase()
    .split(",")
    .map((name) => name.trim().replace(/^x-/, ""))
    .filter((name) => CAN_INFLATE.has(name) || CANNOT_INFLATE.has(name));
}

export function canInflate(encodings: readonly string[]): boolean {
  return encodings.length <= MOST_ENCODINGS && encodings.every((encoding) => CAN_INFLATE.has(encoding));
}

const OPENING_BRACE = 0x7b;
/** JSON's white space, and the bytes of a byte order mark. */
const BEFORE_BRACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/** Whether bytes begin like a JSON object, as no compressed body does; `undefined` if that is not known yet. */
export function isPlainJson(bytes: Uint8Array): boolean | undefined {
  const first = bytes.find((byte) => !BEFORE_BRACE.has(byte));
  return first === undefined ? undefined : first === OPENING_BRACE;
}

/**
 * Returns a stream. Push the chunks of the compressed body into it, and `null` at the end.
 *
 * @param encodings - at least one, in the order in which they were applied
 * @param limit - bytes that the body may have after each of them is undone
 * @param whenDone - called once, when the body is inflated or inflating it failed
 */
export function inflate(encodings: readonly string[], limit: number, whenDone: (result: Inflated) => void): Readable {
  const inner = encodings.slice(0, -1);
  return inflateOne(encodings.at(-1) ?? "", limit, (result) => {
    if (inner.length === 0 || "failed" in result || isPlainJson(result.bytes) === true) {
      whenDone(result);
      return;
    }
    const next = inflate(inner, limit, whenDone);
    next.push(result.bytes);
    next.push(null);
  });
}

function inflateOne(encoding: string, limit: number, whenDone: (result: Inflated) => void): Readable {
  // Loaded for the first compressed body: most servers never receive one.
  const bodyParser = require("body-parser") as BodyParser;
  const headers = { "content-encoding": encoding, "transfer-encoding": "chunked" };
  const standIn: StandIn = Object.assign(new Readable({ read: () => undefined }), { headers });
  bodyParser.raw({ type: () => true, limit })(standIn, {}, (error) => {
    if (error !== undefined) whenDone({ failed: error.status === 413 ? "too-large" : "damaged" });
    else whenDone({ bytes: types.isUint8Array(standIn.body) ? standIn.body : new Uint8Array() });
  });
  return standIn;
}
