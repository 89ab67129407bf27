// Reads a callback that was saved to a file.

import { readFileSync } from "node:fs";
import { brotliDecompressSync, unzipSync } from "node:zlib";

import { invalidArgument } from "../base/errors.js";
import { isRecord } from "../base/record.js";
import type { Callback } from "../callback/read-callback.js";
import { encodingsOf, isPlainJson } from "../http/inflate.js";
import { callbackOf, headerOf } from "./sent-callback.js";

/**
 * Reads a callback that was saved to a file, as `sms.receive` takes it.
 *
 * The file is JSON, `{ method, url, headers, body }`: `method` is `"GET"` or `"POST"`; `url` the target of the request,
 * with its query; `headers` a record of strings; `body` the exact bytes that came, in Base64, empty under GET.
 *
 * @throws TypeError if the file cannot be read, or is not such a callback
 * @example
 * const { message } = await sms.receive(fixture("spec/fixtures/emoji.json"));
 */
export function fixture(file: string): Callback {
  try {
    const saved: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (isSaved(saved)) return callbackOf({ ...saved, body: bytesOf(saved) });
  } catch (cause) {
    throw notSaved(file, cause);
  }
  throw notSaved(file);
}

interface Saved {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/;

function isSaved(value: unknown): value is Saved {
  if (!isRecord(value)) return false;
  const { method, url, headers, body } = value;
  return (
    (method === "GET" || method === "POST") &&
    typeof url === "string" &&
    isRecord(headers) &&
    Object.values(headers).every((one) => typeof one === "string") &&
    typeof body === "string" &&
    BASE64.test(body)
  );
}

/** The body as it was before it was compressed: `sms.receive` knows no `Content-Encoding`. */
function bytesOf({ headers, body }: Saved): Uint8Array {
  const bytes = Buffer.from(body, "base64");
  if (isPlainJson(bytes) === true) return bytes;
  return encodingsOf(headerOf(headers, "content-encoding")).reduceRight<Uint8Array>(
    (compressed, encoding) => (encoding === "br" ? brotliDecompressSync(compressed) : unzipSync(compressed)),
    bytes,
  );
}

function notSaved(file: string, cause?: unknown): TypeError {
  const message =
    `${file} is not a saved callback: fixture takes the path of a JSON file ` +
    '{ "method": "GET" or "POST", "url", "headers", "body" }, its body in Base64.';
  return invalidArgument(message, { cause });
}
