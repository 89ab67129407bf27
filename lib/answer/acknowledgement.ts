// Which acknowledgement a user may ask for.

import { validateHeaderName, validateHeaderValue } from "node:http";

import { hasOnly, isRecord } from "../base/record.js";

/** The answer to a callback that was handled, or stored. */
export interface Acknowledgement {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers whose value follows from the answer itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "cache-control",
  "connection",
  "content-length",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Whether `options.ack` can be sent as it is. */
export function isAcknowledgement(value: unknown): boolean {
  if (!hasOnly(value, ["status", "body", "headers"])) return false;
  const { status = 200, body = "", headers = {} } = value;
  const hasNoBody = status === 204 || status === 205;
  return (
    Number.isInteger(status) &&
    (status as number) >= 200 &&
    (status as number) <= 299 &&
    (hasNoBody ? body === "" : typeof body === "string") &&
    isRecord(headers) &&
    Object.entries(headers).every(([name, content]) => isHeader(name, content))
  );
}

function isHeader(name: string, content: unknown): boolean {
  if (typeof content !== "string" || OWN_HEADERS.has(name.toLowerCase())) return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, content);
    return true;
  } catch {
    return false;
  }
}
