// What is told of a failure of Redis: never what was sent, which ioredis's own errors carry along.

/** The `code` of the `Error` where Redis is out of reach, gives no answer, or refuses. */
const UNREACHABLE = "KALEYRA_SMS_INBOX_UNREACHABLE";

/** An error that holds nothing of the one that it is made from but what it is called. */
export function unreachable(error: unknown): Error {
  const { code, name, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === UNREACHABLE) return error as Error;
  const what = typeof code === "string" ? code : nameOf(name, message);
  return Object.assign(new Error(`Redis could not be reached, or refused: ${what}.`), { code: UNREACHABLE });
}

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
    "no connection within its time",
    "fewer replicas have it than wanted",
    "its place is taken by what is no message",
  ].join("|")})`,
);

function nameOf(name = "unknown", message = ""): string {
  // A reply of Redis's begins with a code of its own: OOM, LOADING, READONLY.
  const [reply] = name === "ReplyError" ? (/^[A-Z]+\b/.exec(message) ?? []) : [];
  return reply ?? KNOWN.exec(message)?.[0] ?? name;
}
