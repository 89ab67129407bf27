// What is kept of a request that may hold the caller's secrets: names always, values only if they cannot be one.

import { isPlaceholder, isTableField } from "../../callback/fields.js";
import { decode, pairsOf } from "../../base/query-string.js";
import { queryOf } from "../../provider/as-callback.js";
import type { SavedCallback } from "../../provider/saved-callback.js";

/** In the place of a value that may be a secret. */
const NOT_KEPT = "not-kept";

/** Headers of HTTP itself, and those that proxies and tunnels add. */
const OF_HTTP =
  /^(?:host|connection|keep-alive|te|trailer|expect|date|via|forwarded|origin|referer|priority|sec-.+|user-agent|cache-control|pragma|upgrade-insecure-requests|accept(?:-.+)?|content-.+|transfer-encoding|x-forwarded-.+|x-original-(?:host|for|proto)|x-real-ip|x-client-ip|true-client-ip|x-request-id|x-correlation-id|x-request-start|traceparent|tracestate|x-b3-.+|b3|cf-.+|cdn-loop|fly-.+|x-amzn?-.+|x-cloud-trace-context|x-envoy-.+|(?:x-)?ngrok-.+)$/i;

/** The names of headers that may hold a secret of the user's. */
export function ownHeaders({ headers }: Pick<SavedCallback, "headers">): string[] {
  return Object.keys(headers).filter((name) => !OF_HTTP.test(name));
}

/** The names of variables in the query that are not the provider's. */
export function ownVariables({ url, method }: Pick<SavedCallback, "url" | "method">): string[] {
  return pairsOf(queryOf(url))
    .map(([name]) => name)
    .filter((name) => method === "POST" || !isProviders(name));
}

/** The callback as it is written to a file. Its body is exact. */
export function withoutSecrets(callback: SavedCallback): SavedCallback {
  const { headers, url, method } = callback;
  const own = new Set(ownHeaders(callback));
  const query = queryOf(url);
  const variables = query
    .split("&")
    .map((pair) => {
      const [name = ""] = pair.split("=", 1);
      return pair.includes("=") && (method === "POST" || !isProviders(decode(name))) ? `${name}=${NOT_KEPT}` : pair;
    })
    .join("&");
  return {
    ...callback,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, own.has(name) ? hidden(value) : value]),
    ),
    url: query === "" ? url : `${url.slice(0, url.indexOf("?"))}?${variables}`,
  };
}

/** What kind of authorization it is may be known. */
function hidden(value: string): string {
  return `${/^(?:basic|bearer) /i.exec(value)?.[0] ?? ""}${NOT_KEPT}`;
}

function isProviders(name: string): boolean {
  return isTableField(name) || isPlaceholder(`<${name}>`);
}
