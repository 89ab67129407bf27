// Takes the body that something before the router has read: a body parser, a platform, or middleware.

import { types } from "node:util";

import type { Log } from "../base/log.js";
import { encodingsOf } from "./inflate.js";
import type { IncomingRequest } from "./requests.js";

/** A byte-order mark, which a decoder may have removed. */
const MARK_BYTES = 3;

/** The body as it was left, or `undefined` if it was discarded. Warns of what the set-up loses. */
export function earlierBody(req: IncomingRequest, log: Log): string | Uint8Array | object | undefined {
  const rawBody = propertyOf(req, "rawBody");
  const body = propertyOf(req, "body");
  if (isContent(rawBody) && !isPartial(req, rawBody)) {
    if (isParsed(body) && Object.keys(body).length > 0) log.advise("KALEYRA_SMS_BODY_ALREADY_PARSED");
    return rawBody;
  }
  if (isContent(body)) return body;
  if (isParsed(body)) {
    log.advise("KALEYRA_SMS_BODY_ALREADY_PARSED");
    return body;
  }
  if (isEmpty(req)) return "";
  reportConsumed(log);
  return undefined;
}

export function reportConsumed(log: Log): void {
  log.advise("KALEYRA_SMS_BODY_CONSUMED");
  log.error("body-consumed", "A callback is lost: its body was read and discarded before the router was called.");
}

/**
 * Whether `rawBody` is the whole body although nothing was read from the request. Some platforms fill it themselves, and
 * their requests never end.
 */
export function isRawBodyWhole(req: IncomingRequest): boolean {
  if (!("rawBody" in req)) return false;
  const rawBody = propertyOf(req, "rawBody");
  return isContent(rawBody) && rawBody.length > 0 && Buffer.byteLength(rawBody) === declaredLength(req);
}

/** Some platforms parse the body in a getter, which may throw: the property then counts as absent. */
function propertyOf(req: IncomingRequest, name: "body" | "rawBody"): unknown {
  try {
    return req[name];
  } catch {
    return undefined;
  }
}

/** Whether something collected `rawBody` too late to have all of it. */
function isPartial(req: IncomingRequest, rawBody: string | Uint8Array): boolean {
  if (rawBody.length === 0) return req.readableDidRead;
  const declared = declaredLength(req) ?? 0;
  return Buffer.byteLength(rawBody) < (typeof rawBody === "string" ? declared - MARK_BYTES : declared);
}

/** The length of what `rawBody` should hold. `undefined` if it is not known: it may hold an inflated body, too. */
function declaredLength({ headers }: IncomingRequest): number | undefined {
  const length = headers["content-length"];
  return length === undefined || encodingsOf(headers["content-encoding"]).length > 0 ? undefined : Number(length);
}

/** Whether the request ended without a body. */
function isEmpty({ readableEnded, readableDidRead }: IncomingRequest): boolean {
  return readableEnded && !readableDidRead;
}

function isContent(body: unknown): body is string | Uint8Array {
  return typeof body === "string" || types.isUint8Array(body);
}

function isParsed(body: unknown): body is object {
  return typeof body === "object" && body !== null && !isContent(body);
}
