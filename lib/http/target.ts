// Which requests are for this router: what its URL says, under Express and without it.

import type { IncomingRequest, Next } from "./requests.js";

/** A request's URL in its two halves. */
export interface Target {
  readonly pathname: string;
  /** Without its `?`; empty where there is none. */
  readonly query: string;
}

const SCHEME_AND_AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/[^/?]*/i;

export function targetOf(req: IncomingRequest): Target {
  const url = originForm(req.url ?? "/");
  const mark = url.indexOf("?");
  return mark === -1 ? { pathname: url, query: "" } : { pathname: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** A request line may hold the whole URL. */
function originForm(url: string): string {
  return url.startsWith("/") ? url : url.replace(SCHEME_AND_AUTHORITY, "");
}

/**
 * Tells whether the router answers a request. Behind a route it answers whatever the route matched. Mounted with `app.use` it answers
 * its mount path, which Express has taken off the URL. With no `next`, it answers its own path.
 *
 * @param self - the router's own function, by which it is found in a route
 * @param path - without a slash at its end
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
 * Tells whether a route is the one that called: Express leaves the last that matched on the request, also when it is over. It has the
 * router among its handlers; or, where something is wrapped around the router, it is a route for just this path.
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
