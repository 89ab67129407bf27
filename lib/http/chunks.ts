// Puts the chunks of a body together: holds the limits, and inflates. It does not know where the chunks come from.

import type { Readable } from "node:stream";
import { types } from "node:util";

import type { Refusal } from "../callback/invalid.js";
import type { Callback, UnreadCallback } from "../callback/read-callback.js";
import { canInflate, inflate, isPlainJson } from "./inflate.js";

export interface BodyLimits {
  /** Bytes, counted after inflating. */
  readonly bodyLimit: number;
  /** Milliseconds within which the whole body must arrive. */
  readonly bodyTimeoutMs: number;
}

export type Collected =
  | { readonly bytes: Uint8Array }
  /** `read`: the part that was read. */
  | { readonly refusal: Refusal; readonly read: Uint8Array };

/** Takes the chunks of one body. After the result, further calls change nothing. */
export interface Chunks {
  push(chunk: Buffer): void;
  end(): void;
  refuse(refusal: Refusal): void;
}

export const NOTHING: Uint8Array = new Uint8Array();

export const TOO_LARGE: Refusal = { code: "body-too-large", detail: "The body is larger than this endpoint takes." };
export const CUT: Refusal = { code: "body-incomplete", detail: "The connection ended before the body was read." };
const TOO_SLOW: Refusal = { code: "body-incomplete", status: 408, detail: "The body did not arrive in time." };
const DAMAGED: Refusal = {
  code: "malformed-body",
  detail: "The body does not match its Content-Encoding, or ends too early.",
};
const UNKNOWN_ENCODING: Refusal = {
  code: "unsupported-media-type",
  detail:
    "The body is compressed in a way that is not read here: the Content-Encoding must be gzip, deflate or br, or absent.",
};

/**
 * @param encodings - the compressions that the request names, in order. A body that is plainly JSON is not inflated
 * @param whenDone - called once
 */
export function collectChunks(
  encodings: readonly string[],
  { bodyLimit, bodyTimeoutMs }: BodyLimits,
  whenDone: (collected: Collected) => void,
): Chunks {
  const chunks: Buffer[] = [];
  let size = 0;
  let settled = false;
  const settle = (collected: Collected): void => {
    settled = true;
    clearTimeout(timer);
    // Releases the memory of a body that is given up.
    inflater?.push(null);
    whenDone(collected);
  };
  const refuse = (refusal: Refusal): void => {
    if (!settled) settle({ refusal, read: Buffer.concat(chunks) });
  };
  // The socket keeps the process alive for as long as the body is awaited.
  const timer = setTimeout(() => refuse(TOO_SLOW), bodyTimeoutMs).unref();

  let inflater: Readable | undefined;
  /** Whether the body is read as it comes; `undefined` as long as only white space has come. */
  let isPlain = encodings.length === 0 ? true : undefined;
  const takeEncoded = (chunk: Buffer): void => {
    if (inflater !== undefined) inflater.push(chunk);
    else if (isPlain === undefined) {
      isPlain = isPlainJson(chunk);
      if (isPlain !== false || !canInflate(encodings)) return;
      inflater = inflate(encodings, bodyLimit, (result) => {
        if ("failed" in result) refuse(result.failed === "too-large" ? TOO_LARGE : DAMAGED);
        else if (!settled) settle(result);
      });
      for (const one of chunks) inflater.push(one);
    }
  };

  return {
    push: (chunk) => {
      if (settled) return;
      chunks.push(chunk);
      size += chunk.length;
      if (size > bodyLimit) refuse(TOO_LARGE);
      else if (isPlain !== true) takeEncoded(chunk);
    },
    end: () => {
      if (settled) return;
      if (inflater !== undefined) inflater.push(null);
      else if (isPlain === false) refuse(UNKNOWN_ENCODING);
      else settle({ bytes: chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks) });
    },
    refuse,
  };
}

/** A callback whose body is there already, or its rejection if the body is too large. A parsed body has no length. */
export function withinLimit(callback: Callback, bodyLimit: number): Callback | UnreadCallback {
  if (callback.method === "GET") return callback;
  const { body } = callback;
  const isTooLarge = (typeof body === "string" || types.isUint8Array(body)) && Buffer.byteLength(body) > bodyLimit;
  return isTooLarge ? { method: "POST", refusal: TOO_LARGE, read: NOTHING } : callback;
}
