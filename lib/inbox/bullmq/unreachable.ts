// What is told of a failure of Redis: never what was sent, which ioredis's own errors carry along.

/** The `code` of the `Error` where Redis is out of reach, gives no answer, or refuses. */
const UNREACHABLE = "KALEYRA_SMS_INBOX_UNREACHABLE";

/** An error that holds nothing of the one that it is made from but what it is called. */
export function unreachable(error: unknown): Error {
  if (error instanceof Error && (error as NodeJS.ErrnoException).code === UNREACHABLE) return error;
  return Object.assign(new Error(`Redis could not be reached, or refused: ${nameOf(error)}.`), { code: UNREACHABLE });
}

/** Beginnings of sentences that hold nothing that was sent. */
const KNOWN =
  /^(?:Connection is closed|Command aborted|Command timed out|Socket timeout|could not renew lock|Missing lock|Missing key|Lock mismatch|no connection within its time|the inbox is closed)/;

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { code } = error as { readonly code?: unknown };
  if (typeof code === "string") return code;
  // A reply of Redis's begins with a code of its own: OOM, LOADING, READONLY.
  const [reply] = error.name === "ReplyError" ? (/^[A-Z]+\b/.exec(error.message) ?? []) : [];
  return reply ?? KNOWN.exec(error.message)?.[0] ?? error.name;
}
