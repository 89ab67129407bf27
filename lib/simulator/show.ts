// Shows a request as it is sent, and as a command. Secrets are hidden: the page is on a screen that others may see.

import { curlOf } from "../provider/request.js";
import { isSecret, type ComposedRequest } from "./compose.js";
import type { ShownRequest } from "./wire.js";

/** A request with everything that is sent. */
export interface WireRequest extends ComposedRequest {
  /** Of the server, with its protocol: `http://localhost:3000`. */
  readonly origin: string;
  /** All headers, in the order in which they are sent. */
  readonly headers: ComposedRequest["headers"];
}

/** Headers that are never secret: they belong to the request itself, and curl sends its own. */
const PLAIN = new Set(["host", "user-agent", "content-length", "connection"]);
const HIDDEN = "••••••";

export function show(request: WireRequest): ShownRequest {
  return { raw: raw(request), curl: curl(request) };
}

function isHidden(name: string): boolean {
  return isSecret(name) && !PLAIN.has(name.toLowerCase());
}

function raw({ method, path, headers, body, cutAt, ownQuery }: WireRequest): string {
  const shown = withSecrets(path, ownQuery, () => HIDDEN);
  const lines = headers.map(([name, value]) => `${name}: ${isHidden(name) ? HIDDEN : value}`);
  const sent = cutAt === undefined ? body : Buffer.from(body).subarray(0, cutAt).toString("utf8");
  return [`${method} ${shown} HTTP/1.1`, ...lines, "", sent].join("\r\n");
}

/** In place of secrets, the command has variables of the shell, which the user sets. */
function curl({ method, origin, path, headers, body, ownQuery }: WireRequest): string {
  const own = headers.filter(([name]) => !PLAIN.has(name.toLowerCase()));
  const variables = own.filter(([name]) => isHidden(name)).map(([name]) => [name, `"$${variable(name)}"`]);
  const url = `${origin}${withSecrets(path, ownQuery, (name) => `\ue000${variable(name)}\ue001`)}`;
  const request = { method, url, headers: Object.fromEntries(own), ...(method === "GET" ? {} : { body }) };
  const command = curlOf(request, { headers: Object.fromEntries(variables) as Record<string, string> });
  // Out of the quotes of the URL, where a shell expands nothing, and into them again.
  return command.replace(/\ue000(\w+)\ue001/g, `'"$$$1"'`);
}

/** A path whose own variables, which are no fields, have other values. */
function withSecrets(path: string, ownQuery: string, valueOf: (name: string) => string): string {
  if (ownQuery === "") return path;
  const shown = ownQuery.replace(/([^&=]*)=[^&]*/g, (_pair, name: string) => `${name}=${valueOf(name)}`);
  return path.replace(ownQuery, () => shown);
}

function variable(name: string): string {
  const shouted = name.toUpperCase().replace(/[^A-Z\d]+/g, "_");
  return shouted.replace(/^(?=\d)/, "_");
}
