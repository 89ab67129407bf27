// What is given out of a caller that was refused.

/** What handlers of `unauthorized` get. Holds nothing of the callback: its body was not read. */
export interface UnauthorizedCallback {
  /** Which demand was not met; never what came in its place. */
  readonly reason: string;
  readonly method: "GET" | "POST";
  /** `req.ip` under Express, otherwise the address of the connection. */
  readonly ip: string | undefined;
  /** The instant of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
}
