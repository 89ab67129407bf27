// Listens on this machine, and collects each request as it came: method, target, headers and exact bytes.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { now } from "../../base/clock.js";
import { cannotListen } from "../port.js";

export interface CapturedRequest {
  readonly method: string;
  /** The target of the request, with its query. */
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly receivedAt: string;
}

export interface Reply {
  readonly status: number;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
}

export interface Listener {
  readonly port: number;
  /** Resolves when what is being answered is answered, or a second is over. */
  close(): Promise<void>;
}

/** Six times what the router reads by default, in bytes. */
const MOST_BODY_BYTES = 1_048_576;
/** How much of a larger one is read, so that a client that writes it all sees the answer. In bytes. */
const MOST_DRAINED_BYTES = 64 * MOST_BODY_BYTES;
/** How long answers may take when it ends. In milliseconds. */
const CLOSE_MS = 1_000;

interface Handlers {
  /** Neither throws nor rejects. */
  readonly reply: (request: CapturedRequest) => Promise<Reply>;
  /** Called for what is no request, or none that can be read to its end. */
  readonly unreadable: (why: string) => void;
}

/** @throws Failure if nothing can listen on the port */
export async function listen(port: number, { reply, unreadable }: Handlers): Promise<Listener> {
  const answering = new Set<Promise<unknown>>();
  const server = createServer((request, response) => {
    const answered = new Promise((resolve) => response.once("close", resolve));
    answering.add(answered);
    void answered.then(() => answering.delete(answered));
    collect(request, (body) => {
      if (body === undefined) {
        unreadable(`A body of more than ${MOST_BODY_BYTES} bytes came: it got a 413, and is not kept.`);
        respond(response, { status: 413, rawHeaders: ["Connection", "close"], body: Buffer.alloc(0) });
        return;
      }
      const { method = "", url = "", rawHeaders } = request;
      const captured = { method, url, rawHeaders, body, receivedAt: now() };
      void reply(captured).then((answer) => {
        if (!respond(response, answer)) unreadable("The endpoint's answer cannot be passed on: it got a 502.");
      });
    });
    request.on("error", () => unreadable("A connection ended within a request: it is not kept."));
  });
  server.on("clientError", ({ code }: NodeJS.ErrnoException, socket) => {
    const isUnreadable = code?.startsWith("HPE_") === true;
    if (isUnreadable)
      unreadable(
        "A request came that is not HTTP, or whose target has spaces or letters beyond ASCII: Node.js answers 400.",
      );
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(cannotListen(port, cause));
    });
    server.listen(port, "127.0.0.1");
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([Promise.all(answering), late]);
      server.closeAllConnections();
    },
  };
}

/** Calls back with the whole body, or with nothing if it is too large. */
function collect(request: IncomingMessage, whenDone: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MOST_BODY_BYTES) chunks.push(chunk);
    else if (length > MOST_DRAINED_BYTES && length - chunk.length <= MOST_DRAINED_BYTES) whenDone(undefined);
    else chunks.length = 0;
  });
  request.on("end", () => {
    if (length <= MOST_BODY_BYTES) whenDone(Buffer.concat(chunks));
    else if (length <= MOST_DRAINED_BYTES) whenDone(undefined);
  });
}

/** @returns whether it is an answer that Node.js can send; otherwise the caller gets 502 */
function respond(response: ServerResponse, { status, rawHeaders, body }: Reply): boolean {
  response.on("error", () => undefined);
  try {
    response.writeHead(status, [...rawHeaders, "Content-Length", String(body.length)]);
    response.end(response.req.method === "HEAD" ? undefined : body);
    return true;
  } catch {
    if (!response.headersSent) response.writeHead(502);
    response.end();
    return false;
  }
}
