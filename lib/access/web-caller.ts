// A `Request` of the web, as authentication sees it.

import type { IncomingHttpHeaders } from "node:http";

export class WebCaller {
  readonly headers: IncomingHttpHeaders;
  /** A `Request` has no address: the app passes it. */
  readonly ip: string | undefined;
  /** What the user's functions get. */
  readonly request: Request;

  constructor(request: Request, ip: string | undefined) {
    this.headers = Object.fromEntries(request.headers);
    this.ip = ip;
    this.request = request;
  }
}
