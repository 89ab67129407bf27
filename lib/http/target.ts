// Decides by the URL whether a request is for this router, under Express and without it.

import type { IncomingRequest, Next } from "./requests.js";

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
 * Without `next`, it answers its own path.
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
  if (req.route !== undefined && (next === undefined || isRunning(req.route, self, pathname))) return true;
  const own = next === undefined ? path : "";
  return pathname === own || pathname === `${own}/`;
}

/**
 * Whether a route is the one that called the router. Express leaves the last matched route on the request, even after
 * the route has ended. The calling route has the router among its handlers. If a function wraps the router, the path of
 * the route must match the whole path of the request.
 */
function isRunning({ stack, path }: NonNullable<IncomingRequest["route"]>, self: unknown, pathname: string): boolean {
  if (stack?.some(({ handle }) => handle === self) === true) return true;
  if (typeof path !== "string") return false;
  const wanted = segments(path);
  const given = segments(pathname);
  return wanted.length === given.length && wanted.every((one, n) => one.startsWith(":") || one === given[n]);
}

function segments(path: string): string[] {
  return path.toLowerCase().replace(/\/$/, "").split("/");
}
