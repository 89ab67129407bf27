// The payload of the event `unauthorized`.

/** What handlers of `unauthorized` get. Contains nothing of the callback: its body was not read. */
export interface UnauthorizedCallback {
  /** The demands of `options.authenticate` that were not met, in English. Never contains what the caller sent. */
  readonly reason: string;
  readonly method: "GET" | "POST";
  /** `req.ip` under Express, otherwise the address of the connection. */
  readonly ip: string | undefined;
  /** The instant of arrival, ISO 8601 in UTC. */
  readonly receivedAt: string;
}
