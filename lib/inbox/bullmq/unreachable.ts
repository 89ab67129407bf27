// Makes the errors for failures of Redis. Unlike ioredis's own errors, they never contain what was sent.

import { codedError } from "../../base/errors.js";

/** Replaces an error with one that keeps only its kind. */
export function unreachable(error: unknown): Error {
  const { code, name, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === UNREACHABLE) return error as Error;
  return redisFailed(typeof code === "string" ? code : nameOf(name, message));
}

export function redisFailed(why: string): Error {
  return codedError(UNREACHABLE, { why });
}

export function replicasMissing(): Error {
  return redisFailed("fewer replicas than options.replicas confirmed it in time");
}

const UNREACHABLE = "KALEYRA_SMS_INBOX_UNREACHABLE";

/** Whether Redis replied with an error: it refused the command, and may accept it later. */
export function isRefused(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** The beginnings of messages that contain nothing that was sent. */
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
  // An error reply of Redis begins with a code: OOM, LOADING, READONLY.
  const [reply] = name === "ReplyError" ? (/^[A-Z]+\b/.exec(message) ?? []) : [];
  return reply ?? KNOWN.exec(message)?.[0] ?? name;
}
