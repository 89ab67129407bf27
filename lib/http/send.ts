// Sends an answer, even if the client is still sending its request.

import type { ServerResponse } from "node:http";

import type { Answer } from "../answer/receipt.js";
import type { IncomingRequest } from "./requests.js";

/** Up to this length, Node may read the rest of the body after the answer, and keep the connection open. */
const SMALL_REST_BYTES = 16_384;
/** How long the connection stays open after the answer, so that the client can read it (RFC 9112, 9.6). */
const LINGER_MS = 1_000;

/**
 * Throws only what the response throws: earlier middleware may have replaced its methods.
 *
 * @param fail - called with an error that the response throws later
 */
export function send(
  req: IncomingRequest,
  res: ServerResponse,
  { status, headers, body }: Answer,
  fail: (error: unknown) => void,
): void {
  if (res.headersSent) return;
  const content = req.method === "HEAD" ? "" : body;
  if (!isStillSending(req) || req.httpVersionMajor > 1) {
    res.writeHead(status, headers);
    // HTTP/2 ends the stream of an answer without a body at its headers: even an empty text is then written after the end.
    if (content === "") res.end();
    else res.end(content);
    return;
  }
  // The whole answer is sent now. The connection closes when the client stops sending, or after LINGER_MS.
  res.writeHead(status, { ...headers, Connection: "close" });
  if (content === "") res.flushHeaders();
  else res.write(content);
  const close = (): void => {
    clearTimeout(timer);
    try {
      res.end();
    } catch (error) {
      fail(error);
    }
  };
  const timer = setTimeout(close, LINGER_MS).unref();
  req.once("end", close).once("close", close).resume();
}

function isStillSending(req: IncomingRequest): boolean {
  if (req.complete || req.readableEnded) return false;
  const length = req.headers["content-length"];
  if (length === undefined) return req.headers["transfer-encoding"] !== undefined;
  return req.readableDidRead || Number(length) > SMALL_REST_BYTES;
}
