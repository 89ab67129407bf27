// What is reported of a failure of Redis: never what was sent, which ioredis's own errors carry along.

import { codedError } from "../../base/errors.js";

/** An error that holds nothing of the one that it is made from, except its kind. */
export function unreachable(error: unknown): Error {
  const { code, name, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === UNREACHABLE) return error as Error;
  return redisFailed(typeof code === "string" ? code : nameOf(name, message));
}

export function redisFailed(why: string): Error {
  return codedError(UNREACHABLE, { why });
}

const UNREACHABLE = "KALEYRA_SMS_INBOX_UNREACHABLE";

/** Whether Redis answered, and did not do it: it may later. */
export function isRefused(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Beginnings of sentences that hold nothing that was sent. */
const KNOWN = new RegExp(
  `^(?:${[
    "Connection is closed",
    "Command aborted",
    "Command timed out",
    "Socket timeout",
    "could not renew lock",
    "Missing lock",
    "Missing key",
    "Lock mismatch",
  ].join("|")})`,
);

function nameOf(name = "unknown", message = ""): string {
  // A reply of Redis's begins with a code of its own: OOM, LOADING, READONLY.
  const [reply] = name === "ReplyError" ? (/^[A-Z]+\b/.exec(message) ?? []) : [];
  return reply ?? KNOWN.exec(message)?.[0] ?? name;
}
