// From the request that the provider sends to what `sms.receive` takes.

import { brotliDecompressSync, unzipSync } from "node:zlib";

import type { Callback } from "../callback/read-callback.js";
import { encodingsOf, isPlainJson } from "../http/inflate.js";
import type { SavedCallback } from "./saved-callback.js";

interface Sent {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export function callbackOf({ method, url, headers, body }: Sent): Callback {
  if (method === "GET") return { method, query: queryOf(url) };
  return { method, body, contentType: headerOf(headers, "content-type") };
}

/** The query of a URL, without its `?`. */
export function queryOf(url: string): string {
  return /\?(.*)$/s.exec(url)?.[1] ?? "";
}

/** The value of a header, however its name is written. */
export function headerOf(headers: Sent["headers"], name: string): string | undefined {
  return Object.entries(headers).find(([written]) => written.toLowerCase() === name)?.[1];
}

/** Far more than any SMS takes, in bytes. */
const MOST_INFLATED = 16 * 1024 * 1024;

/**
 * The body as it was before it was compressed: `sms.receive` knows no `Content-Encoding`.
 *
 * @throws Node's error if it cannot be inflated
 */
export function inflated({ headers, body }: Pick<SavedCallback, "headers" | "body">): Uint8Array {
  if (isPlainJson(Buffer.from(body)) === true) return body;
  const limit = { maxOutputLength: MOST_INFLATED };
  return encodingsOf(headerOf(headers, "content-encoding")).reduceRight<Uint8Array>(
    (compressed, encoding) =>
      encoding === "br" ? brotliDecompressSync(compressed, limit) : unzipSync(compressed, limit),
    body,
  );
}
