// Finds by the URL what is asked for, under any mount path: of Express, of a proxy that strips a prefix, or of neither.

import type { IncomingRequest, Next } from "../http/requests.js";
import { targetOf } from "../http/target.js";

/**
 * `redirect`: the page's URL lacks its slash, and the page's relative URLs would miss. `other`: not of the simulator.
 */
export type Resource =
  | "page.html"
  | "page.js"
  | "page.css"
  | "icon.svg"
  | "events"
  | "preview"
  | "send"
  | { readonly redirect: string }
  | "other";

const NAMES = ["page.js", "page.css", "icon.svg", "events", "preview", "send"] as const;

/**
 * Express, and frameworks like it, cut the mount path off the URL. On bare `node:http` the last segment decides, so
 * that the page works below any path.
 */
export function resourceOf(req: IncomingRequest & { readonly originalUrl?: string }, next: Next | undefined): Resource {
  const { pathname } = targetOf(req);
  const { originalUrl } = req;
  const isMounted = req.baseUrl !== undefined || (originalUrl !== undefined && originalUrl !== req.url);
  const whole = originalUrl === undefined ? pathname : (/^[^?]*/.exec(originalUrl)?.[0] ?? pathname);
  const segment = pathname.slice(pathname.lastIndexOf("/") + 1);
  const name = NAMES.find((one) => one === segment);
  if (isMounted) {
    if (pathname === "/" || pathname === "") return whole.endsWith("/") ? "page.html" : redirectTo(whole);
    return name !== undefined && pathname === `/${name}` ? name : "other";
  }
  if (name !== undefined) return name;
  if (segment === "") return "page.html";
  return next === undefined && !segment.includes(".") ? redirectTo(pathname) : "other";
}

/** Relative, since a proxy may have stripped a prefix. */
function redirectTo(path: string): Resource {
  return { redirect: `./${path.slice(path.lastIndexOf("/") + 1)}/` };
}
