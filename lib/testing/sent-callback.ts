// From the request that the provider sends to what `sms.receive` takes.

import type { Callback } from "../callback/read-callback.js";

interface Sent {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export function callbackOf({ method, url, headers, body }: Sent): Callback {
  if (method === "GET") return { method, query: /\?(.*)$/s.exec(url)?.[1] ?? "" };
  return { method, body, contentType: headerOf(headers, "content-type") };
}

/** The value of a header, however its name is written. */
export function headerOf(headers: Sent["headers"], name: string): string | undefined {
  return Object.entries(headers).find(([written]) => written.toLowerCase() === name)?.[1];
}
