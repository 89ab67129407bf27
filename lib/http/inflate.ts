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

const ENCODINGS: ReadonlySet<string> = new Set(["gzip", "deflate", "br"]);

export function canInflate(encoding: string): boolean {
  return ENCODINGS.has(encoding);
}

/**
 * Returns a stream. Push the chunks of the compressed body into it, and `null` at the end.
 *
 * @param limit - bytes that the inflated body may have
 * @param whenDone - called once, when the body is inflated or inflating it failed
 */
export function inflate(encoding: string, limit: number, whenDone: (result: Inflated) => void): Readable {
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
