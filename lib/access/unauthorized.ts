// The payload of the event `unauthorized`.

/**
 * Why a caller is not authorized. `missing`, `wrong`, `repeated`: a secret is. `address`: the address is not allowed.
 * `no-address`: the address is not known. `refused`, `threw`, `timeout`: a function of `options.authenticate` did not
 * return `true`, threw or rejected, or did not answer in time.
 *
 * @inline
 */
export type UnauthorizedCode =
  "missing" | "wrong" | "repeated" | "address" | "no-address" | "refused" | "threw" | "timeout";

/** What handlers of `unauthorized` get. Contains nothing of the callback: its body was not read. */
export interface UnauthorizedCallback {
  /** Why the caller was rejected. If several demands are not met, the code of the first one. */
  readonly code: UnauthorizedCode;
  /** The demands of `options.authenticate` that were not met, in English. Never contains what the caller sent. */
  readonly reason: string;
  /** The HTTP method of the callback. */
  readonly method: "GET" | "POST";
  /** `req.ip` under Express, otherwise the address of the connection. */
  readonly ip: string | undefined;
  /** The instant of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
}
