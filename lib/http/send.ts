// Writes an answer, also to a sender that has not finished.

import type { ServerResponse } from "node:http";

import type { Answer } from "../answer/receipt.js";
import type { IncomingRequest } from "./requests.js";

/** Up to here, Node may read on behind the answer, and keep the connection. */
const SMALL_REST_BYTES = 16_384;
/** For how long a sender that was told to stop may go on, so that it can read the answer first (RFC 9112, 9.6). */
const LINGER_MS = 1_000;

/**
 * Throws only what the response throws: something in front of this router may have replaced its methods.
 *
 * @param fail - is told of what the response throws later on
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
    res.end(content);
    return;
  }
  // The whole answer goes out now; the connection is closed when the sender has stopped, or has had its time.
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
