// An invalid callback, as handlers of `invalid` get it.

/** Why a callback was rejected. Stable: code may branch on it. */
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

/** One problem with one field. It never contains a sent value. */
export interface Issue {
  /** The field's wire name, or `(other)` if the name is neither on the provider's page nor in your schema. */
  readonly field: string;
  /** What was expected, as a sentence without its subject: `is missing`. */
  readonly message: string;
  /**
   * The JSON Schema keyword that failed (`additionalProperties`: not in the profile), or a rule beyond JSON Schema:
   * `scalar`, `repeated`, `digits` or `decrypt`.
   */
  readonly rule: string;
}

/** An invalid callback: the payload of `invalid` events. */
export interface InvalidCallback {
  /** Why it is rejected. */
  readonly code: InvalidCode;
  /** The status of the answer: 400, 408, 413 or 415. */
  readonly status: number;
  /** What was expected and what to do, in a sentence. It never contains a sent value. */
  readonly detail: string;
  /**
   * At most 20. Empty unless fields are wrong (`schema`, `duplicate-field`, `undecryptable`), or the body's keys are
   * not those of the profile (`malformed-body`, `unknown-field`): the keys of the provider's page are then named.
   */
  readonly issues: readonly Issue[];
  /** The HTTP method of the callback. */
  readonly method: "GET" | "POST";
  /**
   * The complete query string of a GET callback, or body of a POST callback. The package keeps no other copy.
   *
   * - A string if it is valid UTF-8.
   * - Otherwise bytes: the body is in another charset, or could not be decompressed.
   * - If a body parser kept no bytes: its result as JSON, or an empty string if that is nested too deeply.
   */
  readonly raw: string | Uint8Array;
  /** The time of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
}

/** Why a callback is rejected. `invalidCallback` adds the rest. */
export type Refusal = Pick<InvalidCallback, "code" | "detail"> & Partial<Pick<InvalidCallback, "status" | "issues">>;

const STATUS: Partial<Record<InvalidCode, number>> = { "body-too-large": 413, "unsupported-media-type": 415 };
const MAX_ISSUES = 20;

export function invalidCallback(
  refusal: Refusal,
  arrival: Pick<InvalidCallback, "method" | "raw" | "receivedAt">,
): InvalidCallback {
  return Object.freeze({
    code: refusal.code,
    status: refusal.status ?? STATUS[refusal.code] ?? 400,
    detail: refusal.detail,
    issues: Object.freeze((refusal.issues ?? []).slice(0, MAX_ISSUES).map((issue) => Object.freeze(issue))),
    ...arrival,
  });
}
