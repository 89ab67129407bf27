// Decides whether a route of Express is the one that called the router.

import type { IncomingRequest, Route } from "./requests.js";

/** A path of a route, as a pattern. */
interface Pattern {
  readonly regExp: RegExp;
  /** The names of its parameters, in the order of the groups. */
  readonly names: readonly string[];
}

/** A parameter and the slash before it, a brace, a character that needs more than is read here, or any other character. */
const TOKEN = /(?<slash>\/?):(?<name>\w+)(?<optional>\?)?|(?<brace>[{}])|(?<other>[*()+?[\]!\\])|(?<plain>[^])/g;

const patterns = new WeakMap<Route, readonly Pattern[]>();

/**
 * Express leaves the last matched route on the request, even after the route has ended. The calling route has the router
 * among its handlers. If a function wraps the router, a path of the route must match the whole path of the request, and
 * its parameters must be those of the request.
 */
export function isRunning(route: Route, self: unknown, { params }: IncomingRequest, pathname: string): boolean {
  if (route.stack?.some(({ handle }) => handle === self) === true) return true;
  return patternsOf(route).some(({ regExp, names }) => {
    const match = regExp.exec(pathname);
    return match !== null && names.every((name, n) => match[n + 1] === undefined || params?.[name] !== undefined);
  });
}

function patternsOf(route: Route): readonly Pattern[] {
  let known = patterns.get(route);
  if (known === undefined) {
    known = [route.path].flat().flatMap((path) => (typeof path === "string" ? patternOf(path) : []));
    patterns.set(route, known);
  }
  return known;
}

/** Empty if the path has wildcards or regular expressions: they also match where the route has ended. */
function patternOf(path: string): Pattern[] {
  const names: string[] = [];
  let source = "";
  for (const { 0: token, groups = {} } of path.replace(/\/$/, "").matchAll(TOKEN)) {
    const { slash, name, optional, brace, other } = groups;
    if (other !== undefined) return [];
    if (name !== undefined) {
      names.push(name);
      source += optional === undefined ? `${slash}([^/]+?)` : `(?:${slash}([^/]+?))?`;
    } else if (brace !== undefined) source += brace === "{" ? "(?:" : ")?";
    else source += token.replace(/[.^$|]/, "\\$&");
  }
  try {
    return [{ regExp: new RegExp(`^${source}/?$`, "i"), names }];
  } catch {
    // Express 4 takes a single brace as it stands.
    return [];
  }
}
