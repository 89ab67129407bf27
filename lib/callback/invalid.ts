// What is given out of a callback that is not a valid one.

/** Why a callback was refused. Stable: code may branch on it. */
export type InvalidCode =
  | "malformed-body"
  | "ambiguous-body"
  | "body-incomplete"
  | "body-too-large"
  | "unsupported-media-type"
  | "schema"
  | "duplicate-field"
  | "unknown-field"
  | "undecryptable";

/** One thing that is wrong with one field. Never holds a value that was sent. */
export interface Issue {
  /** The field's name on the wire, or `(other)` for a name that neither the provider's page nor your schema knows. */
  readonly field: string;
  /** What was expected, as a sentence without its subject: `is missing`. */
  readonly message: string;
  /** The JSON Schema keyword that failed, or the name of a rule that no schema can hold: `scalar`, `repeated`, `digits`, `decrypt`. */
  readonly rule: string;
}

/** What handlers of `invalid` get. */
export interface InvalidCallback {
  readonly code: InvalidCode;
  /** The status of the answer: 400, 408, 413 or 415. */
  readonly status: number;
  /** What was expected and what to do, in a sentence; never holds a value that was sent. */
  readonly detail: string;
  /** At most 20. Empty unless `code` is `schema`, `duplicate-field` or `undecryptable`. */
  readonly issues: readonly Issue[];
  readonly method: "GET" | "POST";
  /**
   * What was read, whole: the query string of a GET, the body of a POST; bytes where they are no text in their charset or could not be
   * inflated; JSON text of what a body parser left of the body, empty where that cannot be written, as where it nests too deep. The only copy: the package
   * keeps none.
   */
  readonly raw: string | Uint8Array;
  /** The instant of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
}

/** What a room that refuses a callback says of it; the pipeline adds the rest. */
export type Refusal = Pick<InvalidCallback, "code" | "detail"> & Partial<Pick<InvalidCallback, "status" | "issues">>;

const STATUS: Partial<Record<InvalidCode, number>> = { "body-too-large": 413, "unsupported-media-type": 415 };
const MOST_ISSUES = 20;

export function invalidCallback(
  refusal: Refusal,
  arrival: Pick<InvalidCallback, "method" | "raw" | "receivedAt">,
): InvalidCallback {
  return Object.freeze({
    code: refusal.code,
    status: refusal.status ?? STATUS[refusal.code] ?? 400,
    detail: refusal.detail,
    issues: Object.freeze((refusal.issues ?? []).slice(0, MOST_ISSUES).map((issue) => Object.freeze(issue))),
    ...arrival,
  });
}
