// Shows a request as it is sent, and as a command. Secrets are hidden: the page is on a screen that others may see.

import { isSecret, type ComposedRequest } from "./compose.js";
import type { ShownRequest } from "./wire.js";

/** A request with everything that is sent. */
export interface WireRequest extends ComposedRequest {
  /** Of the server, with its protocol: `http://localhost:3000`. */
  readonly origin: string;
  /** All headers, in the order in which they are sent. */
  readonly headers: ComposedRequest["headers"];
}

/** Headers that are never secret: they belong to the request itself. */
const PLAIN = new Set(["host", "user-agent", "content-length", "connection"]);
const HIDDEN = "••••••";

export function show(request: WireRequest): ShownRequest {
  return { raw: raw(request), curl: curl(request) };
}

function isHidden(name: string): boolean {
  return isSecret(name) && !PLAIN.has(name.toLowerCase());
}

function raw({ method, path, headers, body, cutAt, ownQuery }: WireRequest): string {
  const shown = ownQuery === "" ? path : path.replace(ownQuery, ownQuery.replace(/=[^&]*/g, `=${HIDDEN}`));
  const lines = headers.map(([name, value]) => `${name}: ${isHidden(name) ? HIDDEN : value}`);
  const sent = cutAt === undefined ? body : Buffer.from(body).subarray(0, cutAt).toString("utf8");
  return [`${method} ${shown} HTTP/1.1`, ...lines, "", sent].join("\r\n");
}

function curl({ method, origin, path, headers, body, ownQuery }: WireRequest): string {
  const url = ownQuery === "" ? quoted(`${origin}${path}`) : withVariables(`${origin}${path}`, ownQuery);
  // What curl sends by itself is left out.
  const own = headers.filter(([name]) => !PLAIN.has(name.toLowerCase()));
  const options = own.map(([name, value]) =>
    isHidden(name) ? `-H "${name}: $${variable(name)}"` : `-H ${quoted(`${name}: ${value}`)}`,
  );
  if (method === "GET") return ["curl -g -i", url, ...options].join(" ");
  if (!NEEDS_PRINTF.test(body)) return ["curl -g -i", url, ...options, "--data-raw", quoted(body)].join(" ");
  return [`printf ${quoted(printfFormat(body))} | curl -g -i`, url, ...options, "--data-binary @-"].join(" ");
}

/** In single quotes, a shell leaves everything as it is. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The name of a shell variable that holds a secret, which the user sets. */
function variable(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z\d]+/g, "_")
    .replace(/^(?=\d)/, "_");
}

function withVariables(url: string, ownQuery: string): string {
  const at = url.indexOf(ownQuery);
  const parts = ownQuery.split("&").map((pair) => {
    const [name = ""] = pair.split("=", 1);
    return `${quoted(`${name}=`)}"$${variable(decodeURIComponent(name))}"`;
  });
  const end = url.slice(at + ownQuery.length);
  return `${quoted(url.slice(0, at))}${parts.join("'&'")}${end === "" ? "" : quoted(end)}`;
}

/**
 * Control characters, of which a terminal may obey some when they are pasted, and marks that change the order in which a
 * line is shown.
 */
const NEEDS_PRINTF = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const UNSAFE = new RegExp(NEEDS_PRINTF, "gu");

function printfFormat(text: string): string {
  const octal = (unsafe: string): string =>
    Array.from(Buffer.from(unsafe), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  return text.replaceAll("\\", "\\\\").replaceAll("%", "%%").replace(UNSAFE, octal);
}
