// The headers that secrets come in.

import type { IncomingMessage } from "node:http";

type MaybeRaw = Pick<IncomingMessage, "headers"> & { readonly rawHeaders?: readonly string[] };

/**
 * A header's value, as many times as the header came. Node joins what came twice, or drops all but the first: only the raw headers tell.
 *
 * @param name - in lower case
 */
export function headersOf({ headers, rawHeaders = [] }: MaybeRaw, name: string): string[] {
  const value = headers[name];
  // Something in front of this router may have taken it out.
  if (value === undefined) return [];
  const times = rawHeaders.filter((one, n) => n % 2 === 0 && one.toLowerCase() === name).length;
  // What is no stream, as in some tests and on some platforms, has no raw headers.
  return Array<string>(Math.max(times, 1)).fill(String(value));
}

/** What stands behind the scheme in the Authorization header (RFC 9110, 11.4); several if that came more than once. */
export function credentialsOf(req: IncomingMessage, scheme: "Basic" | "Bearer"): string[] {
  const [value = "", ...more] = headersOf(req, "authorization");
  if (more.length > 0) return [value, ...more];
  const space = value.indexOf(" ");
  const isOfScheme = space !== -1 && value.slice(0, space).toLowerCase() === scheme.toLowerCase();
  return isOfScheme ? [value.slice(space + 1).trim()] : [];
}
