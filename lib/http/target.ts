// Decides by the URL whether a request is for this router, under Express and without it.

import type { IncomingRequest, Next } from "./requests.js";
import { isRunning } from "./route.js";

/** The path and the query of a request's URL. */
export interface Target {
  readonly pathname: string;
  /** Without the `?`; empty if the URL has no query. */
  readonly query: string;
}

const SCHEME_AND_AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/[^/?]*/i;

export function targetOf(req: IncomingRequest): Target {
  const url = originForm(req.url ?? "/");
  const mark = url.indexOf("?");
  return mark === -1 ? { pathname: url, query: "" } : { pathname: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** A request line may hold the absolute URL. */
function originForm(url: string): string {
  return url.startsWith("/") ? url : url.replace(SCHEME_AND_AUTHORITY, "");
}

/**
 * Whether the router answers a request. In a route, it answers every request that the route matched.
 * Mounted with `app.use`, it answers its mount path, which Express has removed from the URL.
 * Without Express, it answers its own path.
 *
 * @param self - the router's own function, to find it among a route's handlers
 * @param path - without a trailing slash
 */
export function isFor(
  self: unknown,
  req: IncomingRequest,
  { pathname }: Target,
  next: Next | undefined,
  path: string,
): boolean {
  if (req.route !== undefined && (next === undefined || isRunning(req.route, self, req, pathname))) return true;
  const own = req.baseUrl === undefined ? path : "";
  return pathname === own || pathname === `${own}/`;
}
