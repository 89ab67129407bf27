// What is kept of a request that may hold the caller's secrets: names always, values only if they cannot be one.

import { isTableField } from "../../callback/fields.js";
import { decode } from "../../base/query-string.js";
import { queryOf } from "../../provider/as-callback.js";
import type { SavedCallback } from "../../provider/saved-callback.js";

/** In the place of a value that may be a secret. */
const NOT_KEPT = "not-kept";

/** Headers of HTTP itself, and those that proxies and tunnels add: what the console sends is not among them. */
const OF_HTTP = oneOf(
  ...["host", "connection", "keep-alive", "te", "trailer", "expect", "date", "via", "forwarded", "origin", "referer"],
  ...["priority", "sec-.+", "user-agent", "cache-control", "pragma", "upgrade-insecure-requests", "accept(?:-.+)?"],
  ...["content-.+", "transfer-encoding", "x-forwarded-.+", "x-original-(?:host|for|proto)", "x-real-ip"],
  ...["x-client-ip", "true-client-ip", "x-request-id", "x-correlation-id", "x-request-start", "traceparent"],
  ...["tracestate", "x-b3-.+", "b3", "cf-.+", "cdn-loop", "fly-.+", "x-amzn?-.+", "x-cloud-trace-context"],
  ...["x-envoy-.+", "(?:x-)?ngrok-.+"],
);

/** The names of headers that may hold a secret of the user's. */
export function ownHeaders({ headers }: Pick<SavedCallback, "headers">): string[] {
  return Object.keys(headers).filter((name) => !OF_HTTP.test(name));
}

/** Headers whose values are kept. Proxies add tokens and signatures under many names, so it names what is harmless. */
const HARMLESS = oneOf(
  ...["host", "connection", "keep-alive", "te", "trailer", "expect", "date", "via", "user-agent", "cache-control"],
  ...["pragma", "accept(?:-(?:charset|encoding|language))?", "content-(?:type|length|encoding|language)"],
  ...["transfer-encoding", "forwarded", "x-forwarded-(?:for|host|port|proto)", "x-real-ip"],
);

/** Paths that cannot hold a secret. No reader needs any other one. */
const HARMLESS_PATH = /^\/?(?:sms)?$/;

/** The names of variables in the query that are not the provider's. What has no `=` may be a secret itself. */
export function ownVariables({ url, method }: Pick<SavedCallback, "url" | "method">): string[] {
  return queryOf(url)
    .split("&")
    .filter((pair) => pair.includes("="))
    .map(nameIn)
    .filter((name) => method === "POST" || !isProviders(name));
}

/** The callback as it is written to a file. Its body is exact. */
export function withoutSecrets(callback: SavedCallback): SavedCallback {
  const { headers, url, method } = callback;
  const [path = ""] = url.split("?", 1);
  const variables = queryOf(url)
    .split("&")
    .map((pair) => {
      if (pair === "" || (method === "GET" && isProviders(nameIn(pair)))) return pair;
      return pair.includes("=") ? `${pair.split("=", 1).join("")}=${NOT_KEPT}` : NOT_KEPT;
    })
    .join("&");
  return {
    ...callback,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, HARMLESS.test(name) ? value : hidden(value)]),
    ),
    url: `${HARMLESS_PATH.test(path) ? path : `/${NOT_KEPT}`}${variables === "" ? "" : `?${variables}`}`,
  };
}

function nameIn(pair: string): string {
  return decode(pair.split("=", 1).join(""));
}

/** What kind of authorization it is may be known. */
function hidden(value: string): string {
  return `${/^(?:basic|bearer) /i.exec(value)?.[0] ?? ""}${NOT_KEPT}`;
}

/** Of the provider's other variables, such as `ref`, a console may fill some with a value of the user's own. */
function isProviders(name: string): boolean {
  return isTableField(name) || name === "to";
}

/** Matches a whole name, in any case. */
function oneOf(...names: readonly string[]): RegExp {
  return new RegExp(`^(?:${names.join("|")})$`, "i");
}
