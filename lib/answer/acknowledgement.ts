// The acknowledgement of a callback, and the check of `options.ack`.

import { isHeader } from "../base/header.js";
import { hasOnly, isRecord } from "../base/record.js";

/** The answer to a callback that was handled or stored. */
export interface Acknowledgement {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers that the router or Node.js sets: their values follow from the answer itself. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set([
  "cache-control",
  "connection",
  "content-length",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Whether a value of `options.ack` can be sent unchanged. */
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
    Object.entries(headers).every(
      ([name, content]) => !RESERVED_HEADERS.has(name.toLowerCase()) && isHeader(name, content),
    )
  );
}
