// Reads the headers that carry secrets.

import type { IncomingMessage } from "node:http";

type MaybeRaw = Pick<IncomingMessage, "headers"> & { readonly rawHeaders?: readonly string[] };

/**
 * Returns the value of a header, once for each time the header was sent. Node joins repeated headers, or keeps only the
 * first one: only `rawHeaders` shows the repetition.
 *
 * @param name - in lower case
 */
export function headersOf({ headers, rawHeaders = [] }: MaybeRaw, name: string): string[] {
  const value = headers[name];
  // Earlier middleware may have removed the header.
  if (value === undefined) return [];
  const times = rawHeaders.filter((one, n) => n % 2 === 0 && one.toLowerCase() === name).length;
  // In some tests and on some platforms, the request is not a stream, and has no raw headers.
  return Array<string>(Math.max(times, 1)).fill(String(value));
}

/**
 * Returns the credentials after the scheme in the Authorization header (RFC 9110, 11.4). Empty if the header has
 * another scheme; several values if the header was sent more than once.
 */
export function credentialsOf(req: MaybeRaw, scheme: "Basic" | "Bearer"): string[] {
  const [value = "", ...more] = headersOf(req, "authorization");
  if (more.length > 0) return [value, ...more];
  const space = value.indexOf(" ");
  const isOfScheme = space !== -1 && value.slice(0, space).toLowerCase() === scheme.toLowerCase();
  return isOfScheme ? [value.slice(space + 1).trim()] : [];
}
