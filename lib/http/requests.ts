// The properties that Express and body parsers add to a request.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A route of Express. */
export interface Route {
  readonly path?: unknown;
  readonly stack?: ReadonlyArray<{ readonly handle: unknown }>;
}

/** A request of `node:http`, of Express 4 or of Express 5. */
export interface IncomingRequest extends IncomingMessage {
  /** Express: the path at which this router is mounted. */
  readonly baseUrl?: string;
  /** Express: the last route that matched. It need not be the one that runs. */
  readonly route?: Route | undefined;
  /** Express: the parameters of the route or mount path that runs. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** The body, as a body parser has parsed it. */
  readonly body?: unknown;
  /** The bytes of the body, as some platforms and `verify` functions keep them. */
  readonly rawBody?: unknown;
}

/** Express: goes on to what is mounted behind. @inline */
export type Next = (error?: unknown) => void;

/** The function that `app.use`, a route, `http.createServer` and `http2.createServer` take. */
export type Listener = (
  req: IncomingMessage | Http2ServerRequest,
  res: ServerResponse | Http2ServerResponse,
  next?: Next,
) => void;
