// What is given out of a caller that was refused.

/** What handlers of `unauthorized` get. Holds nothing of the callback: its body was not read. */
export interface UnauthorizedCallback {
  /** Which demands of `options.authenticate` were not met, in words; never what came in their place. */
  readonly reason: string;
  readonly method: "GET" | "POST";
  /** `req.ip` under Express, otherwise the address of the connection. */
  readonly ip: string | undefined;
  /** The instant of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
}
