// Inflates a compressed body as it arrives. body-parser does the work, on a stand-in for the request, so that a body that
// inflates past its limit is known at once: given the request itself, body-parser tells only when the sender has finished.

import { Readable } from "node:stream";
import { types } from "node:util";

export type Inflated = { readonly bytes: Uint8Array } | { readonly failed: "too-large" | "damaged" };

/** As much of a request as body-parser looks at, and where it puts the body. */
interface StandIn extends Readable {
  headers: Readonly<Record<string, string>>;
  body?: unknown;
}

/** As much of body-parser as is used here. */
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
 * Gives a stream to push the compressed body into, and `null` at its end.
 *
 * @param limit - the most bytes it may inflate to
 * @param whenDone - called once, when the body was inflated or failed to
 */
export function inflate(encoding: string, limit: number, whenDone: (result: Inflated) => void): Readable {
  // Loaded by the first compressed body: most servers never see one.
  const bodyParser = require("body-parser") as BodyParser;
  const headers = { "content-encoding": encoding, "transfer-encoding": "chunked" };
  const standIn: StandIn = Object.assign(new Readable({ read: () => undefined }), { headers });
  bodyParser.raw({ type: () => true, limit })(standIn, {}, (error) => {
    if (error !== undefined) whenDone({ failed: error.status === 413 ? "too-large" : "damaged" });
    else whenDone({ bytes: types.isUint8Array(standIn.body) ? standIn.body : new Uint8Array() });
  });
  return standIn;
}
