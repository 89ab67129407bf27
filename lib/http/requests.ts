// The request as Express and body parsers leave it: what a router finds on it beside Node's own.

import type { IncomingMessage, ServerResponse } from "node:http";

/** A request of `node:http`, of Express 4 or of Express 5. */
export interface IncomingRequest extends IncomingMessage {
  /** Express: the path that this router is mounted at. */
  readonly baseUrl?: string;
  /** Express: the route that matched last, which need not be the one that runs. */
  readonly route?:
    { readonly path?: unknown; readonly stack?: ReadonlyArray<{ readonly handle: unknown }> } | undefined;
  /** What a body parser made of the body. */
  readonly body?: unknown;
  /** The bytes of the body, as some platforms and `verify` functions keep them. */
  readonly rawBody?: unknown;
}

export type Next = (error?: unknown) => void;

/** What `app.use`, a route and `http.createServer` take. */
export type Listener = (req: IncomingMessage, res: ServerResponse, next?: Next) => void;
