// Reads the body of a request, or takes the body that earlier middleware has read.

import { AsyncResource } from "node:async_hooks";
import { types } from "node:util";

import type { Log } from "../base/log.js";
import type { Refusal } from "../callback/invalid.js";
import type { Callback, UnreadCallback } from "../callback/read-callback.js";
import { canInflate, inflate } from "./inflate.js";
import type { IncomingRequest } from "./requests.js";

export interface BodyLimits {
  /** Bytes, counted after inflating. */
  readonly bodyLimit: number;
  /** Milliseconds within which the whole body must arrive. */
  readonly bodyTimeoutMs: number;
}

const TOO_LARGE: Refusal = { code: "body-too-large", detail: "The body is larger than this endpoint takes." };
const TOO_SLOW: Refusal = { code: "body-incomplete", status: 408, detail: "The body did not arrive in time." };
const INCOMPLETE: Refusal = { code: "body-incomplete", detail: "The connection ended before the body was read." };
const DAMAGED: Refusal = {
  code: "malformed-body",
  detail: "The body does not match its Content-Encoding, or ends too early.",
};
const UNKNOWN_ENCODING: Refusal = {
  code: "unsupported-media-type",
  detail: "The Content-Encoding must be gzip, deflate or br, or absent.",
};
const CONSUMED: Refusal = {
  code: "body-incomplete",
  detail: "Something in this server read the body before this endpoint, and discarded it.",
};

const NO_BYTES = new Uint8Array();

type WhenDone = (callback: Callback | UnreadCallback) => void;

/** Calls back once, with the body or the reason why it could not be read. Synchronous if the body is already there. */
export function readBody(req: IncomingRequest, limits: BodyLimits, log: Log, whenDone: WhenDone): void {
  const earlier = earlierBodyOf(req);
  if (earlier === undefined) collect(req, limits, inContext(whenDone));
  else whenDone(fromEarlierRead(req, earlier, limits, log));
}

/**
 * Makes `whenDone` run in the asynchronous context of the request.
 * Node emits the events of a request in the context of its connection, which several requests share.
 */
function inContext(whenDone: WhenDone): WhenDone {
  const request = new AsyncResource("KALEYRA_SMS_CALLBACK");
  return (callback) => request.runInAsyncScope(whenDone, undefined, callback);
}

/**
 * Returns the body that earlier middleware has read: `null` if it was discarded, `undefined` if it is still unread.
 *
 * `req.body` alone does not decide it: some parsers set it on requests that they do not read.
 * Nor does an empty `rawBody`: something may be about to fill it.
 */
function earlierBodyOf({ rawBody, body, readableDidRead, readableEnded }: IncomingRequest): unknown {
  // In some tests and on some platforms, the request is not a stream: there is nothing left to read.
  const wasRead = readableEnded || (readableDidRead as boolean | undefined) !== false;
  if (rawBody !== undefined && (wasRead || rawBody !== "")) return rawBody;
  return wasRead ? (body ?? null) : undefined;
}

function fromEarlierRead(
  req: IncomingRequest,
  body: unknown,
  { bodyLimit }: BodyLimits,
  log: Log,
): Callback | UnreadCallback {
  if (typeof body === "string" || types.isUint8Array(body)) {
    return Buffer.byteLength(body) > bodyLimit ? unread(TOO_LARGE) : callback(req, body);
  }
  log.advise("KALEYRA_SMS_BODY_ALREADY_PARSED");
  return typeof body === "object" && body !== null ? callback(req, body) : unread(CONSUMED);
}

function collect(req: IncomingRequest, { bodyLimit, bodyTimeoutMs }: BodyLimits, whenDone: WhenDone): void {
  if (Number(req.headers["content-length"] ?? 0) > bodyLimit) {
    whenDone(unread(TOO_LARGE));
    return;
  }
  // The connection ended while earlier middleware ran: no event will follow.
  if (req.destroyed) {
    whenDone(unread(INCOMPLETE));
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  let settled = false;
  const settle = (result: Callback | UnreadCallback): void => {
    settled = true;
    clearTimeout(timer);
    // Releases the memory of a body that is given up.
    inflater?.push(null);
    whenDone(result);
  };
  const refuse = (refusal: Refusal): void => {
    if (!settled) settle(unread(refusal, Buffer.concat(chunks)));
  };
  // The socket keeps the process alive for as long as the body is awaited.
  const timer = setTimeout(() => refuse(TOO_SLOW), bodyTimeoutMs).unref();

  const encoding = encodingOf(req);
  const inflater = canInflate(encoding)
    ? inflate(encoding, bodyLimit, (result) => {
        if ("failed" in result) refuse(result.failed === "too-large" ? TOO_LARGE : DAMAGED);
        else if (!settled) settle(callback(req, result.bytes));
      })
    : undefined;

  req.on("data", (chunk: Buffer | string) => {
    if (settled) return;
    const bytes = typeof chunk === "string" ? Buffer.from(chunk, req.readableEncoding ?? "utf8") : chunk;
    chunks.push(bytes);
    size += bytes.length;
    if (size > bodyLimit) refuse(TOO_LARGE);
    else inflater?.push(bytes);
  });
  req.on("end", () => {
    if (settled) return;
    if (isIncomplete(req, size)) refuse(INCOMPLETE);
    else if (inflater !== undefined) inflater.push(null);
    else if (encoding !== "identity") refuse(UNKNOWN_ENCODING);
    else settle(callback(req, chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
  });
  req.on("close", () => {
    if (!req.complete) refuse(INCOMPLETE);
  });
}

/** HTTP/2 ends an incomplete body like a complete one: only the declared length shows the difference. */
function isIncomplete({ httpVersionMajor, headers }: IncomingRequest, size: number): boolean {
  const declared = headers["content-length"];
  return httpVersionMajor > 1 && declared !== undefined && Number(declared) !== size;
}

function encodingOf({ headers }: IncomingRequest): string {
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "";
  if (encoding === "") return "identity";
  return encoding === "x-gzip" ? "gzip" : encoding;
}

function callback(req: IncomingRequest, body: string | Uint8Array | object): Callback {
  return { method: "POST", body, contentType: req.headers["content-type"] };
}

function unread(refusal: Refusal, read: Uint8Array = NO_BYTES): UnreadCallback {
  return { method: "POST", refusal, read };
}
