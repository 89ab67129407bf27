// Reads the body of a request, or takes the body that earlier middleware has read.

import { AsyncResource } from "node:async_hooks";

import type { Log } from "../base/log.js";
import type { Callback, UnreadCallback } from "../callback/read-callback.js";
import { collectChunks, CUT, NOTHING, TOO_LARGE, withinLimit, type BodyLimits, type Collected } from "./chunks.js";
import { earlierBody, isRawBodyWhole } from "./earlier-body.js";
import { bytesOf, wasReadFrom, type FlowingBody } from "./flowing-body.js";
import { encodingsOf } from "./inflate.js";
import type { IncomingRequest } from "./requests.js";

/** `"consumed"`: something before the router has read the body and discarded it. */
export type WhenRead = (callback: Callback | UnreadCallback | "consumed") => void;

/**
 * Calls back once, with the body or the reason why it could not be read. Synchronous if the body is already there.
 *
 * @param flowing - what was kept of the body while the caller was checked
 */
export function readBody(
  req: IncomingRequest,
  flowing: FlowingBody | undefined,
  limits: BodyLimits,
  log: Log,
  whenRead: WhenRead,
): void {
  if (!(flowing?.isIncomplete ?? wasReadFrom(req)) && !isRawBodyWhole(req)) {
    const done = inContext(whenRead);
    collect(req, flowing, limits, encodingsOf(req.headers["content-encoding"]), (collected) =>
      done("bytes" in collected ? callback(req, collected.bytes) : { method: "POST", ...collected }),
    );
  } else if (isPartlyRead(req)) {
    // A part of the body is gone. Whatever reads it may leave all of it when the request ends.
    const done = inContext(whenRead);
    collect(req, flowing, limits, [], (collected) =>
      done("bytes" in collected ? readEarlier(req, limits, log) : { method: "POST", ...collected }),
    );
  } else whenRead(readEarlier(req, limits, log));
}

/**
 * Makes `whenRead` run in the asynchronous context of the request.
 * Node emits the events of a request in the context of its connection, which several requests share.
 */
function inContext(whenRead: WhenRead): WhenRead {
  const request = new AsyncResource("KALEYRA_SMS_CALLBACK");
  return (callback) => request.runInAsyncScope(whenRead, undefined, callback);
}

/** Whether something has read a part of the body, and the rest is still to come. */
function isPartlyRead({ readableDidRead, readableEnded }: IncomingRequest): boolean {
  return readableDidRead && !readableEnded;
}

function readEarlier(
  req: IncomingRequest,
  { bodyLimit }: BodyLimits,
  log: Log,
): Callback | UnreadCallback | "consumed" {
  const body = earlierBody(req, log);
  if (body === undefined) return "consumed";
  return withinLimit(callback(req, body), bodyLimit);
}

function collect(
  req: IncomingRequest,
  flowing: FlowingBody | undefined,
  limits: BodyLimits,
  encodings: readonly string[],
  whenDone: (collected: Collected) => void,
): void {
  if (Number(req.headers["content-length"] ?? 0) > limits.bodyLimit) {
    whenDone({ refusal: TOO_LARGE, read: NOTHING });
    return;
  }
  const kept = flowing?.take();
  // The connection ended while earlier middleware or a check ran: no event will follow.
  if (req.destroyed && !req.readableEnded) {
    whenDone({ refusal: CUT, read: Buffer.concat(kept ?? []) });
    return;
  }
  let size = 0;
  const chunks = collectChunks(encodings, limits, whenDone);
  const push = (chunk: Buffer | string): void => {
    const bytes = bytesOf(req, chunk);
    size += bytes.length;
    chunks.push(bytes);
  };
  const end = (): void => {
    if (isCut(req, size)) chunks.refuse(CUT);
    else chunks.end();
  };
  kept?.forEach(push);
  if (kept !== undefined && req.readableEnded) {
    end();
    return;
  }
  req.on("data", push);
  req.on("end", end);
  req.on("close", () => {
    if (!req.complete) chunks.refuse(CUT);
  });
  // Something paused it. A listener makes flow only what nobody has paused.
  if (req.readableFlowing === false && req.listenerCount("readable") === 0) req.resume();
}

/** HTTP/2 ends an incomplete body like a complete one: only the declared length shows the difference. */
function isCut({ httpVersionMajor, headers }: IncomingRequest, size: number): boolean {
  const declared = headers["content-length"];
  return httpVersionMajor > 1 && declared !== undefined && Number(declared) !== size;
}

function callback(req: IncomingRequest, body: string | Uint8Array | object): Callback {
  return { method: "POST", body, contentType: req.headers["content-type"] };
}
